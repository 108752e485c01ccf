// The Kysely that an app has: with plugins of its own, on a SQLite that gives up at once, or in the middle of a transaction.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CamelCasePlugin, Kysely, ParseJSONResultsPlugin, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { BackupCodes } from '../../lib';
import * as entry from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import { WRONG } from '../helpers/service';

const { createTables, SqlApprovalStore, SqlStore } = entry;
const opened: Kysely<unknown>[] = [];
const open = ({ file = ':memory:', timeout = 5000 } = {}): Kysely<unknown> => {
  const database = new Database(file);
  database.exec(`PRAGMA busy_timeout = ${timeout}`);
  const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
  opened.push(kysely);
  return kysely;
};
afterEach(async () => {
  for (const kysely of opened.splice(0)) await kysely.destroy();
});

it.each([
  ['CamelCasePlugin', new CamelCasePlugin()],
  ['ParseJSONResultsPlugin', new ParseJSONResultsPlugin()],
])('an app with %s keeps it for its own queries', async (_name, plugin) => {
  const kysely = open().withPlugin(plugin);
  await createTables(kysely);
  const backupCodes = new BackupCodes({ store: new SqlStore(kysely), hasher: countingHasher() });
  const { codes, setId } = await backupCodes.issue('ada');
  expect(await backupCodes.consume('ada', WRONG)).toEqual({ ok: false, reason: 'mismatch' });
  expect(await backupCodes.consume('ada', codes[0])).toMatchObject({
    ok: true,
    remaining: 9,
    setId,
  });
  expect(await backupCodes.status('ada')).toMatchObject({ remaining: 9, setId });
  expect((await backupCodes.audit.report()).users).toBe(1);
  expect(await backupCodes.revoke('ada')).toBe(true);
  expect((await backupCodes.audit.events({ types: ['revoked'] })).events).toMatchObject([
    { userId: 'ada', setId },
  ]);
});

it('of a Kysely two methods are asked, so that its other build will do', async () => {
  const kysely = open();
  await createTables(kysely);
  const backupCodes = new BackupCodes({
    store: new SqlStore({
      getExecutor: () => kysely.getExecutor(),
      transaction: () => kysely.transaction(),
    }),
    hasher: countingHasher(),
  });
  const { codes } = await backupCodes.issue('ada');
  expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
});

it('a transaction is refused at once: it ends before the store does', async () => {
  const kysely = open();
  await kysely.transaction().execute((transaction) => {
    for (const make of [
      (): unknown => new SqlStore(transaction),
      (): unknown => new SqlApprovalStore(transaction),
    ])
      expect(make).toThrow(failure('invalid_option'));
    return Promise.resolve();
  });
});

it.each([
  ['none', 0, 1],
  ['one of a second', 1000, 1],
  ['one of five seconds', 5000, 0],
])(
  'a SQLite file with a busy_timeout of %s is warned of once, or not at all',
  async (_what, timeout, times) => {
    const directory = mkdtempSync(join(tmpdir(), 'backup-codes-'));
    expect(await warnings(open({ file: join(directory, 'codes.db'), timeout }))).toEqual(
      new Array(times).fill([
        expect.stringContaining(`busy_timeout of ${timeout} ms`),
        { code: 'BACKUP_CODE_SQLITE_TIMEOUT' },
      ]),
    );
    rmSync(directory, { recursive: true });
  },
);

it('a SQLite in memory, which no other process has, is warned of nothing', async () => {
  expect(await warnings(open({ timeout: 0 }))).toEqual([]);
});

/** Of two stores on it. */
async function warnings(kysely: Kysely<unknown>): Promise<unknown[]> {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  try {
    // Told once in a process: here each case is one.
    await jest.isolateModulesAsync(async () => {
      const fresh = jest.requireActual<typeof entry>('../../lib/sql');
      await fresh.createTables(kysely);
      for (const store of [new fresh.SqlStore(kysely), new fresh.SqlStore(kysely)])
        await store.nameKey();
    });
    return [...warn.mock.calls];
  } finally {
    warn.mockRestore();
  }
}
