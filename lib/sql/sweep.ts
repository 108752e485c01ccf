// Removes counters of networks whose last attempt was long ago, a batch in each transaction.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database, Statement } from './database';

/** Rows that one transaction removes, so that no login waits long for it. */
export const REMOVED_AT_ONCE = 500;

/** The databases that are being swept by this process. */
const swept = new WeakSet<Database>();

/**
 * Removes them in the background: an attempt does not wait for it. Does nothing while an earlier
 * sweep runs. What cannot be removed now is removed by a later sweep.
 */
export function startSweep(database: Database, now: number): void {
  if (swept.has(database)) return;
  swept.add(database);
  sweep(database, now)
    .catch(() => undefined)
    .finally(() => swept.delete(database));
}

/** Removes them all. Other work gets its turn between two batches. */
export async function sweep(database: Database, now: number): Promise<void> {
  for (;;) {
    const { affected } = await database.transaction((run) => run(removeOldest(database, now)));
    if (affected < REMOVED_AT_ONCE) return;
    await nextTurn();
  }
}

function removeOldest({ dialect, tables }: Database, now: number): Statement {
  const { networks } = tables;
  const oldest = sql`
    WHERE forget_at <= ${now}
    ORDER BY forget_at
    LIMIT ${sql.lit(REMOVED_AT_ONCE)}`;
  if (dialect === 'mysql') return sql`DELETE FROM ${networks} ${oldest}`;
  // Checked again under the lock: another attempt may have been counted meanwhile.
  return sql`
    DELETE FROM ${networks} AS n
    WHERE (n.user_key, n.network) IN (SELECT user_key, network FROM ${networks} ${oldest})
      AND COALESCE(n.forget_at, 0) <= ${now}`;
}
