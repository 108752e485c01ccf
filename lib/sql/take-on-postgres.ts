// Takes an attempt on PostgreSQL in one statement, which also reads the set. Decides only what its
// snapshot shows; a change by another caller at the same moment is left to a transaction.
import { sql } from 'kysely';
import type { RefusingCounter } from '../stores/refusals';
import type { AttemptRequest } from '../stores/requests';
import type { Counter } from './counter';
import type { Database, Row, Statement } from './database';
import { CODE_COLUMNS, USER_COLUMNS } from './set-rows';

export interface AttemptToTake {
  readonly database: Database;
  readonly counter: Counter;
  readonly request: AttemptRequest;
}

/** The rows of the set if the attempt is granted, or why it is not. */
export type TakenAttempt =
  | { readonly ok: true; readonly rows: readonly Row[] }
  | { readonly ok: false; readonly refusing: RefusingCounter };

/** @returns `null` if the statement changed nothing, and a transaction must decide */
export async function takeOnPostgres(attempt: AttemptToTake): Promise<TakenAttempt | null> {
  const { rows } = await attempt.database.write(takeAndRead(attempt));
  const row = rows[0] ?? {};
  if (row['attempts'] !== null) return { ok: true, rows };
  const refusing = attempt.counter.onPostgres.readRefusal(row);
  return refusing && { ok: false, refusing };
}

function takeAndRead({ database, counter, request }: AttemptToTake): Statement {
  const { users, codes } = database.tables;
  const { take, storedColumns, join } = counter.onPostgres;
  // One row comes before all, because an unknown name has none, and a new counter neither.
  return sql`
    WITH taken AS (${take})
    SELECT taken.attempts,
      taken.generation,
      taken.next_at,
      ${storedColumns},
      ${USER_COLUMNS},
      ${CODE_COLUMNS}
    FROM (SELECT 1) AS one
    LEFT JOIN taken
      ON TRUE
    LEFT JOIN ${users} u
      ON u.user_key = ${request.subject.key}
    ${join}
    LEFT JOIN ${codes} c
      ON c.user_key = u.user_key
        AND c.set_id = u.set_id
        AND u.revoked_at IS NULL
        AND taken.attempts IS NOT NULL`;
}
