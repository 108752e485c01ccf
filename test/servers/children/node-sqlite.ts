// The store contract on node:sqlite, and what its dialect does beside. node-sqlite.test.ts runs it
// with node:test on each version of Node that has node:sqlite.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Kysely, sql } from 'kysely';
import { BackupCodes } from '../../../lib';
import {
  createTables,
  nodeSqliteDialect,
  SqlApprovalStore,
  SqlStore,
  type NodeSqliteDatabase,
} from '../../../lib/sql';
import { storeContract } from '../../../lib/testing';
import { newRecord } from '../../helpers/approval-tests';
import { countingHasher } from '../../helpers/counting-hasher';
import { readSqlEvents } from '../../helpers/read-events';

interface Database extends NodeSqliteDatabase {
  exec(source: string): void;
}

type Options = Readonly<Record<string, unknown>>;

/** The types of Node 20 do not have it. */
function open(file: string, options: Options = {}): Database {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite' as 'node:fs') as unknown as {
    DatabaseSync: new (file: string, options: Options) => Database;
  };
  return new DatabaseSync(file, options);
}

const directory = mkdtempSync(join(tmpdir(), 'backup-codes-node-sqlite-'));
const file = open(join(directory, 'codes.db'));
file.exec('PRAGMA busy_timeout = 5000; PRAGMA synchronous = OFF');
const store = new SqlStore({ database: file, tables: 'create' });
const reader = open(join(directory, 'codes.db'));
const events = new Kysely<unknown>({ dialect: nodeSqliteDialect(reader) });

after(async () => {
  await events.destroy();
  file.close();
  rmSync(directory, { recursive: true });
});

storeContract(
  { describe, it },
  {
    connect: () => Promise.resolve({ store }),
    readEvents: (userId) => readSqlEvents(events, userId),
    rounds: 5,
  },
);

interface Tables {
  readonly pets: { readonly id: number; readonly name: string | null };
}

void describe('nodeSqliteDialect', () => {
  const openKysely = async (options?: Options): Promise<Kysely<Tables>> => {
    const kysely = new Kysely<Tables>({ dialect: nodeSqliteDialect(open(':memory:', options)) });
    await kysely.schema
      .createTable('pets')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('name', 'text')
      .execute();
    return kysely;
  };

  void it('counts the rows that a statement changed, and returns those that it asks for', async () => {
    const kysely = await openKysely();
    const pets = [{ name: 'Rex' }, { name: 'Tom' }];
    const inserted = await kysely
      .insertInto('pets')
      .values(pets as never)
      .executeTakeFirst();
    assert.deepEqual([inserted.insertId, inserted.numInsertedOrUpdatedRows], [2n, 2n]);
    const update = kysely.updateTable('pets').set({ name: 'Ada' });
    assert.equal((await update.executeTakeFirst()).numUpdatedRows, 2n);
    assert.equal((await update.where('id', '=', 9).executeTakeFirst()).numUpdatedRows, 0n);
    const returned = await update.where('id', '=', 2).returningAll().execute();
    assert.deepEqual(
      returned.map((row) => ({ ...row })),
      [{ id: 2, name: 'Ada' }],
    );
    const explained = await sql`EXPLAIN QUERY PLAN SELECT * FROM pets`.execute(kysely);
    assert.equal(explained.rows.length, 1);
    await kysely.destroy();
  });

  void it('returns the rows of a table that has changed since the statement was kept', async () => {
    const kysely = await openKysely();
    await kysely.insertInto('pets').values({ id: 1, name: 'Rex' }).execute();
    const select = kysely.selectFrom('pets').selectAll();
    assert.deepEqual({ ...(await select.executeTakeFirst()) }, { id: 1, name: 'Rex' });
    await kysely.schema.alterTable('pets').addColumn('age', 'integer').execute();
    assert.deepEqual({ ...(await select.executeTakeFirst()) }, { id: 1, name: 'Rex', age: null });
    await kysely.destroy();
  });

  void it('rolls a transaction back, and streams rows while it runs others', async () => {
    const kysely = await openKysely();
    await assert.rejects(
      kysely.transaction().execute(async (transaction) => {
        await transaction.insertInto('pets').values({ id: 1, name: 'Rex' }).execute();
        throw new Error('undone');
      }),
      /undone/,
    );
    await kysely
      .insertInto('pets')
      .values([
        { id: 2, name: 'Tom' },
        { id: 3, name: null },
      ])
      .execute();
    const select = kysely.selectFrom('pets').select('id').orderBy('id');
    const ids: number[] = [];
    for await (const { id } of select.stream()) ids.push(id);
    assert.deepEqual(ids, [2, 3]);
    await kysely.destroy();
  });

  void it('refuses an object as a value, which node:sqlite would store as NULL', async () => {
    const kysely = await openKysely();
    const name = new Date() as unknown as string;
    await assert.rejects(
      kysely
        .insertInto('pets')
        .values({ name } as never)
        .execute(),
      /bound/,
    );
    await kysely.destroy();
  });

  void it('closes the database when the Kysely is destroyed', async () => {
    const database = open(':memory:');
    const kysely = new Kysely<unknown>({ dialect: nodeSqliteDialect(database) });
    await sql`SELECT 1`.execute(kysely);
    await kysely.destroy();
    assert.throws(() => database.prepare('SELECT 1'), /not open/);
  });
});

void describe('stores on a database of node:sqlite', () => {
  void it('several stores on one database wait for the transactions of each other', async () => {
    const database = open(':memory:');
    await createTables({ database });
    const services = [0, 1, 2].map(
      () => new BackupCodes({ store: new SqlStore({ database }), hasher: countingHasher() }),
    );
    const { codes } = await services[0]!.issue('grace');
    const outcomes = await Promise.all(
      [...new Array(9).keys()].map((n) => services[n % 3]!.consume('grace', codes[0])),
    );
    assert.equal(outcomes.filter(({ ok }) => ok).length, 1);
    assert.equal(await new SqlApprovalStore({ database }).create(newRecord()), true);
    database.close();
  });

  void it('a database that returns arrays and bigints is used as any other', async () => {
    const database = open(':memory:', { returnArrays: true, readBigInts: true });
    const backupCodes = new BackupCodes({
      store: new SqlStore({ database, tables: 'create' }),
      hasher: countingHasher(),
    });
    const { codes } = await backupCodes.issue('ada');
    const outcome = await backupCodes.consume('ada', codes[0]);
    assert.deepEqual([outcome.ok, outcome.ok && outcome.remaining], [true, 9]);
    database.close();
  });
});
