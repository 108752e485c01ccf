// What consuming a code changes, and on which conditions: the same in a transaction and in the one
// statement of PostgreSQL.
import { sql } from 'kysely';
import type { ConsumeRequest } from '../stores/requests';
import type { Statement, Tables } from './database';
import { HAS_NOT_ENDED } from './set-rows';

/** The condition on the user's row: the set is current and would accept a code. */
export function isUsableSet({ subject, setId, channel, now }: ConsumeRequest): Statement {
  const isUnlocked = channel === 'recovery' ? sql`` : sql`AND second_factor_locked_at IS NULL`;
  return sql`user_key = ${subject.key}
      AND set_id = ${setId}
      AND revoked_at IS NULL
      AND (expires_at IS NULL OR expires_at > ${now})
      ${isUnlocked}`;
}

/** Counts the code in its set. The channel counts from zero, in a new generation. */
export function countConsumed(
  { users }: Tables,
  { channel, now, replacement }: ConsumeRequest,
): Statement {
  const added = replacement ? 1 : 0;
  const reset =
    channel === 'recovery'
      ? sql`recovery_generation = recovery_generation + 1`
      : sql`second_factor_attempts = 0,
      second_factor_next_at = 0,
      second_factor_generation = second_factor_generation + 1`;
  return sql`
    UPDATE ${users}
    SET remaining = remaining - 1 + ${added},
      total = total + ${added},
      last_consumed_at = ${now},
      ${reset}`;
}

/** Marks the code, unless it is consumed or its set has ended. */
export function markConsumed(
  { codes }: Tables,
  { subject, setId, codeId, now, events }: ConsumeRequest,
): Statement {
  return sql`
    UPDATE ${codes}
    SET consumed_at = ${now},
      consumption_id = ${events[0].id}
    WHERE code_id = ${codeId}
      AND user_key = ${subject.key}
      AND set_id = ${setId}
      AND consumed_at IS NULL
      AND ${HAS_NOT_ENDED}`;
}
