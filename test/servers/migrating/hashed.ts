// docs/migrating.md, codes that are hashed: one hash a code, as apps have it, and what
// devise-two-factor left.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcrypt';
import express, { type Request } from 'express';
import { sql } from 'kysely';
import Database from 'libsql';
import { Authenticator } from 'passport';
import {
  BackupCodes,
  defineFormat,
  formats,
  MemoryStore,
  type Format,
  type Outcome,
} from '../../../lib';
import { consumeContract } from '../../../lib/testing';
import { countingHasher } from '../../helpers/counting-hasher';
import { fakeClock, type FakeClock } from '../../helpers/clock';
import { recipesOf, runRecipe } from '../../helpers/recipes';
import { atOnce } from '../../helpers/service';
import { describeOn } from '../../helpers/sql-databases';
import { changed } from '../frameworks/contract';

const page = readFileSync(join(__dirname, '../../../docs/migrating.md'), 'utf8');
const recipes = recipesOf('docs/migrating.md');
const TABLE = /CREATE TABLE old_codes .*;/.exec(page)![0];
const statement = (database: string): string =>
  new RegExp(`(INSERT INTO old_codes .*;) +-- ${database}`).exec(page)![1]!;
const HEX = defineFormat({ alphabet: '0123456789abcdef', length: 16 });

interface User {
  readonly id: string;
}
type Consume = (user: User, typed: string, context?: object) => Promise<boolean | Outcome>;

interface App {
  readonly db: InstanceType<typeof Database>;
  readonly backupCodes: BackupCodes;
  readonly consumeCode: Consume;
  readonly clock: FakeClock;
  /** Sends a typed code to the strategy and returns the status. */
  readonly post: (userId: string, code: string) => Promise<number>;
  readonly left: (userId: string) => number;
}

/** Runs the recipe. With `pepper` it is that for devise-two-factor. */
async function open({
  format = HEX,
  pepper,
  free = 5,
}: { format?: Format; pepper?: string; free?: number } = {}): Promise<App> {
  const db = new Database(':memory:');
  db.exec(TABLE);
  const clock = fakeClock();
  const backupCodes = new BackupCodes({
    store: new MemoryStore(),
    hasher: countingHasher(),
    format: [formats.standard, format],
    attempts: { free },
    now: clock.now,
  });
  const passport = new Authenticator();
  const currentUser = (req: Request): User => ({ id: String(req.headers['x-user']) });
  const recipe =
    pepper === undefined
      ? recipes.get('hashed')
      : changed(recipes.get('hashed'), 'compare(code, hash)', 'compare(code + pepper, hash)');
  const { consumeCode } = (await runRecipe(
    recipe!,
    { db, backupCodes, passport, currentUser, pepper },
    ['consumeCode'],
  )) as { consumeCode: Consume };
  const app = express().use(express.urlencoded(), passport.initialize());
  app.post(
    '/',
    passport.authenticate('backup-code', { session: false }),
    (_req, res) => void res.end(),
  );
  const post = async (userId: string, code: string): Promise<number> => {
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const { port } = server.address() as { port: number };
      return (
        await fetch(`http://127.0.0.1:${port}`, {
          method: 'POST',
          headers: { 'x-user': userId },
          body: new URLSearchParams({ code }),
        })
      ).status;
    } finally {
      server.close();
      server.closeAllConnections();
    }
  };
  const left = (userId: string): number =>
    db.prepare('SELECT hash FROM old_codes WHERE user_id = ?').all(userId).length;
  return { db, backupCodes, consumeCode, clock, post, left };
}

function keep({ db }: Pick<App, 'db'>, userId: string, hashes: readonly string[]): void {
  for (const hash of hashes)
    db.prepare('INSERT INTO old_codes (user_id, hash) VALUES (?, ?)').run(userId, hash);
}

const isOk = (result: boolean | Outcome): boolean =>
  result === true || (typeof result === 'object' && result.ok);
const codesOf = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `00112233445566${(160 + n).toString(16)}`);
const hashed = (codes: readonly string[]): string[] => codes.map((code) => hashSync(code, 4));

export function hashedCodesTests(): void {
  describe('a list of bcrypt hashes', () => {
    const codes = codesOf(10);
    const [first, second, third] = codes as [string, string, string];
    let app: App;
    beforeEach(async () => {
      app = await open();
      keep(app, 'ada', hashed(codes));
      keep(app, 'bob', hashed(codes.slice(0, 1)));
    });

    it('Each code with a bcrypt hash works once, for its owner only', async () => {
      expect([
        await app.post('ada', ` ${first.toUpperCase()} `),
        await app.post('ada', first),
      ]).toEqual([200, 401]);
      expect([await app.post('ada', '0011-2233-4455-66a1'), await app.post('bob', third)]).toEqual([
        200, 401,
      ]);
      expect([app.left('ada'), app.left('bob')]).toEqual([8, 1]);
      expect(await app.post('ada', 'nothing like a code')).toBe(400);
    });

    it('The first new set of a user ends the old hashed codes', async () => {
      expect(await app.post('ada', first)).toBe(200);
      const {
        codes: [fresh],
      } = await app.backupCodes.issue('ada');
      expect([
        await app.post('ada', second),
        await app.post('ada', fresh!),
        await app.post('ada', fresh!),
      ]).toEqual([401, 200, 401]);
      expect(await app.post('bob', first)).toBe(200);
    });

    it('Old hashed codes that the page removes stop working', async () => {
      await runRecipe(recipes.get('end-old')!, {
        backupCodes: app.backupCodes,
        db: app.db,
        user: { id: 'ada' },
      });
      await app.backupCodes.revoke('ada');
      expect([app.left('ada'), app.left('bob'), await app.post('ada', second)]).toEqual([
        0, 1, 401,
      ]);
    });

    it('Guesses at old hashed codes have the waits of a set', async () => {
      for (let i = 0; i < 5; i += 1) expect(await app.post('ada', 'ffffffffffffffff')).toBe(401);
      expect([await app.post('ada', first), app.left('ada')]).toEqual([429, 10]);
      app.clock.advance(61_000);
      expect([await app.post('ada', first), app.left('ada')]).toEqual([200, 9]);
    });

    it('A hash of PHP with $2y$ works after $2y$ is replaced by $2b$', async () => {
      const [hash] = hashed([first]) as [string];
      keep(app, 'eve', [hash.replace('$2b$', '$2y$')]);
      expect(await app.post('eve', first)).toBe(401);
      app.db
        .prepare("UPDATE old_codes SET hash = replace(hash, '$2y$', '$2b$') WHERE user_id = 'eve'")
        .run();
      expect(await app.post('eve', first)).toBe(200);
    });
  });

  describe('the consumeCode of the page', () => {
    let users = 0;
    let app: App;
    beforeAll(async () => {
      app = await open({ free: 50 });
    });
    const lists = [codesOf(20).slice(0, 10), codesOf(20).slice(10)].map((codes) => ({
      codes,
      hashes: hashed(codes),
    }));
    consumeContract<User>(
      { describe, it },
      {
        setUp: () => {
          const user = { id: `person-${(users += 1)}` };
          const list = lists[users % 2]!; // Two users in a row have different codes.
          keep(app, user.id, list.hashes);
          return Promise.resolve({ user, codes: list.codes });
        },
        consumeCode: (user, code) => app.consumeCode(user, code),
        wrongCode: 'ffffffffffffffff',
        rounds: 5,
      },
    );
  });

  describe('devise-two-factor', () => {
    interface DeviseUser {
      readonly id: number;
      readonly pepper: string | null;
      readonly otp_backup_codes: string[];
      readonly printed: string[];
      readonly spent: string[];
    }
    const { users } = JSON.parse(
      readFileSync(join(__dirname, '../../hosts/migrations/devise-two-factor.json'), 'utf8'),
    ) as { users: DeviseUser[] };

    it.each(users)(
      'Each unused code of devise-two-factor works once: user $id',
      async ({ id, pepper, otp_backup_codes, printed, spent }) => {
        const app = await open({ pepper: pepper ?? '', free: 50 });
        app.db.exec('CREATE TABLE users (id INTEGER PRIMARY KEY, otp_backup_codes TEXT)');
        app.db.prepare('INSERT INTO users VALUES (?, ?)').run(id, JSON.stringify(otp_backup_codes));
        app.db.exec(statement('SQLite'));
        const accepted: string[] = [];
        for (const code of [...printed, ...printed])
          if (isOk(await app.consumeCode({ id: String(id) }, code))) accepted.push(code);
        expect(accepted).toEqual(printed.filter((code) => !spent.includes(code)));
        expect(app.left(String(id))).toBe(0);
      },
    );

    it('Of concurrent attempts with one code of devise-two-factor one succeeds', async () => {
      const [{ otp_backup_codes, printed }] = users as [DeviseUser];
      const app = await open({ pepper: '' });
      keep(app, '1', otp_backup_codes.slice(0, 1));
      const results = await atOnce(5, () => app.consumeCode({ id: '1' }, printed[1]!));
      expect(results.map(isOk).filter(Boolean)).toHaveLength(1);
    });

    describeOn('PostgreSQL', 'its array on PostgreSQL', (database) => {
      it('The statement of the page splits an array into rows', async () => {
        const kysely = database().connect();
        await sql
          .raw('CREATE TABLE users (id bigserial PRIMARY KEY, otp_backup_codes varchar[])')
          .execute(kysely);
        await sql.raw(TABLE).execute(kysely);
        for (const { id, otp_backup_codes } of users)
          await sql`INSERT INTO users VALUES (${id}, ${otp_backup_codes})`.execute(kysely);
        await sql.raw(statement('PostgreSQL')).execute(kysely);
        const { rows } = await sql<{
          user_id: string;
          hash: string;
        }>`SELECT user_id, hash FROM old_codes`.execute(kysely);
        const expected = users.flatMap(({ id, otp_backup_codes }) =>
          otp_backup_codes.map((hash) => ({ user_id: String(id), hash })),
        );
        expect(rows).toHaveLength(expected.length);
        expect(rows).toEqual(expect.arrayContaining(expected));
      });
    });
  });
}
