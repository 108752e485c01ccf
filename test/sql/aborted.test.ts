// Which errors of the drivers let a transaction run again, and how long it is repeated. Which ones
// leave open what a single statement did.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { BackupCodes } from '../../lib';
import { isAborted, isAnswerLost, isRetryable } from '../../lib/sql/aborted';
import { createTables, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';

/** As the drivers report them: the fields that they set, and the message. */
const ABORTED = [
  { driver: 'pg', code: '40001', message: 'could not serialize access due to concurrent update' },
  { driver: 'pg', code: '40P01', message: 'deadlock detected' },
  { driver: 'pg', code: '55P03', message: 'canceling statement due to lock timeout' },
  { driver: 'mysql2', code: 'ER_LOCK_DEADLOCK', errno: 1213, message: 'Deadlock found' },
  { driver: 'mysql2', code: 'ER_LOCK_WAIT_TIMEOUT', errno: 1205, message: 'Lock wait timeout' },
  { driver: 'mysql2', code: 'ER_CHECKREAD', errno: 1020, message: 'Record has changed' },
  { driver: 'mysql2', errno: 3101, message: 'Plugin instructed the server to rollback' },
  { driver: 'better-sqlite3', code: 'SQLITE_BUSY', message: 'database is locked' },
  { driver: 'better-sqlite3', code: 'SQLITE_BUSY_SNAPSHOT', message: 'database is locked' },
  { driver: 'better-sqlite3', code: 'SQLITE_LOCKED', message: 'database table is locked' },
  { driver: 'node:sqlite', code: 'ERR_SQLITE_ERROR', errcode: 5, message: 'database is locked' },
  { driver: 'node:sqlite', code: 'ERR_SQLITE_ERROR', errcode: 6, message: 'table is locked' },
  { driver: 'node:sqlite', code: 'ERR_SQLITE_ERROR', errcode: 517, message: 'snapshot' },
  { driver: 'a driver in WebAssembly', message: 'database is locked' },
];

const FINAL = [
  { driver: 'pg', code: '23505', message: 'duplicate key value' },
  { driver: 'pg', code: '40003', message: 'statement completion unknown' },
  { driver: 'mysql2', code: 'ER_DUP_ENTRY', errno: 1062, message: 'Duplicate entry' },
  { driver: 'mysql2', code: 'ER_UNKNOWN_COM_ERROR', errno: 1047, message: 'Unknown command' },
  { driver: 'mysql2', code: 'ER_ERROR_DURING_COMMIT', errno: 1180, message: 'Not connected' },
  { driver: 'better-sqlite3', code: 'SQLITE_FULL', message: 'database or disk is full' },
  { driver: 'node:sqlite', code: 'ERR_SQLITE_ERROR', errcode: 2067, message: 'UNIQUE failed' },
];

it.each(ABORTED)(
  'a transaction that $driver reports as undone with "$message" is run again',
  ({ message, ...fields }) => {
    expect(isAborted(Object.assign(new Error(message), fields))).toBe(true);
  },
);

it.each(FINAL)(
  'a transaction that fails on $driver with "$message" is not run again',
  ({ message, ...fields }) => {
    const error = Object.assign(new Error(message), fields);
    expect([isAborted(error), isRetryable(error)]).toEqual([false, false]);
  },
);

const UNCERTAIN = [
  { reporter: 'the driver', message: 'Connection terminated unexpectedly' },
  { reporter: 'the driver', code: 'ECONNRESET', message: 'read ECONNRESET' },
  { reporter: 'the driver', code: 'EPIPE', message: 'write EPIPE' },
  { reporter: 'PostgreSQL', severity: 'FATAL', code: '57P01', message: 'terminating connection' },
  { reporter: 'a pooler', severity: 'FATAL', code: '08P01', message: 'server conn crashed?' },
];

it.each(UNCERTAIN)(
  'after "$message" of $reporter a single statement may have done its work',
  ({ message, ...fields }) => {
    expect(isAnswerLost(Object.assign(new Error(message), fields))).toBe(true);
  },
);

it.each(['23505', '40001', '42501', '53100', '57014'])(
  'after an error %s of PostgreSQL a single statement has done nothing',
  (code) => {
    const error = Object.assign(new Error('refused'), { severity: 'ERROR', code });
    expect(isAnswerLost(error)).toBe(false);
  },
);

// Without WAL a reader lets no transaction commit. While another connection writes, libsql cannot be
// tested: it leaves a statement open that SQLite refused, and then no transaction commits.
describe('a SQLite file without a busy_timeout, while another connection reads', () => {
  let directory: string;
  const busy = { times: 0, then: (): void => undefined };
  let database: Database.Database;
  let other: Database.Database;
  let backupCodes: BackupCodes;

  beforeEach(async () => {
    jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    directory = mkdtempSync(join(tmpdir(), 'backup-codes-'));
    [database, other] = [1, 2].map(() => {
      const opened = new Database(join(directory, 'codes.db'));
      opened.exec('PRAGMA busy_timeout = 0');
      return opened;
    }) as [Database.Database, Database.Database];
    busy.times = 0;
    const kysely = new Kysely<unknown>({
      dialect: new SqliteDialect({ database }),
      log: ({ level }) => {
        if (level !== 'error') return;
        busy.times += 1;
        busy.then();
      },
    });
    await createTables({ database: kysely });
    backupCodes = new BackupCodes({
      store: new SqlStore({ database: kysely }),
      hasher: countingHasher(),
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
    database.close();
    other.close();
    rmSync(directory, { recursive: true });
  });

  const read = (): void => {
    other.exec('BEGIN');
    other.prepare('SELECT * FROM backup_code_users').all();
  };

  it('a login waits for the other one, and then succeeds', async () => {
    const { codes } = await backupCodes.issue('ada');
    read();
    busy.then = () => {
      if (busy.times === 8) other.exec('COMMIT');
    };
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    expect(busy.times).toBe(8);
  });

  it('a login that waits longer than two seconds fails with the error of SQLite', async () => {
    const { codes } = await backupCodes.issue('ada');
    read();
    busy.then = () => undefined;
    await expect(backupCodes.consume('ada', codes[0])).rejects.toMatchObject({
      code: expect.stringMatching(/^SQLITE_BUSY/) as string,
    });
    expect(busy.times).toBeGreaterThanOrEqual(5);
    other.exec('COMMIT');
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
  });
});
