// docs/peppers.md as an operator lives it: from no pepper to the second one, and each mistake on
// the way. The block that the page shows is what runs at every restart, its query is what is asked,
// and the keys come from the command.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import { transformSync } from '@swc/core';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import * as core from '../../lib';
import { BackupCodes, MemoryStore, type BackupCodesOptions, type BackupCodeStore } from '../../lib';
import { auditEvent } from '../../lib/audit/events';
import { createTables, SqlStore } from '../../lib/sql';
import { userSubject } from '../../lib/stores/subject';
import { countingHasher, type CountingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import { WRONG_ON_BOTH as WRONG } from '../helpers/service';

const PAGE = readFileSync(join(__dirname, '../../docs/peppers.md'), 'utf8');

function block(name: string): string {
  const [found, ...others] = [
    ...PAGE.matchAll(new RegExp(`<!-- run: ${name} -->\\s*\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``, 'g')),
  ];
  if (found?.[1] === undefined || others.length > 0)
    throw new Error(`docs/peppers.md must have one block behind <!-- run: ${name} -->.`);
  return found[1];
}

const program = transformSync(`${block('read-peppers')}\nexport { backupCodes };`, {
  jsc: { target: 'es2022' },
  module: { type: 'commonjs' },
}).code;
const start = compileFunction(program, ['require', 'exports', 'process', 'store']) as (
  require: (name: string) => unknown,
  exports: { backupCodes?: BackupCodes },
  process: { env: Record<string, string> },
  store: BackupCodeStore,
) => void;

/** The program of the page, on a quick hash that counts, and with codes for both channels. */
function startPage({
  store,
  hasher,
  listed,
}: {
  store: BackupCodeStore;
  hasher: CountingHasher;
  listed: string;
}): BackupCodes {
  class Counted extends BackupCodes {
    constructor(options: BackupCodesOptions) {
      super({ format: core.formats.recovery, ...options, hasher });
    }
  }
  const made: { backupCodes?: BackupCodes } = {};
  start(
    (name) => ({ [name]: { ...core, BackupCodes: Counted } })['passport-backup-code'],
    made,
    { env: { BACKUP_CODE_PEPPER: listed } },
    store,
  );
  return made.backupCodes!;
}

/** A new pepper as the command prints it, `2026:BASE64`. */
function newPepper(id: string): string {
  const command = [
    '--require',
    join(__dirname, '../helpers/run-typescript.js'),
    join(__dirname, '../../lib/cli/main.ts'),
    'new-pepper',
    id,
  ];
  return execFileSync(process.execPath, command, { encoding: 'utf8' }).trim();
}

interface OpenStore {
  readonly store: BackupCodeStore;
  /** Takes the id of its pepper from the stored set, as somebody who can write to the database. */
  strip(userId: string): Promise<void>;
}

const onMemory = async (): Promise<OpenStore> => {
  const store = new MemoryStore();
  return {
    store,
    strip: async (userId) => {
      const [subject, now] = [userSubject(userId), Date.now()];
      const event = auditEvent('issued', {
        at: now,
        userId,
        context: { ip: null, userAgent: null, requestId: null, actor: null, channel: 'recovery' },
      });
      const taken = await store.takeAttempt({
        subject,
        channel: 'recovery',
        now,
        waits: [0],
        refusal: { ...event, type: 'throttled', refusals: 1 },
      });
      if (!taken.ok || taken.current === null) throw new Error('There is no set to strip.');
      await store.replace({
        subject,
        header: { ...taken.current, pepperId: null },
        codes: taken.current.codes,
        event,
        now,
      });
    },
  };
};

const databases: Kysely<unknown>[] = [];
afterEach(async () => {
  for (const kysely of databases.splice(0)) await kysely.destroy();
});

async function onSqlite(): Promise<OpenStore & { ask(query: string): unknown[] }> {
  const database = new Database(':memory:');
  const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
  databases.push(kysely);
  await createTables({ database: kysely });
  return {
    store: new SqlStore({ database: kysely }),
    strip: async (userId) => {
      expect(
        database
          .prepare('UPDATE backup_code_users SET pepper_id = NULL WHERE user_id = ?')
          .run([userId]).changes,
      ).toBe(1);
    },
    ask: (query) => database.prepare(query).all(),
  };
}

interface Operator extends OpenStore {
  readonly hasher: CountingHasher;
  /** As it was before there was a pepper. */
  readonly withoutPepper: BackupCodes;
  restart(listed: string): BackupCodes;
  pepperOf(userId: string): Promise<string | null | undefined>;
  /** Attempts charged to a user, on both channels. */
  charged(userId: string): Promise<number[]>;
}

async function operate(open: () => Promise<OpenStore>): Promise<Operator> {
  const [opened, hasher] = [await open(), countingHasher()];
  const { store } = opened;
  return {
    ...opened,
    hasher,
    withoutPepper: new BackupCodes({ store, hasher, format: core.formats.recovery }),
    restart: (listed) => startPage({ store, hasher, listed }),
    pepperOf: async (userId) => (await store.find(userSubject(userId)))?.current?.pepperId,
    charged: async (userId) =>
      Object.values((await store.find(userSubject(userId)))?.channels ?? {}).map(
        ({ attempts }) => attempts,
      ),
  };
}

const [p2026, p2027] = [newPepper('2026'), newPepper('2027')];
/** The key of one under the id of the other. */
const mixedUp = (id: string, other: string): string => `${id}:${other.split(':')[1]}`;
const accepted = expect.objectContaining({ ok: true }) as unknown;

describe.each([
  ['MemoryStore', onMemory],
  ['SqlStore on SQLite', onSqlite],
])('on %s', (_name, open) => {
  it('from no pepper to the first and on to the next, every printed code works until its pepper is dropped', async () => {
    const { withoutPepper, restart, pepperOf, charged } = await operate(open);
    const [ada, bob, eve] = [
      await withoutPepper.issue('ada'),
      await withoutPepper.issue('bob'),
      await withoutPepper.issue('eve'),
    ];

    // The first pepper; sets without one drain.
    const first = restart(`${p2026},none`);
    expect(await first.consume('ada', ada.codes[0])).toEqual(accepted);
    const renewed = await first.issue('bob');
    expect([await pepperOf('ada'), await pepperOf('bob')]).toEqual([null, '2026']);
    expect(await first.consume('bob', bob.codes[0])).toEqual({ ok: false, reason: 'mismatch' });
    expect(await first.consume('bob', renewed.codes[0])).toEqual(accepted);

    // The next one, first as a key that is only read: a process of before and one of after read
    // each other's sets.
    const second = restart(`${p2026},${p2027},none`);
    expect(await first.consume('ada', (await second.issue('ada')).codes[0])).toEqual(accepted);
    const third = restart(`${p2027},${p2026},none`);
    const carol = await third.issue('carol');
    expect([await pepperOf('ada'), await pepperOf('carol')]).toEqual(['2026', '2027']);
    expect(await second.consume('carol', carol.codes[0])).toEqual(accepted);
    expect(await third.consume('carol', (await second.issue('carol')).codes[0])).toEqual(accepted);
    // A process that was left out of the first step does not, and says so.
    const dave = await third.issue('dave');
    await expect(first.consume('dave', dave.codes[0])).rejects.toEqual(failure('unknown_pepper'));

    // Drained of sets without a pepper: eve's is the last, and is revoked.
    expect(await third.consume('eve', eve.codes[0])).toEqual(accepted);
    expect(await third.revoke('eve', { actor: 'pepper rotation' })).toBe(true);
    const drained = restart(`${p2027},${p2026}`);
    expect(await drained.consume('bob', renewed.codes[1])).toEqual(accepted);
    expect(await drained.consume('eve', eve.codes[1])).toEqual({ ok: false, reason: 'none' });

    // Drained of the first pepper, and dropped.
    const codes = await Promise.all(
      ['ada', 'bob', 'carol', 'eve'].map(async (userId) => ({
        userId,
        code: (await drained.issue(userId)).codes[0],
      })),
    );
    const last = restart(p2027);
    for (const { userId, code } of [...codes, { userId: 'dave', code: dave.codes[0] }])
      expect(await last.consume(userId, code)).toEqual(accepted);
    for (const userId of ['ada', 'bob', 'carol', 'dave', 'eve'])
      expect(await charged(userId)).toEqual([0, 0]);
  });

  it.each<[string, string, string]>([
    ['a key that was cut short', p2027.slice(0, -8), 'at least 32 bytes, but was'],
    ['a key that got lost on the way', '2027:', 'but was 0 bytes'],
    ['an id without its key', '2027', 'must be a Buffer of at least 32 bytes, but was undefined'],
    ['none before the key', `none,${p2027}`, 'may only be the last of a list'],
    ['one id twice', `${p2027},${p2027}`, 'Two peppers have the id "2027"'],
  ])('%s: the process does not start, and says what is wrong', async (_what, listed, message) => {
    const { restart } = await operate(open);
    expect(() => restart(listed)).toThrow(failure('invalid_pepper'));
    expect(() => restart(listed)).toThrow(message);
  });

  it('no list at all: the process does not start, for its sets would have no pepper', async () => {
    const { restart } = await operate(open);
    expect(() => restart('')).toThrow('BACKUP_CODE_PEPPER is not set');
  });

  const otherKey = mixedUp('2027', p2026);
  it.each<[string, string, core.BackupCodeErrorCode]>([
    ['another key under the id of the set', otherKey, 'wrong_pepper'],
    ['the keys of two ids exchanged', `${otherKey},${mixedUp('2026', p2027)}`, 'wrong_pepper'],
    ['a pepper dropped too early', p2026, 'unknown_pepper'],
    ['a pepper dropped too early, while sets without one drain', `${p2026},none`, 'unknown_pepper'],
  ])(
    '%s: an error of its own, before any hash and charged to nobody, and the same code works once the list is mended',
    async (_what, listed, code) => {
      const { restart, hasher, charged } = await operate(open);
      const { codes } = await restart(p2027).issue('ada');
      const mistaken = restart(listed);
      hasher.count = 0;
      for (const channel of ['second_factor', 'recovery'] as const) {
        for (const typed of [codes[0], WRONG])
          await expect(mistaken.consume('ada', typed, { channel })).rejects.toEqual(failure(code));
      }
      expect([hasher.count, ...(await charged('ada'))]).toEqual([0, 0, 0]);
      expect(await restart(p2027).consume('ada', codes[0])).toMatchObject({
        ok: true,
        remaining: 9,
      });
    },
  );

  it.each<[string, string, core.BackupCodeErrorCode]>([
    ['once all have one', p2027, 'unknown_pepper'],
    ['while sets without one drain', `${p2027},none`, 'wrong_pepper'],
  ])(
    'a stored set stripped of its pepper, %s: an error of its own, before any hash and charged to nobody',
    async (_when, listed, code) => {
      const { restart, strip, hasher, charged, pepperOf } = await operate(open);
      const backupCodes = restart(listed);
      const { codes } = await backupCodes.issue('ada');
      await strip('ada');
      expect(await pepperOf('ada')).toBeNull();
      hasher.count = 0;
      for (const typed of [codes[0], WRONG])
        await expect(backupCodes.consume('ada', typed)).rejects.toEqual(failure(code));
      expect([hasher.count, ...(await charged('ada'))]).toEqual([0, 0, 0]);
    },
  );

  it('a set planted without a pepper lets in while such sets drain, and not any more once none is dropped', async () => {
    const { withoutPepper, restart, charged } = await operate(open);
    const planted = await withoutPepper.issue('ada');
    expect(await restart(`${p2027},none`).consume('ada', planted.codes[0])).toEqual(accepted);
    await expect(restart(p2027).consume('ada', planted.codes[1])).rejects.toEqual(
      failure('unknown_pepper'),
    );
    expect(await charged('ada')).toEqual([0, 0]);
  });

  it('a set that was issued with a wrong key is refused once the right one is back, and a new one works', async () => {
    const { restart } = await operate(open);
    const mistaken = await restart(otherKey).issue('ada');
    const mended = restart(p2027);
    await expect(mended.consume('ada', mistaken.codes[0])).rejects.toEqual(failure('wrong_pepper'));
    expect(await mended.consume('ada', (await mended.issue('ada')).codes[0])).toEqual(accepted);
  });

  it('an expired set of a dropped pepper is an error until it is revoked', async () => {
    const { restart, store, hasher } = await operate(open);
    const year = 366 * 86_400_000;
    const { codes } = await restart(p2026).issue('ada');
    const later = new BackupCodes({
      store,
      hasher,
      format: core.formats.recovery,
      pepper: [{ id: '2027', key: Buffer.alloc(32) }],
      now: () => Date.now() + year,
    });
    await expect(later.consume('ada', codes[0])).rejects.toEqual(failure('unknown_pepper'));
    await later.revoke('ada');
    expect(await later.consume('ada', codes[0])).toEqual({ ok: false, reason: 'none' });
  });
});

describe('the page', () => {
  it('lists whose sets are still to drain, and nobody else', async () => {
    const { store, ask } = await onSqlite();
    const { restart } = await operate(async () => ({
      store,
      strip: () => Promise.reject(new Error('not here')),
    }));
    const [older, newer] = [restart(p2026), restart(`${p2027},${p2026}`)];
    for (const userId of ['ada', 'bob', 'carol', 'eve']) await older.issue(userId);
    await newer.issue('bob');
    await newer.revoke('carol');
    await newer.issue('dave');
    await newer.rejectUnknownUser('nobody', WRONG);
    expect(ask(block('owners'))).toEqual([{ user_id: 'ada' }, { user_id: 'eve' }]);
  });

  it('has a row for each of the errors', () => {
    expect([...PAGE.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code)).toEqual([
      'invalid_pepper',
      'unknown_pepper',
      'wrong_pepper',
    ]);
  });
});
