// On PostgreSQL an event holds the id of its transaction, and pages end before transactions that
// may be open. The events of a dump that was loaded into a younger cluster hold ids that this
// cluster has not reached: they would be withheld, and would come after every new event. They are
// moved: they get the id of a transaction of this cluster, in the order that they have.
import { sql } from 'kysely';
import { warnOnce } from '../internal/warn-once';
import type { Database } from './database';

/** Events that one transaction moves. */
const MOVED_AT_ONCE = 5000;

/** No transaction of this cluster has such an id yet. An event that is visible is not of one. */
const IS_FUTURE = sql`tx >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint`;

/** One look at the index, unless there are such events. */
export async function moveForeignEvents(
  database: Database,
  namespace: string | null,
): Promise<void> {
  const { events } = database.tables;
  const isForeign = sql`namespace = ${namespace ?? ''} AND ${IS_FUTURE}`;
  for (;;) {
    const { rows } = await database.read(sql`
      SELECT seq
      FROM ${events}
      WHERE ${isForeign}
      ORDER BY tx, seq
      LIMIT ${sql.lit(MOVED_AT_ONCE)}`);
    if (rows.length === 0) return;
    await database.transaction((run) =>
      run(sql`
        UPDATE ${events}
        SET tx = DEFAULT
        WHERE seq IN (${sql.join(rows.map((row) => row['seq']))})
          AND ${isForeign}`),
    );
    warnOnce(
      'BACKUP_CODE_FOREIGN_EVENTS',
      'The audit trail had events with transaction ids that this PostgreSQL cluster has not ' +
        'reached: it was loaded from a dump of another cluster. They were moved to the end of the ' +
        'trail, in their order. Cursors from before the dump are refused with cursor_ahead.',
    );
  }
}
