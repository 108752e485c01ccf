// SqlStore on real servers, each over four pools as four processes would have them, at every default isolation level.
import type { Kysely } from 'kysely';
import { createTables, SqlStore } from '../../lib/sql';
import { storeContract } from '../../lib/testing';
import { readSqlEvents } from '../helpers/read-events';
import { expectSameAsMemory } from '../helpers/same-as-memory';
import { describeOn } from '../helpers/sql-databases';

const SERVERS = [
  { kind: 'PostgreSQL', isolation: 'READ COMMITTED', rounds: 20 },
  { kind: 'PostgreSQL', isolation: 'SERIALIZABLE', rounds: 5 },
  { kind: 'MariaDB', isolation: 'REPEATABLE READ', rounds: 20 },
  { kind: 'MariaDB', isolation: 'SERIALIZABLE', rounds: 5 },
] as const;

for (const { kind, isolation, rounds } of SERVERS) {
  describeOn(
    kind,
    `SqlStore on ${kind}, whose default is ${isolation}`,
    (database) => {
      let pools: Kysely<unknown>[] = [];
      let next = 0;

      beforeAll(async () => {
        const { connect } = database();
        pools = [connect(), connect(), connect(), connect()];
        // As when four processes start at once on an empty database.
        await Promise.all(pools.map((pool) => createTables(pool)));
      });

      storeContract(
        { describe, it },
        {
          connect: () => Promise.resolve({ store: new SqlStore(pools[next++ % pools.length]!) }),
          readEvents: (userId) => readSqlEvents(pools[0]!, userId),
          rounds,
        },
      );

      it('does what MemoryStore does, whatever the calls', () =>
        expectSameAsMemory(new SqlStore(pools[0]!), (userId) => readSqlEvents(pools[0]!, userId)));
    },
    { isolation },
  );
}
