// Removes old events, and what is left of sets that ended long ago.
import { sql } from 'kysely';
import type { PruneRequest } from '../stores/audit-contract';
import type { Database, Statement } from './database';

/** Rows that one transaction removes, so that no login waits long for it. */
const REMOVED_AT_ONCE = 500;

/** @returns how many events were removed */
export async function prune(database: Database, { before }: PruneRequest): Promise<number> {
  const { events, codes } = database.tables;
  const removed = await removeOld(database, { table: events, key: 'seq', time: 'at', before });
  await removeOld(database, { table: codes, key: 'code_id', time: 'ended_at', before });
  return removed;
}

interface OldRows {
  readonly table: Statement;
  /** The columns of the primary key and of the time. */
  readonly key: string;
  readonly time: string;
  readonly before: number;
}

async function removeOld(
  database: Database,
  { table, key, time, before }: OldRows,
): Promise<number> {
  const keyColumn = sql.ref(key);
  const timeColumn = sql.ref(time);
  let removed = 0;
  for (;;) {
    const { rows } = await database.read(sql`
      SELECT ${keyColumn}
      FROM ${table}
      WHERE ${timeColumn} < ${before}
      ORDER BY ${timeColumn}
      LIMIT ${sql.lit(REMOVED_AT_ONCE)}`);
    if (rows.length === 0) return removed;
    const { affected } = await database.transaction((run) =>
      run(sql`
        DELETE FROM ${table}
        WHERE ${keyColumn} IN (${sql.join(rows.map((row) => row[key]))})`),
    );
    removed += affected;
  }
}
