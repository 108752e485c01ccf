// The attempts on the recovery channel: a row for each user, or unknown user name, and network.
import { sql } from 'kysely';
import { COUNTER_KEPT_MS } from '../stores/contract';
import { firstGeneration } from '../stores/generation';
import type { AttemptRequest, GiveBackRequest } from '../stores/requests';
import type { RefusingCounter } from '../stores/refusals';
import { isWaiting, waitAfter } from '../stores/waits';
import type { Counter } from './counter';
import type { Database, Row, RunStatement, Statement, Tables } from './database';
import { readNumber, readOptionalNumber } from './rows';
import { isWaitOver, waitUntil } from './waits';

/**
 * A user without a row, and an unknown user name, has no generation of the recovery channel. Then
 * each counter has one of its own, from here on, and always counts.
 */
const OWN_GENERATIONS = 2 ** 47;

export function networkCounter(database: Database, request: AttemptRequest): Counter {
  const { tables } = database;
  const { subject, network } = request;
  const isOfRequest = sql`n.user_key = ${subject.key} AND n.network = ${network}`;
  const storedColumns = sql`n.next_at AS stored_next_at,
      n.generation AS stored_generation,
      n.forget_at,
      ${generationOf(tables, request)} AS user_generation`;
  return {
    take: async (run) =>
      database.dialect === 'mysql'
        ? takeOnMySql(run, { database, request })
        : (await run(upsert({ database, request }))).affected === 1,
    columns: sql`n.attempts, n.generation, n.next_at`,
    fromAndWhere: sql`
      FROM ${tables.networks} n
      LEFT JOIN ${tables.users} u
        ON u.user_key = n.user_key
      LEFT JOIN ${tables.codes} c
        ON c.user_key = u.user_key AND c.set_id = u.set_id AND u.revoked_at IS NULL
      WHERE ${isOfRequest}`,
    readRefusal: async (run) => {
      const { rows } = await run(sql`
        SELECT ${storedColumns}
        FROM ${tables.networks} n
        WHERE ${isOfRequest}`);
      return rows[0] === undefined ? null : readRefusal(rows[0], request);
    },
    onPostgres: {
      take: sql`${upsert({ database, request })}
    RETURNING n.attempts, n.generation, n.next_at`,
      storedColumns,
      join: sql`LEFT JOIN ${tables.networks} n
      ON ${isOfRequest}`,
      readRefusal: (row) => (row['forget_at'] === null ? null : readRefusal(row, request)),
    },
  };
}

function readRefusal(row: Row, request: AttemptRequest): RefusingCounter | null {
  if (readNumber(row, 'forget_at') <= request.now) return null;
  const generation = readNumber(row, 'stored_generation');
  const current = readOptionalNumber(row, 'user_generation') ?? generation;
  const nextAt = readNumber(row, 'stored_next_at');
  if (generation !== current || !isWaiting(nextAt, request)) return null;
  return { isLocked: false, generation, nextAt };
}

interface NetworkAttempt {
  readonly database: Database;
  readonly request: AttemptRequest;
}

/** Makes the row, or counts in it unless a wait is running. */
function upsert(attempt: NetworkAttempt): Statement {
  const { database, request } = attempt;
  const isOfGeneration = sql`(
    n.generation = excluded.generation OR excluded.generation >= ${OWN_GENERATIONS}
  )`;
  const isCurrent = sql`(${isOfGeneration} AND n.forget_at > ${request.now})`;
  return sql`
    INSERT INTO ${database.tables.networks} AS n ${firstAttempt(attempt)}
    ON CONFLICT (user_key, network) DO UPDATE
    ${countAttempt(attempt, { isCurrent, generation: sql`excluded.generation` })}`;
}

/** MySQL's upsert has no condition, so that an existing row takes a second statement. */
async function takeOnMySql(run: RunStatement, attempt: NetworkAttempt): Promise<boolean> {
  const { database, request } = attempt;
  const { networks } = database.tables;
  // The update always changes something: the server then reports two rows, and one for a new row.
  const inserted = await run(sql`
    INSERT INTO ${networks} ${firstAttempt(attempt)}
    ON DUPLICATE KEY UPDATE forget_at = forget_at + 1`);
  if (inserted.affected === 1) return true;
  const generation = newGeneration(attempt);
  const present = sql`COALESCE(${generationOf(database.tables, request)}, n.generation)`;
  const isCurrent = sql`(n.generation = ${present} AND n.forget_at > ${request.now})`;
  const { affected } = await run(sql`
    UPDATE ${networks} n
    ${countAttempt(attempt, { isCurrent, generation })}
      AND n.user_key = ${request.subject.key}
      AND n.network = ${request.network}`);
  return affected === 1;
}

function firstAttempt(attempt: NetworkAttempt): Statement {
  const { request } = attempt;
  const { subject, network, now } = request;
  const wait = waitAfter(1, request);
  return sql`(user_key, network, attempts, next_at, generation, forget_at)
    VALUES (
      ${subject.key},
      ${network},
      1,
      ${wait === 0 ? 0 : now + wait},
      ${newGeneration(attempt)},
      ${now + COUNTER_KEPT_MS}
    )`;
}

interface StoredCounter {
  /** Whether the stored attempts still count. */
  readonly isCurrent: Statement;
  /** That of a counter which begins now. */
  readonly generation: Statement;
}

/**
 * MySQL evaluates SET from left to right. What depends on the old count is assigned first.
 */
function countAttempt(
  { database, request }: NetworkAttempt,
  { isCurrent, generation }: StoredCounter,
): Statement {
  const attempts = sql`(CASE WHEN ${isCurrent} THEN n.attempts ELSE 0 END)`;
  return sql`
    SET next_at = ${waitUntil(database, { request, attempts })},
      attempts = ${attempts} + 1,
      generation = CASE WHEN ${isCurrent} THEN n.generation ELSE ${generation} END,
      forget_at = ${request.now + COUNTER_KEPT_MS}
    WHERE (NOT ${isCurrent} OR ${isWaitOver(sql`n.next_at`, request)})`;
}

/** The generation of a counter that begins now. */
function newGeneration({ database, request }: NetworkAttempt): Statement {
  const own = database.bigint(OWN_GENERATIONS + firstGeneration());
  return sql`COALESCE(${generationOf(database.tables, request)}, ${own})`;
}

/** The user's present generation; NULL until the channel is first reset. */
function generationOf(tables: Tables, { subject }: AttemptRequest): Statement {
  return sql`(
      SELECT NULLIF(recovery_generation, 0)
      FROM ${tables.users}
      WHERE user_key = ${subject.key}
    )`;
}

/** The user's generation after the channel is reset: for all networks. */
export function nextRecoveryGeneration(database: Database): Statement {
  const first = database.bigint(firstGeneration());
  return sql`CASE recovery_generation
        WHEN 0 THEN ${first}
        ELSE recovery_generation + 1
      END`;
}

export function giveBackNetwork(tables: Tables, { subject, ticket }: GiveBackRequest): Statement {
  return sql`
    UPDATE ${tables.networks}
    SET next_at = CASE WHEN next_at = ${ticket.nextAt} THEN 0 ELSE next_at END,
      attempts = attempts - 1
    WHERE user_key = ${subject.key}
      AND network = ${ticket.network}
      AND generation = ${ticket.generation}
      AND attempts > 0`;
}
