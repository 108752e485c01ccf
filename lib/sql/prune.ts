// Removes old events, what is left of sets that ended long ago, and users who have had no set
// since.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import type { PruneRequest } from '../stores/audit-contract';
import type { Database, Statement } from './database';
import { REMOVED_AT_ONCE, sweep } from './sweep';

/** @returns how many events were removed */
export async function prune(database: Database, request: PruneRequest): Promise<number> {
  const { users, events, codes } = database.tables;
  const { before, usersWithoutSet } = request;
  const namespace = sql`namespace = ${request.namespace ?? ''}`;
  const removed = await removeOld(database, {
    table: events,
    key: 'seq',
    time: 'at',
    before,
    isIncluded: namespace,
  });
  await removeOld(database, {
    table: codes,
    key: 'code_id',
    time: 'ended_at',
    before,
    isIncluded: sql`user_key IN (SELECT user_key FROM ${users} WHERE ${namespace})`,
  });
  await sweep(database, before);
  if (usersWithoutSet) {
    await removeUsers(database, sql`${namespace} AND ${hasHadNoSet(request)}`);
  }
  return removed;
}

interface OldRows {
  readonly table: Statement;
  /** The columns of the primary key and of the time. */
  readonly key: string;
  readonly time: string;
  readonly before: number;
  readonly isIncluded: Statement;
}

async function removeOld(
  database: Database,
  { table, key, time, before, isIncluded }: OldRows,
): Promise<number> {
  const keyColumn = sql.ref(key);
  const timeColumn = sql.ref(time);
  let removed = 0;
  for (;;) {
    const { rows } = await database.read(sql`
      SELECT ${keyColumn}
      FROM ${table}
      WHERE ${timeColumn} < ${before}
        AND ${isIncluded}
      ORDER BY ${timeColumn}
      LIMIT ${sql.lit(REMOVED_AT_ONCE)}`);
    if (rows.length === 0) return removed;
    const { affected } = await database.transaction((run) =>
      run(sql`
        DELETE FROM ${table}
        WHERE ${keyColumn} IN (${sql.join(rows.map((row) => row[key]))})`),
    );
    removed += affected;
    await nextTurn();
  }
}

/** There was no set since `before`, and the second factor is not locked and has no wait. */
function hasHadNoSet({ before, lockAfter }: PruneRequest): Statement {
  return sql`(set_id IS NULL OR revoked_at < ${before})
      AND (staged_until IS NULL OR staged_until < ${before})
      AND second_factor_attempts < ${lockAfter}
      AND second_factor_locked_at IS NULL
      AND second_factor_next_at < ${before}`;
}

/** In the order of the keys, so that no row is read twice. */
async function removeUsers(database: Database, isRemovable: Statement): Promise<void> {
  const { users, networks, codes } = database.tables;
  let last: unknown = '';
  for (;;) {
    const { rows } = await database.read(sql`
      SELECT user_key
      FROM ${users}
      WHERE user_key > ${last}
        AND ${isRemovable}
      ORDER BY user_key
      LIMIT ${sql.lit(REMOVED_AT_ONCE)}`);
    if (rows.length === 0) return;
    const keys = sql.join(rows.map((row) => row['user_key']));
    await database.transaction(async (run) => {
      // A user who got a set meanwhile stays, with the codes of it.
      await run(sql`
        DELETE FROM ${users}
        WHERE user_key IN (${keys})
          AND ${isRemovable}`);
      for (const table of [networks, codes]) {
        await run(sql`
          DELETE FROM ${table}
          WHERE user_key IN (${keys})
            AND user_key NOT IN (SELECT user_key FROM ${users} WHERE user_key IN (${keys}))`);
      }
    });
    last = rows.at(-1)?.['user_key'];
    await nextTurn();
  }
}
