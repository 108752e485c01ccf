// Takes an attempt before a code is compared. The conditional write decides; what it guards is read
// in the same transaction.
import { sql } from 'kysely';
import { BackupCodeError } from '../errors';
import type { AttemptRequest, AttemptResult } from '../stores/requests';
import { countedRefusal, type RefusingCounter } from '../stores/refusals';
import { countEvent } from './count-event';
import type { Database, Row, RunStatement } from './database';
import { networkCounter } from './network-counter';
import { readNumber } from './rows';
import { secondFactorCounter } from './second-factor-counter';
import { CODE_COLUMNS, readCurrentSet, readStoredCode, USER_COLUMNS } from './set-rows';
import { startSweep } from './sweep';
import { takeOnPostgres, type AttemptToTake } from './take-on-postgres';

/**
 * A concurrent insert, or an attempt that is given back, can leave a row that neither grants nor
 * refuses. After so many tries in a row it is a fault.
 */
const MAX_ROUNDS = 10;

/**
 * One statement on PostgreSQL, and another one if the attempt is refused. Elsewhere two statements
 * in a transaction if it is granted: the write that decides, and the read of the set. On Galera the
 * write to the user's row fails if the set was changed on another node. On the recovery channel
 * another row is written, so the node catches up first, for unknown names too: users must not be
 * told apart by the time of an answer.
 */
export async function takeAttempt(
  database: Database,
  request: AttemptRequest,
): Promise<AttemptResult> {
  const { subject, channel, now } = request;
  const result =
    channel === 'recovery'
      ? await database.afterOtherNodes((on) => countAttempt(on, request))
      : await countAttempt(database, request);
  // A flood of unknown names adds rows without end. A new one has those removed that have expired,
  // later and on any connection: the one that caught up is back in the pool.
  const isNewName = result.ok && result.ticket.attempt === 1 && subject.userId === null;
  if (isNewName) startSweep(database, now);
  return result;
}

async function countAttempt(database: Database, request: AttemptRequest): Promise<AttemptResult> {
  const counter =
    request.channel === 'recovery'
      ? networkCounter(database, request)
      : secondFactorCounter(database, request);
  const attempt = { database, counter, request };
  return (await takeInOneStatement(attempt)) ?? takeInTransaction(attempt);
}

/** @returns `null` if a transaction must decide */
async function takeInOneStatement(attempt: AttemptToTake): Promise<AttemptResult | null> {
  const { database, request } = attempt;
  if (database.dialect !== 'postgres') return null;
  const taken = await takeOnPostgres(attempt);
  if (taken === null) return null;
  if (taken.ok) return grantedResult(taken.rows, request);
  return refuse((statement) => database.write(statement), { ...attempt, ...taken });
}

function takeInTransaction(attempt: AttemptToTake): Promise<AttemptResult> {
  const { database, counter, request } = attempt;
  return database.transaction(async (run) => {
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      if (await counter.take(run)) return readGranted(run, attempt);
      const refusing = await counter.readRefusal(run);
      if (refusing !== null) return refuse(run, { database, request, refusing });
    }
    throw new BackupCodeError(
      'unreadable_set',
      'The stored counter of a user neither grants an attempt nor refuses it.',
    );
  });
}

async function readGranted(
  run: RunStatement,
  { counter, request }: AttemptToTake,
): Promise<AttemptResult> {
  const { rows } = await run(sql`
    SELECT ${counter.columns},
      ${USER_COLUMNS},
      ${CODE_COLUMNS}
    ${counter.fromAndWhere}`);
  return grantedResult(rows, request);
}

function grantedResult(rows: readonly Row[], { channel, network }: AttemptRequest): AttemptResult {
  const row = rows[0] ?? {};
  const current = readCurrentSet(row);
  return {
    ok: true,
    ticket: {
      channel,
      network,
      attempt: readNumber(row, 'attempts'),
      generation: readNumber(row, 'generation'),
      nextAt: readNumber(row, 'next_at'),
    },
    current: current && { ...current, codes: rows.map(readStoredCode) },
  };
}

interface RefusedAttempt extends Omit<AttemptToTake, 'counter'> {
  readonly refusing: RefusingCounter;
}

async function refuse(
  run: RunStatement,
  { database, request, refusing }: RefusedAttempt,
): Promise<AttemptResult> {
  const event = countedRefusal(request, refusing);
  const events = await countEvent(run, { database, event });
  return { ok: false, reason: event.reason, nextAt: refusing.nextAt, events };
}
