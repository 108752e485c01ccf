// The command adopt as a process of its own on a database file: signals, a crash, and exit codes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { BackupCodes, defineFormat } from '../../lib';
import { SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';

const ROOT = join(__dirname, '../..');
const OLD = defineFormat({ alphabet: '0123456789abcdef', length: 10 });
/** More than are adopted at a time, so that some are not begun when the command stops. */
const USER_COUNT = 5 + availableParallelism();
const USERS = Array.from({ length: USER_COUNT }, (_, index) => `user-${index + 1}`);
const codeOf = (userId: string, n: number): string =>
  `${userId.slice('user-'.length)}${n}`.padStart(10, '0');

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'backup-codes-adopt-'))));
afterEach(() => rmSync(dir, { recursive: true }));

/**
 * The module of an app. The process gets SIGNAL while it adopts the user STOP_AT. All users wait for
 * a signal that it can handle, so that the test does not depend on when it arrives.
 */
const CONFIG = `
const { BackupCodes, defineFormat } = require(${JSON.stringify(join(ROOT, 'lib/index.ts'))});
const { SqlStore } = require(${JSON.stringify(join(ROOT, 'lib/sql/index.ts'))});
const { countingHasher } = require(${JSON.stringify(join(ROOT, 'test/helpers/counting-hasher.ts'))});
const Database = require(${JSON.stringify(join(ROOT, 'node_modules/libsql'))});
const { once } = require('node:events');

const format = defineFormat(${JSON.stringify({ alphabet: OLD.alphabet, length: OLD.length })});
const database = new Database('codes.db');
database.exec('PRAGMA busy_timeout = 5000');
const store = new SqlStore({ database, tables: 'create' });
const service = new BackupCodes({ store, format, hasher: countingHasher() });
const { SIGNAL, STOP_AT } = process.env;
let received;

async function adopt(userId, codes, options) {
  const adopting = service.adopt(userId, codes, options);
  if (userId === STOP_AT) {
    // A pending signal does not keep a process alive, and SQLite does not either.
    const alive = setInterval(() => undefined, 1000);
    received = SIGNAL === 'SIGKILL' ? undefined : once(process, SIGNAL);
    if (SIGNAL !== 'none') process.kill(process.pid, SIGNAL);
    else clearInterval(alive);
    await received;
    clearInterval(alive);
  }
  await received;
  return adopting;
}
const status = (userId) => service.status(userId);
module.exports = { format, backupCodes: { formats: service.formats, adopt, status } };
`;

interface ProgramResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

function adopt(
  exported: string,
  { args = [], env = {} }: { args?: readonly string[]; env?: Record<string, string> } = {},
): ProgramResult {
  writeFileSync(join(dir, 'config.cjs'), CONFIG);
  writeFileSync(join(dir, 'export.csv'), exported);
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--require',
      join(ROOT, 'test/helpers/run-typescript.js'),
      join(ROOT, 'lib/cli/main.ts'),
      ...['adopt', '--config', 'config.cjs', ...args, 'export.csv'],
    ],
    { cwd: dir, encoding: 'utf8', env: { ...process.env, ...env } },
  );
  return { status, signal, stdout, stderr };
}

/** Which codes still work, of all that the users ever had. Consumes them. */
async function workingCodes(): Promise<string[]> {
  const database = new Database(join(dir, 'codes.db'));
  database.exec('PRAGMA busy_timeout = 5000');
  const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
  const store = new SqlStore({ database: kysely });
  const service = new BackupCodes({ store, format: OLD, hasher: countingHasher() });
  const working: string[] = [];
  for (const userId of USERS) {
    for (const code of [codeOf(userId, 1), codeOf(userId, 2)])
      if ((await service.consume(userId, code)).ok) working.push(code);
  }
  await kysely.destroy();
  return working;
}

const ALL_CODES = USERS.flatMap((userId) => [codeOf(userId, 1), codeOf(userId, 2)]);
const EXPORT = [
  'User ID;Code 1;Code 2',
  ...USERS.map((userId) => `${userId};${codeOf(userId, 1)};${codeOf(userId, 2)}`),
].join('\r\n');

describe('the command adopt as a process', () => {
  it('adopts the spreadsheet of a country that separates by semicolons', async () => {
    expect(adopt(EXPORT)).toEqual({
      status: 0,
      signal: null,
      stdout: `adopted ${USER_COUNT}, kept 0, refused 0, without codes 0\n`,
      stderr: '',
    });
    expect(await workingCodes()).toEqual(ALL_CODES);
  });

  it('skips used codes, and exits with 1 if no code is left', async () => {
    const unused = codeOf('user-1', 2);
    const exported = [`{"userId":"user-1","codes":[null,"${unused}"]}`, 'user-2,,'];
    expect(adopt(exported.join('\n'))).toMatchObject({
      status: 0,
      stdout: 'adopted 1, kept 0, refused 0, without codes 1\n',
    });
    expect(adopt('user-2,,')).toMatchObject({
      status: 1,
      stdout: 'The export has no unused code (users: 1). Nothing was written.\n',
    });
    expect(await workingCodes()).toEqual([unused]);
  });

  it('refuses a line of several megabytes in one sentence', () => {
    const line = `user-1,${`${codeOf('user-1', 1)},`.repeat(500_000)}`;
    expect(adopt(`${line}\n${EXPORT}`)).toEqual({
      status: 1,
      signal: null,
      stdout:
        'line 1: expected a line for each user, of at most 65536 characters. ' +
        'Nothing was written.\n',
      stderr: '',
    });
  });

  it.each(['SIGINT', 'SIGTERM'])(
    'finishes the users that are begun on %s, says where it stopped, and continues on the next run',
    async (SIGNAL) => {
      const stopped = adopt(EXPORT, { env: { SIGNAL, STOP_AT: 'user-3' } });
      const adopted = Number(/^adopted (\d+),/.exec(stopped.stdout)?.[1]);
      expect(adopted).toBeGreaterThanOrEqual(3);
      expect(stopped).toEqual({
        status: 1,
        signal: null,
        stdout: [
          `adopted ${adopted}, kept 0, refused 0, without codes 0`,
          `stopped by ${SIGNAL} before line ${adopted + 2}.`,
          'Run the command again. It keeps the users that it has adopted.',
          '',
        ].join('\n'),
        stderr: '',
      });
      expect(adopt(EXPORT)).toMatchObject({
        status: 0,
        stdout: `adopted ${USER_COUNT - adopted}, kept ${adopted}, refused 0, without codes 0\n`,
      });
      expect(await workingCodes()).toEqual(ALL_CODES);
    },
  );

  it('fails if the module of the app never answers, instead of ending as if it was done', () => {
    const result = adopt(EXPORT, { env: { SIGNAL: 'none', STOP_AT: 'user-3' } });
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toMatch(
      /^The command did not finish: a promise .* was never settled\.\n$/,
    );
  });

  it.each(['user-1', 'user-4'])(
    'can be killed while it adopts %s, and the next run completes the work',
    async (STOP_AT) => {
      const killed = adopt(EXPORT, { env: { SIGNAL: 'SIGKILL', STOP_AT } });
      expect(killed.signal).toBe('SIGKILL');
      expect(adopt(EXPORT)).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/^adopted \d+, kept \d+, refused 0, without codes 0\n$/),
      });
      expect(await workingCodes()).toEqual(ALL_CODES);
    },
  );
});
