// How PostgreSQL and MariaDB find the rows of a login.
import { Kysely, MysqlDialect, PostgresDialect, CompiledQuery } from 'kysely';
import type { Dialect, MysqlPool, PostgresPool } from 'kysely';
import { createTables } from '../../lib/sql';
import { queryPlanTests, recordIn } from '../helpers/query-plan-tests';
import { describeOn } from '../helpers/sql-databases';

const SERVERS = {
  PostgreSQL: {
    dialect: 'postgres',
    open: (pool: unknown): Dialect => new PostgresDialect({ pool: pool as PostgresPool }),
  },
  MariaDB: {
    dialect: 'mysql',
    open: (pool: unknown): Dialect => new MysqlDialect({ pool: pool as MysqlPool }),
  },
} as const;

for (const kind of ['PostgreSQL', 'MariaDB'] as const) {
  describeOn(kind, `the plans of a login on ${kind}`, (database) => {
    queryPlanTests(async () => {
      const statements: CompiledQuery[] = [];
      const { dialect, open } = SERVERS[kind];
      const kysely = new Kysely<unknown>({
        dialect: open(database().open()),
        log: recordIn(statements),
      });
      await createTables({ database: kysely });
      return {
        dialect,
        kysely,
        statements,
        explain: async (statement, parameters) =>
          (await kysely.executeQuery(CompiledQuery.raw(statement, [...parameters]))).rows,
      };
    });
  });
}
