// What a store takes as its database, and what it says about anything else. The libraries that are
// not installed here are run by test/servers/hosts.test.ts.
import {
  DummyDriver,
  Kysely,
  MssqlAdapter,
  MssqlIntrospector,
  MssqlQueryCompiler,
  type Dialect,
} from 'kysely';
import Database from 'libsql';
import { createPool, createPoolCluster } from 'mysql2';
import { createPool as createPromisePool } from 'mysql2/promise';
import { Client, Pool } from 'pg';
import { BackupCodes } from '../../lib';
import { createTables, nodeSqliteDialect, SqlApprovalStore, SqlStore } from '../../lib/sql';
import { newRecord } from '../helpers/approval-tests';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import { atOnce } from '../helpers/service';

const POSTGRES_URL = 'postgres://ada:secret@127.0.0.1:1/none';
const MYSQL_URL = 'mysql://ada:secret@127.0.0.1:1/none';
const SQL_SERVER: Dialect = {
  createAdapter: () => new MssqlAdapter(),
  createDriver: () => new DummyDriver(),
  createIntrospector: (kysely) => new MssqlIntrospector(kysely),
  createQueryCompiler: () => new MssqlQueryCompiler(),
};
const nothing = (): undefined => undefined;

describe('a database of libsql', () => {
  const database = new Database(':memory:');
  afterAll(() => database.close());

  it('a database of libsql is used unchanged by the tables and by both stores', async () => {
    await createTables({ database });
    const store = new SqlStore({ database });
    const backupCodes = new BackupCodes({ store, hasher: countingHasher() });
    const { codes } = await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    expect(await new SqlApprovalStore({ database }).create(newRecord())).toBe(true);
  });

  it("several stores on one database of libsql wait for each other's transactions", async () => {
    const services = [0, 1, 2].map(
      () => new BackupCodes({ store: new SqlStore({ database }), hasher: countingHasher() }),
    );
    const { codes } = await services[0]!.issue('grace');
    const outcomes = await atOnce(9, (n) => services[n % 3]!.consume('grace', codes[0]));
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await services[0]!.status('grace')).toMatchObject({ remaining: 9 });
  });

  it('a database of libsql does not belong to the store, which never closes it', async () => {
    await new SqlStore({ database }).nameKey();
    expect(database.prepare('SELECT 1 AS one').get()).toMatchObject({ one: 1 });
  });
});

it.each([
  ['a Pool of pg', () => new Pool({ connectionString: POSTGRES_URL })],
  ['a pool of mysql2', () => createPool(MYSQL_URL)],
  ['a pool of mysql2/promise', () => createPromisePool(MYSQL_URL)],
])('a store takes %s, and connects only when it is called', async (_name, open) => {
  const database = open();
  const store = new SqlStore({ database });
  expect(() => new SqlApprovalStore({ database })).not.toThrow();
  await expect(store.nameKey()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await (database as { end(): unknown }).end();
});

it('a store takes a database of node:sqlite, and does not query it', () => {
  // Node 20 has none. test/servers/node-sqlite.test.ts runs the real one.
  const database = { prepare: jest.fn(), createSession: jest.fn(), close: jest.fn() };
  expect(() => new SqlStore({ database })).not.toThrow();
  expect(() => new SqlApprovalStore({ database })).not.toThrow();
  expect(() => nodeSqliteDialect(database)).not.toThrow();
  expect(database.prepare).not.toHaveBeenCalled();
});

it.each([
  ['no database', undefined],
  ['a file name', 'app.db'],
  ['a database of libsql', new Database(':memory:')],
])('nodeSqliteDialect refuses %s', (_name, given) => {
  const call = (): unknown => nodeSqliteDialect(given as never);
  expect(call).toThrow(failure('invalid_option'));
  expect(call).toThrow(/takes a DatabaseSync of node:sqlite/);
});

describe('databases that a store refuses', () => {
  const client = { query: nothing, execute: nothing, transaction: nothing };
  it.each<[what: string, given: unknown, message: RegExp]>([
    ['no database', undefined, /was not given\. Pass the pool of your app/],
    ['null', null, /but was null\./],
    ['a number', 7, /but was a number\./],
    ['a connection string', POSTGRES_URL, /was a connection string\. Make a pool of it/],
    ['a URL', new URL(POSTGRES_URL), /was a connection string\. Make a pool of it/],
    ['an empty object', {}, /but was a plain object\./],
    ['an object of another class', new Map(), /but was an object of the class Map\./],
    ['a Client of pg', new Client(POSTGRES_URL), /was a Client of pg\..* Pass a Pool\./],
    ['a pool cluster of mysql2', createPoolCluster(), /of the class PoolCluster\./],
    [
      'a connection of mysql2',
      { ...client, beginTransaction: nothing },
      /was a connection of mysql2\..* Pass a pool\./,
    ],
    [
      'a database of node:sqlite before Node 22.13',
      new (class DatabaseSync {
        prepare = nothing;
      })(),
      /was a database of an early node:sqlite\. Use Node 22\.13 or later\./,
    ],
    [
      'a Knex',
      Object.assign(() => undefined, { raw: nothing, transaction: nothing }),
      /was a Knex\. .* Pass a Kysely on it/,
    ],
    [
      'a Drizzle database',
      { _: {}, select: nothing, insert: nothing, transaction: nothing, $client: {} },
      /was a Drizzle database\. Pass its driver: \{ database: db\.\$client \}\./,
    ],
    [
      'a Sequelize',
      { ...client, authenticate: nothing, getDialect: nothing, define: nothing },
      /was a Sequelize\. .* Make a pool of pg or mysql2 beside it/,
    ],
    [
      'a Prisma client',
      { $connect: nothing, $transaction: nothing },
      /was a Prisma client\. Make the pool yourself/,
    ],
    [
      'a TypeORM DataSource',
      { ...client, createQueryRunner: nothing, getRepository: nothing },
      /was a TypeORM DataSource\. Pass its pool: dataSource\.driver\.master/,
    ],
    ['a Kysely for SQL Server', new Kysely<unknown>({ dialect: SQL_SERVER }), /not for SQL Server/],
    ['half a Kysely', { getExecutor: nothing, transaction: nothing }, /Kysely that can run/],
  ])('a store refuses %s, and says what to pass instead', async (_what, given, message) => {
    const options = { database: given as Pool };
    for (const call of [() => new SqlStore(options), () => new SqlApprovalStore(options)]) {
      expect(call).toThrow(failure('invalid_option'));
      expect(call).toThrow(message);
      expect(call).not.toThrow(/secret/);
    }
    await expect(createTables(options)).rejects.toThrow(message);
  });

  it.each([
    ['a Pool of pg', new Pool({ connectionString: POSTGRES_URL })],
    ['a database of libsql', new Database(':memory:')],
    ['a database of node:sqlite', { prepare: nothing, createSession: nothing, close: nothing }],
  ])(
    'a store refuses %s outside an options object, and says how to pass it',
    async (_what, given) => {
      const options = given as never;
      expect(() => new SqlStore(options)).toThrow('write new SqlStore({ database })');
      expect(() => new SqlApprovalStore(options)).toThrow(
        'write new SqlApprovalStore({ database })',
      );
      await expect(createTables(options)).rejects.toThrow('write createTables({ database })');
    },
  );
});
