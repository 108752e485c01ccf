// The attempts on the second factor, which are columns of the user's row.
import { sql } from 'kysely';
import type {
  AttemptCounter,
  AttemptRequest,
  GiveBackRequest,
  LockedChannel,
} from '../stores/requests';
import { isWaiting } from '../stores/waits';
import type { Counter } from './counter';
import type { Database, Row, Statement, Tables } from './database';
import { readNumber, readOptionalNumber } from './rows';
import { insertUser } from './set-rows';
import { isWaitOver, waitUntil } from './waits';

export function secondFactorCounter(database: Database, request: AttemptRequest): Counter {
  const { tables } = database;
  const { subject, waits } = request;
  const nextAt = sql.ref('second_factor_next_at');
  const attempts = sql.ref('second_factor_attempts');
  return {
    take: async (run) => {
      // What depends on the old count comes before it: the SET of MySQL sees the columns that the
      // same statement has changed.
      const { affected } = await run(sql`
        UPDATE ${tables.users}
        SET second_factor_next_at = ${waitUntil(database, { request, attempts })},
          second_factor_attempts = second_factor_attempts + 1
        WHERE user_key = ${subject.key}
          AND second_factor_attempts < ${waits.length}
          AND second_factor_locked_at IS NULL
          AND ${isWaitOver(nextAt, request)}`);
      return affected === 1;
    },
    columns: sql`
      u.second_factor_attempts AS attempts,
      u.second_factor_generation AS generation,
      u.second_factor_next_at AS next_at`,
    fromAndWhere: sql`
      FROM ${tables.users} u
      LEFT JOIN ${tables.codes} c
        ON c.user_key = u.user_key AND c.set_id = u.set_id AND u.revoked_at IS NULL
      WHERE u.user_key = ${subject.key}`,
    readRefusal: async (run) => {
      const { rows } = await run(sql`
        SELECT second_factor_attempts,
          second_factor_generation,
          second_factor_next_at,
          second_factor_locked_at
        FROM ${tables.users}
        WHERE user_key = ${subject.key}`);
      const row = rows[0];
      if (row === undefined) {
        await run(insertUser(database, subject));
        return null;
      }
      const counter = readSecondFactor(row);
      const isLocked = counter.lockedAt !== null || counter.attempts >= waits.length;
      const storedNextAt = readNumber(row, 'second_factor_next_at');
      if (!isLocked && !isWaiting(storedNextAt, request)) return null;
      const generation = readNumber(row, 'second_factor_generation');
      return { isLocked, generation, nextAt: storedNextAt };
    },
  };
}

/** @throws {BackupCodeError} `unreadable_set` */
export function readSecondFactor(row: Row): AttemptCounter {
  return {
    attempts: readNumber(row, 'second_factor_attempts'),
    lockedAt: readOptionalNumber(row, 'second_factor_locked_at'),
  };
}

export function giveBackSecondFactor(
  tables: Tables,
  { subject, ticket }: GiveBackRequest,
): Statement {
  return sql`
    UPDATE ${tables.users}
    SET second_factor_next_at = CASE
        WHEN second_factor_next_at = ${ticket.nextAt} THEN 0
        ELSE second_factor_next_at
      END,
      second_factor_attempts = second_factor_attempts - 1
    WHERE user_key = ${subject.key}
      AND second_factor_generation = ${ticket.generation}
      AND second_factor_attempts > 0`;
}

export function lockSecondFactor(
  tables: Tables,
  { subject, ticket, now }: LockedChannel,
): Statement {
  return sql`
    UPDATE ${tables.users}
    SET second_factor_locked_at = ${now}
    WHERE user_key = ${subject.key}
      AND second_factor_generation = ${ticket.generation}`;
}
