// Runs docs/migrating.md on readable codes: those of an app on passport-backup-codes, and rows of
// django-allauth.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import {
  BackupCodes,
  defineFormat,
  formats,
  MemoryStore,
  type FormatDefinition,
} from '../../../lib';
import { SqlStore } from '../../../lib/sql';
import { countingHasher } from '../../helpers/counting-hasher';
import { atOnce } from '../../helpers/service';
import { recipesOf, runRecipe } from '../../helpers/recipes';
import { filesOf, start, type Host } from '../frameworks/host';
import type { Answer, Visitor } from '../frameworks/visitor';

const HOST = join(__dirname, '../../hosts/migrations');
const CLI = join(HOST, 'node_modules/passport-backup-code/dist/cli/main.js');
const read = (file: string): string => readFileSync(join(HOST, file), 'utf8');
const page = filesOf('docs/migrating.md');
const recipes = recipesOf('docs/migrating.md');
const key = '7'.repeat(64);
const pepper = [{ id: '2026', key: Buffer.from(key, 'hex') }];
const HEX = { alphabet: '0123456789abcdef', length: 10 };

interface AllauthRow {
  readonly user_id: number;
  readonly data: { readonly migrated_codes?: string[] };
  readonly printed: string[];
  readonly spent: string[];
}
const { rows } = JSON.parse(read('django-allauth.json')) as { rows: AllauthRow[] };

let dir: string;
const hosts: Host[] = [];

/** The files of the app for one format of old codes. */
function ownFiles(definition: FormatDefinition): Record<string, string> {
  const data = {
    usersFile: join(dir, 'users.json'),
    codesFile: join(dir, 'codes.db'),
    definition,
    key,
  };
  const lines = Object.entries(data).map(
    ([name, value]) => `export const ${name} = ${JSON.stringify(value)};`,
  );
  return {
    ...page,
    'data.js': lines.join('\n'),
    ...Object.fromEntries(
      ['app.js', 'yours.js', 'backup-codes.js'].map((file) => [file, read(file)]),
    ),
  };
}

async function app(secondFactor: string): Promise<Host> {
  const host = await start('migrations', {
    files: { ...ownFiles(HEX), 'second-factor.js': secondFactor },
    main: 'app.js',
  });
  hosts.push(host);
  return host;
}

/** Runs the command as npx does, in the folder of an app, with an export on its standard input. */
async function command(
  definition: FormatDefinition,
  lines: readonly string[],
  ...more: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = join(HOST, 'node_modules/.command');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const files: Record<string, string> = {
    ...ownFiles(definition),
    'package.json': '{ "type": "module" }',
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [CLI, 'adopt', '--config', './adopt.config.js', ...more],
      { cwd: folder },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
    child.stdin?.end(lines.join('\n'));
  });
}

/** Opens the same database as another process does. */
async function onTheDatabase<T>(
  definition: FormatDefinition,
  work: (backupCodes: BackupCodes) => Promise<T>,
): Promise<T> {
  const database = new Database(join(dir, 'codes.db'));
  database.exec('PRAGMA busy_timeout = 5000');
  const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
  const format = [formats.standard, defineFormat(definition)];
  try {
    return await work(
      new BackupCodes({
        store: new SqlStore({ database: kysely }),
        pepper,
        format,
        hasher: countingHasher('quick'),
        attempts: { free: 50 },
      }),
    );
  } finally {
    await kysely.destroy();
  }
}

const logIn = (visitor: Visitor, username: string): Promise<Answer> =>
  visitor.postForm('/login', { username, password: 'correct horse' });
const give = (visitor: Visitor, code: string): Promise<Answer> =>
  visitor.postForm('/verify-otp', { code });
/** Whether the password and this code log in from a new browser. */
async function opens(host: Host, username: string, code: string): Promise<boolean> {
  const visitor = host.visitor();
  await logIn(visitor, username);
  const { status } = await give(visitor, code);
  const { body } = await visitor.get('/');
  expect(body).toEqual({
    id: username,
    authFactors: status === 303 ? ['password', 'backup-code'] : [],
  });
  return status === 303;
}

async function end(): Promise<void> {
  for (const host of hosts.splice(0)) await host.stop();
  rmSync(dir, { recursive: true });
}

export function readableCodesTests(): void {
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'backup-codes-migrating-'))));
  afterEach(end);

  describe('passport-backup-codes, with its list on the user row', () => {
    const PRINTED = [
      '00f3a9c1d2',
      '8b7e6d5c4a',
      'a0b1c2d3e4',
      '1234567890',
      'ffffffffff',
      '0000000001',
    ];
    const users = (): { id: string; codes: string[] | null }[] =>
      JSON.parse(readFileSync(join(dir, 'users.json'), 'utf8')) as never;

    let left: string;
    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'backup-codes-migrating-'));
      writeFileSync(
        join(dir, 'users.json'),
        JSON.stringify([
          { id: 'ada', codes: PRINTED },
          { id: 'grace', codes: PRINTED.slice(0, 2) },
          { id: 'alan', codes: null },
        ]),
      );
      const old = await app(read('old-second-factor.js'));
      expect([await opens(old, 'ada', PRINTED[0]!), await opens(old, 'ada', PRINTED[0]!)]).toEqual([
        true,
        false,
      ]);
      left = readFileSync(join(dir, 'users.json'), 'utf8');
      await end();
    });
    beforeEach(() => {
      writeFileSync(join(dir, 'users.json'), left);
      expect(users()[0]).toEqual({ id: 'ada', codes: PRINTED.slice(1) });
    });

    it('After one route changed, each printed code still works once', async () => {
      const host = await app(page['second-factor.js']!);
      expect(await opens(host, 'ada', PRINTED[0]!)).toBe(false);
      for (const code of PRINTED.slice(1, 4))
        expect([
          await opens(host, 'ada', code.toUpperCase()),
          await opens(host, 'ada', code),
        ]).toEqual([true, false]);
      expect([
        await opens(host, 'grace', PRINTED[0]!),
        await opens(host, 'alan', PRINTED[0]!),
      ]).toEqual([true, false]);
      expect(users().map(({ codes }) => codes)).toEqual([null, null, null]);
    });

    it('A used code stays used after a restart, and a code in the URL is malformed', async () => {
      const before = await app(page['second-factor.js']!);
      const visitor = before.visitor();
      await logIn(visitor, 'ada');
      expect((await visitor.postForm(`/verify-otp?code=${PRINTED[1]!}`, {})).status).toBe(400);
      expect(await opens(before, 'ada', PRINTED[1]!)).toBe(true);
      await hosts.pop()!.stop();
      // As if the process had ended after it adopted the list and before it deleted the old one.
      writeFileSync(join(dir, 'users.json'), left);
      const after = await app(page['second-factor.js']!);
      expect([
        await opens(after, 'ada', PRINTED[1]!),
        await opens(after, 'ada', PRINTED[2]!),
      ]).toEqual([false, true]);
    });

    it('Of four concurrent requests that adopt a list, one is let in by its code', async () => {
      const host = await app(page['second-factor.js']!);
      const visitor = host.visitor();
      await logIn(visitor, 'ada');
      const answers = await atOnce(4, () => give(visitor.copy(), PRINTED[1]!));
      expect(answers.map(({ status }) => status).sort()).toEqual([303, 401, 401, 401]);
    });

    it('The command adopts the remaining users, and can run again', async () => {
      const lines = users().map(({ id, codes }) => JSON.stringify({ userId: id, codes }));
      const host = await app(page['second-factor.js']!);
      expect(await opens(host, 'ada', PRINTED[1]!)).toBe(true);
      expect(await command(HEX, lines, '--dry-run')).toEqual({
        code: 0,
        stdout: 'to adopt 1, kept 1, refused 0, without codes 1\n',
        stderr: '',
      });
      expect(await command(HEX, lines)).toEqual({
        code: 0,
        stdout: 'adopted 1, kept 1, refused 0, without codes 1\n',
        stderr: '',
      });
      const again = await command(HEX, [...lines, 'joan,nonsense']);
      expect(again).toMatchObject({
        code: 1,
        stdout:
          'adopted 0, kept 2, refused 1, without codes 1\n' +
          'line 4: Adopted code number 1 does not fit the given format. (docs/errors.md#invalid_codes)\n',
      });
      expect([
        await opens(host, 'ada', PRINTED[1]!),
        await opens(host, 'ada', PRINTED[2]!),
        await opens(host, 'grace', PRINTED[1]!),
      ]).toEqual([false, true, true]);
    });
  });

  describe('django-allauth', () => {
    async function exported(chosen: readonly AllauthRow[]): Promise<string[]> {
      const lines: string[] = [];
      await runRecipe(recipes.get('allauth')!, {
        rows: chosen,
        print: (line: string) => lines.push(line),
      });
      return lines;
    }

    it.each<[string, boolean, FormatDefinition]>([
      ['a seed', false, formats.numeric],
      [
        'codes of django-allauth-2fa',
        true,
        { alphabet: '0123456789abcdefghijklmnopqrstuvwxyz', length: 8 },
      ],
    ])(
      'Each printed and unused code of %s works once',
      async (_what, isMigrated, { alphabet, length, groupSize, separator }) => {
        const definition = {
          alphabet,
          length,
          ...(groupSize !== undefined && { groupSize, separator }),
        };
        const chosen = rows.filter(
          ({ data }) => (data.migrated_codes !== undefined) === isMigrated,
        );
        expect(await command(definition, await exported(chosen))).toMatchObject({
          code: 0,
          stdout: `adopted ${chosen.length}, kept 0, refused 0, without codes 0\n`,
        });
        await onTheDatabase(definition, async (backupCodes) => {
          for (const { user_id: userId, printed, spent } of chosen) {
            const unused = printed.filter((code) => !spent.includes(code));
            const accepted: string[] = [];
            for (const code of [...printed, ...printed])
              if ((await backupCodes.consume(userId, code)).ok) accepted.push(code);
            expect(accepted).toEqual(unused);
          }
        });
      },
    );
  });

  it('Codes in base 32 are read by a format of all letters and digits', async () => {
    expect(() => defineFormat({ alphabet: 'abcdefghijklmnopqrstuvwxyz234567', length: 8 })).toThrow(
      /look-alike/,
    );
    const printed = rows.flatMap(({ data }) => data.migrated_codes ?? []);
    expect(printed.some((code) => /[il]/.test(code))).toBe(true);
  });

  it('The format of the page is listed after the new one', async () => {
    const { backupCodes } = (await runRecipe(
      recipes.get('format')!,
      { store: new MemoryStore(), pepper },
      ['backupCodes'],
    )) as { backupCodes: BackupCodes };
    expect(backupCodes.formats).toEqual([formats.standard, defineFormat(HEX)]);
  });
}
