// A Kysely of the app: with plugins of its own, of another build, or in the middle of a
// transaction.
import { CamelCasePlugin, Kysely, ParseJSONResultsPlugin, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { BackupCodes } from '../../lib';
import { createTables, SqlApprovalStore, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import { WRONG } from '../helpers/service';

const opened: Kysely<unknown>[] = [];
const open = (): Kysely<unknown> => {
  const kysely = new Kysely<unknown>({
    dialect: new SqliteDialect({ database: new Database(':memory:') }),
  });
  opened.push(kysely);
  return kysely;
};
afterEach(async () => {
  for (const kysely of opened.splice(0)) await kysely.destroy();
});

it.each([
  ['CamelCasePlugin', new CamelCasePlugin()],
  ['ParseJSONResultsPlugin', new ParseJSONResultsPlugin()],
])(
  'SqlStore ignores the %s of a Kysely, which the app keeps for its own queries',
  async (_name, plugin) => {
    const kysely = open().withPlugin(plugin);
    await createTables({ database: kysely });
    const store = new SqlStore({ database: kysely });
    const backupCodes = new BackupCodes({ store, hasher: countingHasher() });
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
  },
);

it('SqlStore needs two methods of a Kysely, so that either build of Kysely works', async () => {
  const kysely = open();
  await createTables({ database: kysely });
  const store = new SqlStore({
    database: {
      getExecutor: () => kysely.getExecutor(),
      transaction: () => kysely.transaction(),
    },
  });
  const backupCodes = new BackupCodes({ store, hasher: countingHasher() });
  const { codes } = await backupCodes.issue('ada');
  expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
});

it('a store refuses a transaction, which ends before the store does', async () => {
  const kysely = open();
  await kysely.transaction().execute(async (database) => {
    expect(() => new SqlStore({ database })).toThrow(failure('invalid_option'));
    expect(() => new SqlApprovalStore({ database })).toThrow(failure('invalid_option'));
  });
});

it('createTables takes a transaction, as a migration of Kysely has one', async () => {
  const kysely = open();
  await kysely.transaction().execute((database) => createTables({ database }));
  const store = new SqlStore({ database: kysely });
  expect(await store.nameKey()).toHaveLength(32);
});
