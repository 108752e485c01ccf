// Reads a user's audit trail from the table itself, as a DBA does.
import { sql, type Kysely } from 'kysely';
import { createHash } from 'node:crypto';
import type { StoreContractOptions } from '../../lib/testing';

type Events = Awaited<ReturnType<StoreContractOptions['readEvents']>>;

interface EventRow {
  readonly type: string;
  readonly reason: string | null;
  readonly set_id: string | null;
  readonly code_id: string | null;
  readonly remaining: number | null;
  readonly total: number | null;
  readonly refusals: number | null;
}

/** @param table with its schema, if it has one */
export async function readSqlEvents(
  db: Kysely<unknown>,
  userId: string,
  table = 'backup_code_events',
): Promise<Events> {
  const key = createHash('sha256').update(userId).digest('hex');
  const { rows } = await sql<EventRow>`
    SELECT *
    FROM ${sql.table(table)}
    WHERE user_key = ${key}
    ORDER BY seq`.execute(db);
  return rows.map(
    ({ type, reason, set_id: setId, code_id: codeId, remaining, total, refusals }) =>
      ({ type, reason, setId, codeId, remaining, total, refusals }) as Events[number],
  );
}
