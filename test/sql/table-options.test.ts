// The options schema, tablePrefix and tables of the stores.
import Database from 'libsql';
import { createPool } from 'mysql2';
import { Pool } from 'pg';
import { BackupCodes } from '../../lib';
import { createTables, schemaSql, SqlApprovalStore, SqlStore } from '../../lib/sql';
import { userSubject } from '../../lib/stores/subject';
import { newRecord } from '../helpers/approval-tests';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';

/** Connects to nothing until a query. */
const pool = new Pool({ connectionString: 'postgres://127.0.0.1:1/none' });
const mysqlPool = createPool({ uri: 'mysql://127.0.0.1:1/none' });
const opened: Database.Database[] = [];
const open = (): Database.Database => {
  const database = new Database(':memory:');
  opened.push(database);
  return database;
};
afterEach(() => {
  for (const database of opened.splice(0)) database.close();
});
afterAll(async () => {
  await pool.end();
  await mysqlPool.promise().end();
});

function tablesOf(database: Database.Database): unknown[] {
  return database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%backup_code%'")
    .all()
    .map((row) => (row as { readonly name: string }).name);
}

const REFUSED_PREFIXES = ['Auth_', '1auth', 'a-b', 'a b', 'a"b', "a'b", 'a.b', 'ä', 7, null];
const REFUSED_SCHEMAS = ['', '1auth', 'a-b', 'a b', 'a"b', 'a`b', 'a.b', 'ä', 7, null];

describe('tablePrefix', () => {
  it('stores with different prefixes share a database and see nothing of each other', async () => {
    const database = open();
    const [bank, shop] = ['bank_', 'shop_'].map((tablePrefix) => {
      const store = new SqlStore({ database, tablePrefix, tables: 'create' });
      return new BackupCodes({ store, hasher: countingHasher() });
    });
    const { codes } = await bank!.issue('ada');
    await shop!.issue('ada');
    expect(await shop!.consume('ada', codes[0])).toEqual({ ok: false, reason: 'mismatch' });
    expect(await bank!.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    expect((await bank!.audit.events()).events).toHaveLength(2);
    expect((await shop!.audit.report()).remainingCodes).toBe(10);
  });

  it('a prefix may have 20 characters, and no more', () => {
    const longest = `a${'_'.repeat(19)}`;
    expect(() => new SqlStore({ database: pool, tablePrefix: longest })).not.toThrow();
    expect(() => new SqlStore({ database: pool, tablePrefix: `${longest}b` })).toThrow(
      failure('invalid_option'),
    );
  });

  it.each(REFUSED_PREFIXES)('the prefix %j is refused everywhere', async (prefix) => {
    const tablePrefix = prefix as string;
    const database = pool;
    expect(() => new SqlStore({ database, tablePrefix })).toThrow(failure('invalid_option'));
    expect(() => new SqlApprovalStore({ database, tablePrefix })).toThrow(
      failure('invalid_option'),
    );
    expect(() => schemaSql('sqlite', { tablePrefix })).toThrow(failure('invalid_option'));
    await expect(createTables({ database, tablePrefix })).rejects.toThrow(
      failure('invalid_option'),
    );
  });
});

describe('schema', () => {
  it('a schema may have 63 characters, and no more', () => {
    const longest = 'A'.repeat(63);
    for (const database of [pool, mysqlPool]) {
      expect(() => new SqlStore({ database, schema: longest })).not.toThrow();
      expect(() => new SqlStore({ database, schema: `${longest}A` })).toThrow(
        failure('invalid_option'),
      );
    }
  });

  it.each(REFUSED_SCHEMAS)('the schema %j is refused everywhere', async (given) => {
    const schema = given as string;
    const database = pool;
    expect(() => new SqlStore({ database, schema })).toThrow(failure('invalid_option'));
    expect(() => new SqlApprovalStore({ database, schema })).toThrow(failure('invalid_option'));
    expect(() => schemaSql('postgres', { schema })).toThrow(failure('invalid_option'));
    await expect(createTables({ database, schema })).rejects.toThrow(failure('invalid_option'));
  });

  it('a schema is refused for SQLite, which has no schemas', () => {
    for (const call of [
      () => new SqlStore({ database: open(), schema: 'auth' }),
      () => schemaSql('sqlite', { schema: 'auth' }),
    ]) {
      expect(call).toThrow(failure('invalid_option'));
      expect(call).toThrow('SQLite has no schemas: leave schema out.');
    }
  });
});

describe("tables: 'create'", () => {
  it('the tables are made at the first use of a store, and not before', async () => {
    const database = open();
    const store = new SqlStore({ database, tables: 'create' });
    expect(tablesOf(database)).toEqual([]);
    await Promise.all([store.nameKey(), store.nameKey()]);
    expect(tablesOf(database)).toHaveLength(6);
  });

  it.each([
    ['reads', (store: SqlStore) => store.find(userSubject('ada'))],
    ['writes', (store: SqlStore) => store.append([])],
    [
      'reads the audit trail',
      (store: SqlStore) =>
        store.readEvents({
          namespace: null,
          subject: null,
          types: null,
          order: 'oldest-first',
          after: null,
          limit: 1,
        }),
    ],
  ])('the first use may be a call that %s', async (_what, call) => {
    const database = open();
    await call(new SqlStore({ database, tables: 'create' }));
    expect(tablesOf(database)).toHaveLength(6);
  });

  it('a store of approvals makes the tables too', async () => {
    const database = open();
    const store = new SqlApprovalStore({ database, tables: 'create', tablePrefix: 'two_' });
    expect(await store.create(newRecord())).toBe(true);
    expect(tablesOf(database)).toContain('two_backup_code_approvals');
  });

  it('a store makes the tables once', async () => {
    const database = open();
    const store = new SqlStore({ database, tables: 'create' });
    await store.nameKey();
    const prepare = jest.spyOn(database, 'prepare');
    await store.nameKey();
    expect(prepare.mock.calls.filter(([statement]) => statement.includes('CREATE'))).toEqual([]);
  });

  it('if making the tables fails, the call fails, and the next call tries again', async () => {
    const database = open();
    const store = new SqlStore({ database, tables: 'create' });
    const prepare = jest.spyOn(database, 'prepare').mockImplementation(() => {
      throw new Error('the disk is full');
    });
    await expect(store.nameKey()).rejects.toThrow('the disk is full');
    prepare.mockRestore();
    expect(await store.nameKey()).toHaveLength(32);
  });

  it('without the option tables, no tables are made', async () => {
    const database = open();
    await expect(new SqlStore({ database }).nameKey()).rejects.toThrow('no such table');
    expect(tablesOf(database)).toEqual([]);
  });

  it.each(['drop', true, null])('the option tables refuses %j', (tables) => {
    const options = { database: pool, tables: tables as 'create' };
    expect(() => new SqlStore(options)).toThrow(failure('invalid_option'));
    expect(() => new SqlApprovalStore(options)).toThrow(failure('invalid_option'));
  });
});

it('createTables may be called again, and by several callers at once', async () => {
  const database = open();
  const options = { database, tablePrefix: 'auth_' };
  await Promise.all([createTables(options), createTables(options), createTables(options)]);
  await createTables(options);
  expect(tablesOf(database)).toHaveLength(6);
});

it('a store refuses unknown options', async () => {
  const options = { database: pool, prefix: 'auth_' };
  expect(() => new SqlStore(options)).toThrow(failure('invalid_option'));
  expect(() => new SqlApprovalStore(options)).toThrow(failure('invalid_option'));
  await expect(createTables({ database: pool, tables: 'create' } as never)).rejects.toThrow(
    failure('invalid_option'),
  );
});
