// Consumes a code in four statements: the set, the code, the new counts, the events. On PostgreSQL
// one statement does all of it, unless another caller changes the set at the same moment.
import { sql } from 'kysely';
import type { ConsumeRequest, Consumption } from '../stores/requests';
import { countConsumed, isUsableSet, markConsumed } from './consumable';
import { consumeOnPostgres, type SetCounts } from './consume-on-postgres';
import type { Database, RunStatement, Tables } from './database';
import { insertEvents } from './event-rows';
import { confirmRefusal } from './galera';
import { readEventsById, repeatableTransaction, Rollback } from './repeatable-transaction';
import { readNumber } from './rows';
import { HAS_NOT_ENDED, insertCodes } from './set-rows';

export function consumeCode(database: Database, request: ConsumeRequest): Promise<Consumption> {
  return confirmRefusal(database, {
    decide: (on) => tryToConsume(on, request),
    isRefusal: ({ outcome }) => outcome === 'gone',
  });
}

function tryToConsume(database: Database, request: ConsumeRequest): Promise<Consumption> {
  const { dialect, tables } = database;
  return repeatableTransaction<Consumption>(database, (run) => consume(run, { tables, request }), {
    first: dialect === 'postgres' ? () => consumeInOneStatement(database, request) : null,
  });
}

async function consumeInOneStatement(
  database: Database,
  request: ConsumeRequest,
): Promise<ConsumedCode | null> {
  const counts = await consumeOnPostgres(database, request);
  return counts && consumedCode(request, counts);
}

type ConsumedCode = Extract<Consumption, { outcome: 'consumed' }>;

interface CodeToConsume {
  readonly tables: Tables;
  readonly request: ConsumeRequest;
}

async function consume(
  run: RunStatement,
  { tables, request }: CodeToConsume,
): Promise<Consumption> {
  const { subject, setId, now, replacement } = request;
  // The set comes first: its row is the lock under which `remaining` is exact, and no revocation or
  // new set can come between.
  const set = await run(sql`
    ${countConsumed(tables, request)}
    WHERE ${isUsableSet(request)}`);
  if (set.affected !== 1) {
    throw new Rollback(await explain(run, { tables, request, isCounted: false }));
  }
  const code = await run(markConsumed(tables, request));
  if (code.affected !== 1) {
    throw new Rollback(await explain(run, { tables, request, isCounted: true }));
  }
  const { rows } = await run(sql`
    SELECT remaining, total
    FROM ${tables.users}
    WHERE user_key = ${subject.key}`);
  const counts = {
    remaining: readNumber(rows[0], 'remaining'),
    total: readNumber(rows[0], 'total'),
  };
  if (replacement) {
    await run(insertCodes(tables, { subject, setId, codes: [replacement], createdAt: now }));
  }
  const consumed = consumedCode(request, counts);
  await run(insertEvents(tables, consumed.events));
  return consumed;
}

/** The answer to the call that consumed the code, with the events that it writes. */
function consumedCode(
  { events, milestones }: ConsumeRequest,
  { remaining, total }: SetCounts,
): ConsumedCode {
  const reached = milestones.filter((milestone) => milestone.remaining === remaining);
  const written = [...events, ...reached.map(({ event }) => event)].map((event) => ({
    ...event,
    remaining,
    total,
  }));
  return { outcome: 'consumed', remaining, total, events: written, repeated: false };
}

interface UnmatchedCode extends CodeToConsume {
  /** Whether this transaction, which will be rolled back, has counted the code in its set. */
  readonly isCounted: boolean;
}

/** Why the set or the code did not match. An earlier call with the same id may have consumed it. */
async function explain(
  run: RunStatement,
  { tables, request, isCounted }: UnmatchedCode,
): Promise<Consumption> {
  const { subject, setId, codeId, channel, now } = request;
  const { rows } = await run(sql`
    SELECT u.set_id,
      u.revoked_at,
      u.remaining,
      u.total,
      u.expires_at,
      u.second_factor_locked_at,
      c.consumed_at,
      c.consumption_id
    FROM ${tables.users} u
    LEFT JOIN ${tables.codes} c
      ON c.user_key = u.user_key
        AND c.set_id = u.set_id
        AND c.code_id = ${codeId}
        AND ${HAS_NOT_ENDED}
    WHERE u.user_key = ${subject.key}`);
  const row = rows[0];
  if (row?.['set_id'] !== setId || row['revoked_at'] !== null) {
    return { outcome: 'gone', reason: 'none' };
  }
  if (row['consumption_id'] === request.events[0].id) {
    const added = request.replacement ? 1 : 0;
    const remaining = readNumber(row, 'remaining') + (isCounted ? 1 - added : 0);
    const total = readNumber(row, 'total') - (isCounted ? added : 0);
    return repeat(run, { tables, request, remaining, total });
  }
  if (row['expires_at'] !== null && readNumber(row, 'expires_at') <= now) {
    return { outcome: 'gone', reason: 'expired' };
  }
  if (channel === 'second_factor' && row['second_factor_locked_at'] !== null) {
    return { outcome: 'gone', reason: 'locked' };
  }
  if (row['consumed_at'] === null) return { outcome: 'gone', reason: 'none' };
  return { outcome: 'already_consumed', consumedAt: readNumber(row, 'consumed_at') };
}

interface RepeatedConsumption extends CodeToConsume {
  /** Of the set as it is stored now. */
  readonly remaining: number;
  readonly total: number;
}

/** The answer of the first call. If its events were pruned, the numbers are those of the set. */
async function repeat(
  run: RunStatement,
  { tables, request, remaining, total }: RepeatedConsumption,
): Promise<Consumption> {
  const { events, milestones } = request;
  const ids = [...events, ...milestones.map(({ event }) => event)].map(({ id }) => id);
  const written = await readEventsById(run, { tables, ids });
  return {
    outcome: 'consumed',
    remaining: written[0]?.remaining ?? remaining,
    total: written[0]?.total ?? total,
    events: written,
    repeated: true,
  };
}
