// The audit trail, pruning, reminders, the report and races between changes of a set, over two
// pools of PostgreSQL and MariaDB.
import { type Kysely, sql } from 'kysely';
import { createTables, SqlStore } from '../../lib/sql';
import { accountTests } from '../helpers/account-tests';
import { lifecycleRaces } from '../helpers/lifecycle-races';
import { reportTests } from '../helpers/report-tests';
import { describeOn } from '../helpers/sql-databases';

const TABLES = ['backup_code_users', 'backup_codes', 'backup_code_events', 'backup_code_keys'];

for (const kind of ['PostgreSQL', 'MariaDB'] as const) {
  describeOn(kind, `reports on ${kind}`, (database) => {
    let pools: Kysely<unknown>[] = [];
    const open = async () => {
      for (const table of TABLES) await sql`DELETE FROM ${sql.table(table)}`.execute(pools[0]!);
      return {
        store: new SqlStore({ database: pools[0]! }),
        another: () => new SqlStore({ database: pools[1]! }),
      };
    };

    beforeAll(async () => {
      pools = [database().connect(), database().connect()];
      await createTables({ database: pools[0]! });
      // MariaDB withholds an event for two seconds. event-order.test.ts tests that, and these tests
      // do not wait.
      if (kind === 'MariaDB')
        await sql`
          ALTER TABLE backup_code_events
          ALTER written_at SET DEFAULT (UTC_TIMESTAMP(3) - INTERVAL 3 SECOND)`.execute(pools[0]!);
    });

    reportTests({ open });
    accountTests({
      open: async () => {
        const { store } = await open();
        const dump = async (): Promise<string> => {
          const rows = [];
          for (const table of TABLES) {
            rows.push((await sql`SELECT * FROM ${sql.table(table)}`.execute(pools[0]!)).rows);
          }
          return JSON.stringify(rows, (_name, value: unknown) =>
            typeof value === 'bigint' ? String(value) : value,
          );
        };
        return { store, dump };
      },
    });
    describe('over the life of a set', () => lifecycleRaces({ open }));
  });
}
