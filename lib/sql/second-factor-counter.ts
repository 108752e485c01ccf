// The attempts on the second factor, which are columns of the user's row.
import { sql } from 'kysely';
import type {
  AttemptCounter,
  AttemptRequest,
  GiveBackRequest,
  LockedChannel,
} from '../stores/requests';
import type { RefusingCounter } from '../stores/refusals';
import { isWaiting } from '../stores/waits';
import type { Counter } from './counter';
import type { Database, Row, Statement, Tables } from './database';
import { readNumber, readOptionalNumber } from './rows';
import { insertUser } from './set-rows';
import { isUnchanged } from './unchanged-user';
import { isWaitOver, waitUntil } from './waits';

export function secondFactorCounter(database: Database, request: AttemptRequest): Counter {
  const { tables } = database;
  const { subject, waits } = request;
  const nextAt = sql.ref('second_factor_next_at');
  const attempts = sql.ref('second_factor_attempts');
  // What depends on the old count comes before it: the SET of MySQL sees the columns that the same
  // statement has changed.
  const take = sql`
    UPDATE ${tables.users}
    SET second_factor_next_at = ${waitUntil(database, { request, attempts })},
      second_factor_attempts = second_factor_attempts + 1
    WHERE user_key = ${subject.key}
      AND second_factor_attempts < ${waits.length}
      AND second_factor_locked_at IS NULL
      AND ${isWaitOver(nextAt, request)}`;
  return {
    take: async (run) => (await run(take)).affected === 1,
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
        SELECT ${STORED_COLUMNS}
        FROM ${tables.users} u
        WHERE u.user_key = ${subject.key}`);
      if (rows[0] !== undefined) return readRefusal(rows[0], request);
      await run(insertUser(database, subject));
      return null;
    },
    onPostgres: {
      take: sql`${take}
      AND ${isUnchanged(tables, subject)}
    RETURNING second_factor_attempts AS attempts,
      second_factor_generation AS generation,
      second_factor_next_at AS next_at`,
      storedColumns: STORED_COLUMNS,
      join: sql``,
      // A user without a row is left to the transaction, which adds it.
      readRefusal: (row) =>
        row['second_factor_attempts'] === null ? null : readRefusal(row, request),
    },
  };
}

const STORED_COLUMNS = sql`u.second_factor_attempts,
          u.second_factor_generation,
          u.second_factor_next_at,
          u.second_factor_locked_at`;

function readRefusal(row: Row, request: AttemptRequest): RefusingCounter | null {
  const counter = readSecondFactor(row);
  const isLocked = counter.lockedAt !== null || counter.attempts >= request.waits.length;
  const nextAt = readNumber(row, 'second_factor_next_at');
  if (!isLocked && !isWaiting(nextAt, request)) return null;
  return { isLocked, generation: readNumber(row, 'second_factor_generation'), nextAt };
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
