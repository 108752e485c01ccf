// Consumes a code in four statements: the set, the code, the new counts, the events.
import { sql } from 'kysely';
import type { Channel } from '../audit/context';
import type { ConsumeRequest, Consumption } from '../stores/requests';
import type { Database, RunStatement, Statement, Tables } from './database';
import { insertEvents } from './event-rows';
import { confirmRefusal } from './galera';
import { readNumber } from './rows';
import { insertCodes } from './set-rows';

type FailedConsumption = Exclude<Consumption, { readonly outcome: 'consumed' }>;

/** Rolls the transaction back, and carries the answer out of it. */
class NotConsumed extends Error {
  readonly consumption: FailedConsumption;

  constructor(consumption: FailedConsumption) {
    super(consumption.outcome);
    this.consumption = consumption;
  }
}

export function consumeCode(database: Database, request: ConsumeRequest): Promise<Consumption> {
  return confirmRefusal(database, {
    decide: (on) => tryToConsume(on, request),
    isRefusal: ({ outcome }) => outcome === 'gone',
  });
}

async function tryToConsume(database: Database, request: ConsumeRequest): Promise<Consumption> {
  const { tables } = database;
  try {
    return await database.transaction((run) => consume(run, { tables, request }));
  } catch (error) {
    if (error instanceof NotConsumed) return error.consumption;
    throw error;
  }
}

interface CodeToConsume {
  readonly tables: Tables;
  readonly request: ConsumeRequest;
}

async function consume(
  run: RunStatement,
  { tables, request }: CodeToConsume,
): Promise<Consumption> {
  const { subject, setId, codeId, channel, now, replacement } = request;
  const added = replacement ? 1 : 0;
  // The set comes first: its row is the lock under which `remaining` is exact, and no revocation or
  // new set can come between.
  const set = await run(sql`
    UPDATE ${tables.users}
    SET remaining = remaining - 1 + ${added},
      total = total + ${added},
      last_consumed_at = ${now},
      ${resetCounter(channel)}
    WHERE user_key = ${subject.key}
      AND set_id = ${setId}
      AND revoked_at IS NULL
      AND (expires_at IS NULL OR expires_at > ${now})
      ${andIsUnlocked(channel)}`);
  if (set.affected !== 1) throw new NotConsumed(await explainSet(run, { tables, request }));
  const code = await run(sql`
    UPDATE ${tables.codes}
    SET consumed_at = ${now}
    WHERE code_id = ${codeId}
      AND user_key = ${subject.key}
      AND set_id = ${setId}
      AND consumed_at IS NULL
      AND ended_at IS NULL`);
  if (code.affected !== 1) throw new NotConsumed(await explainCode(run, { tables, request }));
  const { rows } = await run(sql`
    SELECT remaining, total
    FROM ${tables.users}
    WHERE user_key = ${subject.key}`);
  const remaining = readNumber(rows[0], 'remaining');
  const total = readNumber(rows[0], 'total');
  if (replacement) {
    await run(insertCodes(tables, { subject, setId, codes: [replacement], createdAt: now }));
  }
  const reached = request.milestones.filter((milestone) => milestone.remaining === remaining);
  const events = [...request.events, ...reached.map(({ event }) => event)].map((event) => ({
    ...event,
    remaining,
    total,
  }));
  await run(insertEvents(tables, events));
  return { outcome: 'consumed', remaining, total, events };
}

/** The channel counts from zero, in a new generation. */
function resetCounter(channel: Channel): Statement {
  if (channel === 'recovery') return sql`recovery_generation = recovery_generation + 1`;
  return sql`
      second_factor_attempts = 0,
      second_factor_next_at = 0,
      second_factor_generation = second_factor_generation + 1`;
}

function andIsUnlocked(channel: Channel): Statement {
  return channel === 'recovery' ? sql`` : sql`AND second_factor_locked_at IS NULL`;
}

/** Why the set did not match. */
async function explainSet(
  run: RunStatement,
  { tables, request: { subject, setId, channel, now } }: CodeToConsume,
): Promise<FailedConsumption> {
  const { rows } = await run(sql`
    SELECT set_id, revoked_at, expires_at, second_factor_locked_at
    FROM ${tables.users}
    WHERE user_key = ${subject.key}`);
  const row = rows[0];
  if (row?.['set_id'] !== setId || row['revoked_at'] !== null) {
    return { outcome: 'gone', reason: 'none' };
  }
  if (row['expires_at'] !== null && readNumber(row, 'expires_at') <= now) {
    return { outcome: 'gone', reason: 'expired' };
  }
  const isLocked = channel === 'second_factor' && row['second_factor_locked_at'] !== null;
  return { outcome: 'gone', reason: isLocked ? 'locked' : 'none' };
}

/** Why the code did not match. */
async function explainCode(
  run: RunStatement,
  { tables, request: { subject, setId, codeId } }: CodeToConsume,
): Promise<FailedConsumption> {
  const { rows } = await run(sql`
    SELECT consumed_at
    FROM ${tables.codes}
    WHERE code_id = ${codeId}
      AND user_key = ${subject.key}
      AND set_id = ${setId}
      AND consumed_at IS NOT NULL
      AND ended_at IS NULL`);
  if (!rows[0]) return { outcome: 'gone', reason: 'none' };
  return { outcome: 'already_consumed', consumedAt: readNumber(rows[0], 'consumed_at') };
}
