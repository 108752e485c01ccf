// Lets a channel count from zero without a new set. One conditional write decides.
import { sql } from 'kysely';
import type { AuditEvent } from '../audit/events';
import type { UnlockRequest } from '../stores/requests';
import type { Database, RunStatement, Statement, Tables } from './database';
import { insertEvents } from './event-rows';
import { nextRecoveryGeneration } from './network-counter';
import { recordedTransaction } from './repeatable-transaction';

export function unlockChannel(
  database: Database,
  request: UnlockRequest,
): Promise<readonly AuditEvent[]> {
  const { tables } = database;
  const { channel, event } = request;
  return recordedTransaction(database, {
    events: [event],
    work: async (run) => {
      const isReset =
        channel === 'recovery'
          ? await resetNetworks(run, { database, request })
          : (await run(resetSecondFactor(tables, request))).affected === 1;
      if (!isReset) return [];
      await run(insertEvents(tables, [event]));
      return [event];
    },
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

interface ChannelToReset {
  readonly database: Database;
  readonly request: UnlockRequest;
}

/** @returns whether a network had attempts that count */
async function resetNetworks(
  run: RunStatement,
  { database, request: { subject, now } }: ChannelToReset,
): Promise<boolean> {
  const { users, networks } = database.tables;
  // `COALESCE` keeps PostgreSQL from reading all live counters by the index of `forget_at`.
  const isCounting = sql`
    user_key = ${subject.key}
    AND attempts > 0
    AND COALESCE(forget_at, 0) > ${now}`;
  // The counters of all networks count as zero in another generation.
  const user = await run(sql`
    UPDATE ${users}
    SET recovery_generation = ${nextRecoveryGeneration(database)}
    WHERE user_key = ${subject.key}
      AND EXISTS (
        SELECT 1
        FROM ${networks}
        WHERE ${isCounting}
          AND (recovery_generation = 0 OR generation = recovery_generation)
      )`);
  if (user.affected === 1) return true;
  // A user without a row has no generation. New counters get another one than those removed here.
  const counters = await run(sql`
    DELETE FROM ${networks}
    WHERE ${isCounting}
      AND NOT EXISTS (
        SELECT 1
        FROM ${users} u
        WHERE u.user_key = ${subject.key}
      )`);
  return counters.affected > 0;
}
