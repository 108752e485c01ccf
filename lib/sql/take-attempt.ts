// Takes an attempt before a code is compared. The conditional write decides; what it guards is read
// in the same transaction.
import { sql } from 'kysely';
import {
  NAME_KEPT_MS,
  REFUSALS_COUNTED_MS,
  type AttemptRequest,
  type AttemptResult,
} from '../stores/contract';
import { COUNTER_COLUMNS, insertUser, readChannel } from './attempt-counters';
import type { Database, RunStatement, Statement } from './database';
import { insertEvents } from './event-rows';
import { readNumber } from './rows';
import { CURRENT_SET_COLUMNS, readCurrentSet, readStoredCode } from './set-rows';
import type { Tables } from './database';

/**
 * A row that neither grants nor refuses an attempt was made or given back an instant ago. So many
 * times in a row is a fault.
 */
const MAX_ROUNDS = 10;

/** Two statements if the attempt is granted: the write that decides, and the read of the set. */
export async function takeAttempt(
  database: Database,
  request: AttemptRequest,
): Promise<AttemptResult> {
  const { subject, now } = request;
  const { tables } = database;
  // The counter of an unknown user name expires; that of a user does not.
  const forgetAt = subject.userId === null ? now + NAME_KEPT_MS : null;
  const grant = grantAttempt(database, { request, forgetAt });
  const refuse = refuseAttempt(database, { request, forgetAt });
  const { result, isNewRow } = await database.transaction(async (run) => {
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      if ((await run(grant)).affected === 1) {
        return { result: await readGranted(run, { tables, request }), isNewRow: round > 1 };
      }
      if ((await run(refuse)).affected === 1) {
        return { result: await recordRefusal(run, { tables, request }), isNewRow: false };
      }
      if (forgetAt !== null) {
        await run(sql`
          DELETE FROM ${tables.users}
          WHERE user_key = ${subject.key}
            AND user_id IS NULL
            AND forget_at <= ${now}`);
      }
      await run(insertUser(database, { subject, forgetAt }));
    }
    throw new Error('The row of a user neither grants an attempt nor refuses it.');
  });
  // The attempt is taken by now. What cannot be removed now is removed with the next new row.
  if (isNewRow) await forgetNames(database, now).catch(() => undefined);
  return result;
}

interface CountedAttempt {
  readonly request: AttemptRequest;
  readonly forgetAt: number | null;
}

function grantAttempt(database: Database, { request, forgetAt }: CountedAttempt): Statement {
  const { subject, channel } = request;
  const { attempts, nextAt, refusedAt } = COUNTER_COLUMNS[channel];
  // What depends on the old count comes before it: the SET of MySQL sees the columns that the same
  // statement has changed.
  return sql`
    UPDATE ${database.tables.users}
    SET ${nextAt} = ${waitUntil(database, request)},
      ${attempts} = ${attempts} + 1,
      ${refusedAt} = NULL,
      forget_at = ${forgetAt}
    WHERE user_key = ${subject.key}
      AND ${isGrantable(request)}
      ${andIsKept(request)}`;
}

function refuseAttempt(database: Database, { request, forgetAt }: CountedAttempt): Statement {
  const { subject, channel, now, refusal } = request;
  const { refusals, refusalId, refusedAt } = COUNTER_COLUMNS[channel];
  const isCounted = sql`${refusedAt} > ${now - REFUSALS_COUNTED_MS}`;
  return sql`
    UPDATE ${database.tables.users}
    SET ${refusals} = CASE WHEN ${isCounted} THEN ${refusals} + 1 ELSE 1 END,
      ${refusalId} = CASE WHEN ${isCounted} THEN ${refusalId} ELSE ${refusal.id} END,
      ${refusedAt} = CASE WHEN ${isCounted} THEN ${refusedAt} ELSE ${database.bigint(now)} END,
      forget_at = ${forgetAt}
    WHERE user_key = ${subject.key}
      AND NOT (${isGrantable(request)})
      ${andIsKept(request)}`;
}

function isGrantable({ channel, now, waits }: AttemptRequest): Statement {
  const { attempts, nextAt, lockedAt } = COUNTER_COLUMNS[channel];
  return sql`${attempts} < ${waits.length} AND ${lockedAt} IS NULL AND ${nextAt} <= ${now}`;
}

/** The counter of an unknown user name counts until it expires. */
function andIsKept({ subject, now }: AttemptRequest): Statement {
  return subject.userId === null ? sql`AND forget_at > ${now}` : sql``;
}

/**
 * When the next attempt may be taken, from the count before this one. Attempts in a row with the
 * same wait share a branch.
 */
function waitUntil(database: Database, { channel, now, waits }: AttemptRequest): Statement {
  const { attempts } = COUNTER_COLUMNS[channel];
  const until = (wait: number): Statement => database.bigint(wait === 0 ? 0 : now + wait);
  const branches: Statement[] = [];
  for (const [before, wait] of waits.entries()) {
    const isLast = before + 1 === waits.length;
    if (isLast || wait === waits[before + 1]) continue;
    branches.push(sql`WHEN ${attempts} < ${before + 1} THEN ${until(wait)}`);
  }
  const last = until(waits.at(-1) ?? 0);
  return branches.length === 0 ? last : sql`CASE ${sql.join(branches, sql` `)} ELSE ${last} END`;
}

interface TakenAttempt {
  readonly tables: Tables;
  readonly request: AttemptRequest;
}

async function readGranted(
  run: RunStatement,
  { tables, request: { subject, channel } }: TakenAttempt,
): Promise<AttemptResult> {
  // Not u.*: each code repeats the user's row, and a staged header would come with it.
  const columns = [
    ...CURRENT_SET_COLUMNS,
    `${channel}_attempts`,
    `${channel}_generation`,
    `${channel}_next_at`,
  ].map((name) => sql.ref(`u.${name}`));
  const { rows } = await run(sql`
    SELECT ${sql.join(columns)}, c.code_id, c.salt AS code_salt, c.digest, c.consumed_at
    FROM ${tables.users} u
    LEFT JOIN ${tables.codes} c
      ON c.user_key = u.user_key AND c.set_id = u.set_id AND u.revoked_at IS NULL
    WHERE u.user_key = ${subject.key}`);
  const row = rows[0] ?? {};
  const current = readCurrentSet(row);
  return {
    ok: true,
    ticket: {
      channel,
      attempt: readNumber(row, `${channel}_attempts`),
      generation: readNumber(row, `${channel}_generation`),
      nextAt: readNumber(row, `${channel}_next_at`),
    },
    current: current && { ...current, codes: rows.map(readStoredCode) },
  };
}

/** Counts the refusal in the event of an earlier one, or writes an event. */
async function recordRefusal(
  run: RunStatement,
  { tables, request: { subject, channel, waits, refusal } }: TakenAttempt,
): Promise<AttemptResult> {
  const { rows } = await run(sql`
    SELECT *
    FROM ${tables.users}
    WHERE user_key = ${subject.key}`);
  const row = rows[0] ?? {};
  const { attempts, lockedAt } = readChannel(row, channel);
  const reason = lockedAt !== null || attempts >= waits.length ? 'locked' : 'throttled';
  const nextAt = readNumber(row, `${channel}_next_at`);
  const refusals = readNumber(row, `${channel}_refusals`);
  if (refusals > 1) {
    const counted = await run(sql`
      UPDATE ${tables.events}
      SET refusals = ${refusals}
      WHERE event_id = ${row[`${channel}_refusal_id`]}`);
    if (counted.affected === 1) return { ok: false, reason, nextAt, events: [] };
    // The event was pruned meanwhile.
    const columns = COUNTER_COLUMNS[channel];
    await run(sql`
      UPDATE ${tables.users}
      SET ${columns.refusals} = 1,
        ${columns.refusalId} = ${refusal.id},
        ${columns.refusedAt} = ${refusal.at}
      WHERE user_key = ${subject.key}`);
  }
  const event = { ...refusal, reason, refusals: 1 } as const;
  await run(insertEvents(tables, [event]));
  return { ok: false, reason, nextAt, events: [event] };
}

/**
 * Removes the counters of unknown user names that have expired. Called only when a row was added,
 * so that an attempt takes no more statements and the table cannot grow without end.
 */
async function forgetNames(database: Database, now: number): Promise<void> {
  await database.transaction((run) =>
    run(sql`
      DELETE FROM ${database.tables.users}
      WHERE forget_at <= ${now}
        AND user_id IS NULL`),
  );
}
