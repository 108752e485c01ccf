// Takes an attempt before a code is compared. The conditional write decides; what it guards is read
// in the same transaction.
import { sql } from 'kysely';
import { BackupCodeError } from '../errors';
import type { AttemptRequest, AttemptResult } from '../stores/requests';
import { countedRefusal } from '../stores/refusals';
import { countEvent } from './count-event';
import type { Counter } from './counter';
import type { Database, RunStatement } from './database';
import { networkCounter } from './network-counter';
import { readNumber } from './rows';
import { secondFactorCounter } from './second-factor-counter';
import { CURRENT_SET_COLUMNS, readCurrentSet, readStoredCode } from './set-rows';
import { startSweep } from './sweep';

/**
 * A concurrent insert, or an attempt that is given back, can leave a row that neither grants nor
 * refuses. After so many tries in a row it is a fault.
 */
const MAX_ROUNDS = 10;

/**
 * Two statements if the attempt is granted: the write that decides, and the read of the set. On
 * Galera the write to the user's row fails if the set was changed on another node. On the recovery
 * channel another row is written, so the node catches up first, for unknown names too: users must
 * not be told apart by the time of an answer.
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

function countAttempt(database: Database, request: AttemptRequest): Promise<AttemptResult> {
  const counter =
    request.channel === 'recovery'
      ? networkCounter(database, request)
      : secondFactorCounter(database, request);
  return database.transaction(async (run): Promise<AttemptResult> => {
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      if (await counter.take(run)) return readGranted(run, { counter, request });
      const refusing = await counter.readRefusal(run);
      if (refusing === null) continue;
      const event = countedRefusal(request, refusing);
      const events = await countEvent(run, { database, event });
      return { ok: false, reason: event.reason, nextAt: refusing.nextAt, events };
    }
    throw new BackupCodeError(
      'unreadable_set',
      'The stored counter of a user neither grants an attempt nor refuses it.',
    );
  });
}

async function readGranted(
  run: RunStatement,
  { counter, request }: { readonly counter: Counter; readonly request: AttemptRequest },
): Promise<AttemptResult> {
  // Not u.*: each code repeats the user's row, and a staged header would come with it.
  const columns = CURRENT_SET_COLUMNS.map((name) => sql.ref(`u.${name}`));
  const { rows } = await run(sql`
    SELECT ${counter.columns},
      ${sql.join(columns)},
      c.code_id,
      c.salt AS code_salt,
      c.digest,
      c.consumed_at,
      c.consumption_id
    ${counter.fromAndWhere}`);
  const row = rows[0] ?? {};
  const current = readCurrentSet(row);
  return {
    ok: true,
    ticket: {
      channel: request.channel,
      network: request.network,
      attempt: readNumber(row, 'attempts'),
      generation: readNumber(row, 'generation'),
      nextAt: readNumber(row, 'next_at'),
    },
    current: current && { ...current, codes: rows.map(readStoredCode) },
  };
}
