// The waits between attempts, in SQL. `stores/waits.ts` says the same in TypeScript.
import { sql } from 'kysely';
import type { AttemptRequest } from '../stores/requests';
import { latestEnd } from '../stores/waits';
import type { Database, Statement } from './database';

/**
 * When the next attempt may be taken, from the count before this one. Attempts in a row with the
 * same wait share a branch.
 */
export function waitUntil(
  database: Database,
  { request: { now, waits }, attempts }: { request: AttemptRequest; attempts: Statement },
): Statement {
  const until = (wait: number): Statement => database.bigint(wait === 0 ? 0 : now + wait);
  const branches: Statement[] = [];
  for (const [before, wait] of waits.entries()) {
    const isLast = before + 1 === waits.length;
    if (isLast || wait === waits[before + 1]) continue;
    branches.push(sql`WHEN ${attempts} < ${before + 1} THEN ${until(wait)}`);
  }
  const last = until(waits.at(-1) ?? 0);
  return branches.length === 0 ? last : sql`CASE ${sql.join(branches, sql` `)} ELSE ${last} END`;
}

/** A wait that ends later than the longest possible one was begun by a clock that was ahead. */
export function isWaitOver(nextAt: Statement, request: AttemptRequest): Statement {
  return sql`(${nextAt} <= ${request.now} OR ${nextAt} > ${latestEnd(request)})`;
}
