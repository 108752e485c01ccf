// Lets a channel count from zero without a new set. One conditional write decides.
import { sql } from 'kysely';
import type { AuditEvent } from '../audit/events';
import type { UnlockRequest } from '../stores/requests';
import type { Database, Statement, Tables } from './database';
import { insertEvents } from './event-rows';

export function unlockChannel(
  database: Database,
  request: UnlockRequest,
): Promise<readonly AuditEvent[]> {
  const { tables } = database;
  const { channel, event } = request;
  const reset =
    channel === 'recovery' ? resetNetworks(tables, request) : resetSecondFactor(tables, request);
  return database.transaction(async (run) => {
    if ((await run(reset)).affected !== 1) return [];
    await run(insertEvents(tables, [event]));
    return [event];
  });
}

function resetSecondFactor(tables: Tables, { subject }: UnlockRequest): Statement {
  return sql`
    UPDATE ${tables.users}
    SET second_factor_attempts = 0,
      second_factor_next_at = 0,
      second_factor_generation = second_factor_generation + 1,
      second_factor_locked_at = NULL
    WHERE user_key = ${subject.key}
      AND (second_factor_attempts > 0 OR second_factor_locked_at IS NOT NULL)`;
}

/**
 * The counters of all networks count as zero in another generation. `COALESCE` keeps PostgreSQL
 * from reading all live counters by the index of `forget_at`.
 */
function resetNetworks(tables: Tables, { subject, now }: UnlockRequest): Statement {
  return sql`
    UPDATE ${tables.users}
    SET recovery_generation = recovery_generation + 1
    WHERE user_key = ${subject.key}
      AND EXISTS (
        SELECT 1
        FROM ${tables.networks} n
        WHERE n.user_key = ${subject.key}
          AND n.generation = recovery_generation
          AND n.attempts > 0
          AND COALESCE(n.forget_at, 0) > ${now}
      )`;
}
