// SqlStore on real servers with the strictest isolation, and on the pool of an app with a schema and
// a prefix. The settings that servers have by default are in sql-contract.test.ts.
import { type Kysely, sql } from 'kysely';
import { SqlApprovalStore, SqlStore, type SqlDatabase, type SqlStoreOptions } from '../../lib/sql';
import { storeContract } from '../../lib/testing';
import { newRecord } from '../helpers/approval-tests';
import { readSqlEvents } from '../helpers/read-events';
import { expectSameAsMemory } from '../helpers/same-as-memory';
import { sqlContractOn } from '../helpers/sql-contract-tests';
import { describeOn } from '../helpers/sql-databases';

sqlContractOn({ kind: 'PostgreSQL', isolation: 'SERIALIZABLE', rounds: 5 });
sqlContractOn({ kind: 'MariaDB', isolation: 'SERIALIZABLE', rounds: 5 });

for (const { kind, createSchema } of [
  { kind: 'PostgreSQL', createSchema: sql`CREATE SCHEMA "Auth"` },
  { kind: 'MariaDB', createSchema: sql`CREATE DATABASE Auth` },
] as const) {
  describeOn(kind, `SqlStore on the pool of ${kind}, with a schema and a prefix`, (database) => {
    let kysely: Kysely<unknown>;
    let pools: SqlDatabase[] = [];
    let next = 0;

    beforeAll(async () => {
      const { connect, open } = database();
      kysely = connect();
      pools = [open(), open(), open(), open()];
      await createSchema.execute(kysely);
      // As when four processes start at once on an empty schema.
      await Promise.all(pools.map((pool) => new SqlStore(optionsOf(pool)).nameKey()));
    });
    const optionsOf = (pool: SqlDatabase): SqlStoreOptions => ({
      database: pool,
      schema: 'Auth',
      tablePrefix: 'v2_',
      tables: 'create',
    });
    const openStore = (): SqlStore => new SqlStore(optionsOf(pools[next++ % pools.length]!));
    const readEvents = (userId: string): ReturnType<typeof readSqlEvents> =>
      readSqlEvents(kysely, userId, 'Auth.v2_backup_code_events');

    storeContract(
      { describe, it },
      { connect: () => Promise.resolve({ store: openStore() }), readEvents, rounds: 5 },
    );

    it('SqlStore returns and records what MemoryStore does, for any sequence of calls', () =>
      expectSameAsMemory(openStore(), readEvents, 30));

    it('a store of approvals uses the same schema and prefix', async () => {
      const record = newRecord();
      const store = new SqlApprovalStore(optionsOf(pools[0]!));
      expect(await store.create(record)).toBe(true);
      const approved = { ...record, state: 'approved' } as const;
      expect(await store.update(record.id, () => approved)).toEqual({
        record: approved,
        isChanged: true,
      });
    });

    it('all tables are in the schema, with the prefix', async () => {
      const { rows } = await sql<{ readonly place: string }>`
        SELECT CONCAT(table_schema, '.', table_name) AS place
        FROM information_schema.tables
        WHERE table_name LIKE '%backup_code%'`.execute(kysely);
      expect(rows.map(({ place }) => place).sort()).toEqual([
        'Auth.v2_backup_code_approvals',
        'Auth.v2_backup_code_events',
        'Auth.v2_backup_code_keys',
        'Auth.v2_backup_code_networks',
        'Auth.v2_backup_code_users',
        'Auth.v2_backup_codes',
      ]);
    });
  });
}
