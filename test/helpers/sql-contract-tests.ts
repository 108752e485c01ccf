// The contract of a store on a real SQL server, over four pools as four processes have them.
import type { Kysely } from 'kysely';
import { createTables, SqlStore } from '../../lib/sql';
import { storeContract } from '../../lib/testing';
import { readSqlEvents } from './read-events';
import { expectSameAsMemory } from './same-as-memory';
import { describeOn } from './sql-databases';

export interface SqlContractServer {
  readonly kind: 'PostgreSQL' | 'MariaDB';
  readonly isolation: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';
  /** How often each race is run. */
  readonly rounds: number;
}

/** Declares the tests. */
export function sqlContractOn({ kind, isolation, rounds }: SqlContractServer): void {
  describeOn(
    kind,
    `SqlStore on ${kind}, whose default is ${isolation}`,
    (database) => {
      let kyselys: Kysely<unknown>[] = [];
      let next = 0;

      beforeAll(async () => {
        const { connect } = database();
        kyselys = [connect(), connect(), connect(), connect()];
        // As when four processes start at once on an empty database.
        await Promise.all(kyselys.map((kysely) => createTables({ database: kysely })));
      });
      const openStore = (): SqlStore =>
        new SqlStore({ database: kyselys[next++ % kyselys.length]! });
      const readEvents = (userId: string): ReturnType<typeof readSqlEvents> =>
        readSqlEvents(kyselys[0]!, userId);

      storeContract(
        { describe, it },
        { connect: () => Promise.resolve({ store: openStore() }), readEvents, rounds },
      );

      it('SqlStore returns and records what MemoryStore does, for any sequence of calls', () =>
        expectSameAsMemory(openStore(), readEvents));
    },
    { isolation },
  );
}
