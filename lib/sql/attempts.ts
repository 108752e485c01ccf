// The counts of attempts on both channels, in the row of their user: taking, giving back, closing. The conditional write decides.
import { sql, type RawBuilder } from 'kysely';
import type { Channel } from '../audit/context';
import type { AuditEvent } from '../audit/events';
import {
  NAME_KEPT_MS,
  REFUSALS_COUNTED_MS,
  type AttemptRequest,
  type AttemptResult,
  type LockedChannel,
  type StoredCode,
  type Ticket,
} from '../stores/contract';
import type { Subject } from '../stores/subject';
import type { Database, Run } from './database';
import {
  CURRENT_SET_COLUMNS,
  insertEvents,
  readCurrentSet,
  readChannel,
  readNumber,
  storableText,
} from './rows';

/** A row that is neither granted nor refused was just made or given back; this often in a row is a fault. */
const MAX_ROUNDS = 10;

/** Two statements: the conditional write that decides, and what it guards. */
export async function takeAttempt(
  database: Database,
  attempt: AttemptRequest,
): Promise<AttemptResult> {
  const { subject, channel, now, waits } = attempt;
  const [attempts, nextAt, lockedAt, refusals, refusalId, refusedAt] = channelColumns(
    channel,
    'attempts',
    'next_at',
    'locked_at',
    'refusals',
    'refusal_id',
    'refused_at',
  );
  const isGrantable = sql`${attempts} < ${waits.length} AND ${lockedAt} IS NULL AND ${nextAt} <= ${now}`;
  const [forgetAt, isKept] =
    subject.userId === null ? [now + NAME_KEPT_MS, sql` AND forget_at > ${now}`] : [null, sql``];
  const isCountedIn = sql`${refusedAt} > ${now - REFUSALS_COUNTED_MS}`;
  // What depends on the old count comes before it: MySQL's SET sees the columns that the same statement has changed.
  const grant = sql`UPDATE backup_code_users SET ${nextAt} = ${waitUntil(database, { attempts, now, waits })}, ${attempts} = ${attempts} + 1,
    ${refusedAt} = NULL, forget_at = ${forgetAt} WHERE user_key = ${subject.key} AND ${isGrantable}${isKept}`;
  const refuse = sql`UPDATE backup_code_users SET ${refusals} = CASE WHEN ${isCountedIn} THEN ${refusals} + 1 ELSE 1 END,
    ${refusalId} = CASE WHEN ${isCountedIn} THEN ${refusalId} ELSE ${attempt.refusal.id} END,
    ${refusedAt} = CASE WHEN ${isCountedIn} THEN ${refusedAt} ELSE ${database.bigint(now)} END, forget_at = ${forgetAt}
    WHERE user_key = ${subject.key} AND NOT (${isGrantable})${isKept}`;
  const taken = await database.transaction(async (run) => {
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      if ((await run(grant)).affected === 1)
        return { ...(await readGranted(run, attempt)), isNew: round > 1 };
      if ((await run(refuse)).affected === 1)
        return { ...(await recordRefusal(run, attempt)), isNew: false };
      if (forgetAt !== null)
        await run(
          sql`DELETE FROM backup_code_users WHERE user_key = ${subject.key} AND user_id IS NULL AND forget_at <= ${now}`,
        );
      await run(insertUser(database, { subject, forgetAt }));
    }
    throw new Error('The row of a user is neither granted an attempt nor refused one.');
  });
  const { isNew, ...result } = taken;
  // The attempt is taken by now: what is not swept today is swept with the next new row.
  if (isNew) await forgetNames(database, now).catch(() => undefined);
  return result;
}

export async function giveBack(
  database: Database,
  { subject, ticket }: { subject: Subject; ticket: Ticket },
): Promise<void> {
  const [attempts, nextAt, generation] = channelColumns(
    ticket.channel,
    'attempts',
    'next_at',
    'generation',
  );
  await database.transaction((run) =>
    run(sql`UPDATE backup_code_users SET ${nextAt} = CASE WHEN ${nextAt} = ${ticket.nextAt} THEN 0 ELSE ${nextAt} END, ${attempts} = ${attempts} - 1
      WHERE user_key = ${subject.key} AND ${generation} = ${ticket.generation} AND ${attempts} > 0`),
  );
}

export function lockChannel({ subject, ticket, now }: LockedChannel): RawBuilder<unknown> {
  const [lockedAt, generation] = channelColumns(ticket.channel, 'locked_at', 'generation');
  return sql`UPDATE backup_code_users SET ${lockedAt} = ${now} WHERE user_key = ${subject.key} AND ${generation} = ${ticket.generation}`;
}

/** The row of a user, where there is none. @param forgetAt of a name that belongs to nobody */
export function insertUser(
  database: Database,
  { subject: { key, userId }, forgetAt = null }: { subject: Subject; forgetAt?: number | null },
): RawBuilder<unknown> {
  return sql`INSERT INTO backup_code_users (user_key, user_id, forget_at) VALUES (${key}, ${storableText(userId)}, ${forgetAt}) ${database.keepExisting('user_key')}`;
}

/** When the next attempt may be taken, by the count before this one. Attempts in a row with the same wait are one branch. */
function waitUntil(
  database: Database,
  {
    attempts,
    now,
    waits,
  }: { attempts: RawBuilder<unknown>; now: number; waits: readonly number[] },
): RawBuilder<unknown> {
  const until = (wait: number): RawBuilder<unknown> => database.bigint(wait === 0 ? 0 : now + wait);
  const cases = waits.flatMap((wait, before) =>
    before + 1 === waits.length || wait === waits[before + 1]
      ? []
      : [sql`WHEN ${attempts} < ${before + 1} THEN ${until(wait)}`],
  );
  const last = until(waits.at(-1) ?? 0);
  return cases.length === 0 ? last : sql`CASE ${sql.join(cases, sql` `)} ELSE ${last} END`;
}

/** Only when a row was added, so that a verification stays at its statements and the table cannot grow without end. */
async function forgetNames(database: Database, now: number): Promise<void> {
  await database.transaction((run) =>
    run(sql`DELETE FROM backup_code_users WHERE forget_at <= ${now} AND user_id IS NULL`),
  );
}

async function readGranted(
  run: Run,
  { subject, channel }: { subject: Subject; channel: Channel },
): Promise<Extract<AttemptResult, { ok: true }>> {
  // Not u.*: the row comes once for each code, and a staged set's header with it.
  const columns = [
    ...CURRENT_SET_COLUMNS,
    `${channel}_attempts`,
    `${channel}_generation`,
    `${channel}_next_at`,
  ].map((name) => sql.raw(`u.${name}`));
  const { rows } =
    await run(sql`SELECT ${sql.join(columns)}, c.code_id, c.salt AS code_salt, c.digest, c.consumed_at FROM backup_code_users u
    LEFT JOIN backup_codes c ON c.user_key = u.user_key AND c.set_id = u.set_id AND u.revoked_at IS NULL WHERE u.user_key = ${subject.key}`);
  const [row = {}] = rows;
  const current = readCurrentSet(row);
  const codes = rows.map((code): StoredCode => ({
    codeId: String(code['code_id']),
    salt: String(code['code_salt']),
    digest: String(code['digest']),
    consumedAt: code['consumed_at'] === null ? null : readNumber(code, 'consumed_at'),
  }));
  return {
    ok: true,
    ticket: {
      channel,
      attempt: readNumber(row, `${channel}_attempts`),
      generation: readNumber(row, `${channel}_generation`),
      nextAt: readNumber(row, `${channel}_next_at`),
    },
    current: current && { ...current, codes },
  };
}

async function recordRefusal(
  run: Run,
  {
    subject,
    channel,
    waits,
    refusal,
  }: { subject: Subject; channel: Channel; waits: readonly number[]; refusal: AuditEvent },
): Promise<Extract<AttemptResult, { ok: false }>> {
  const { rows } = await run(sql`SELECT * FROM backup_code_users WHERE user_key = ${subject.key}`);
  const [row = {}] = rows;
  const { attempts, lockedAt } = readChannel(row, channel);
  const reason = lockedAt !== null || attempts >= waits.length ? 'locked' : 'throttled';
  const [refusals, nextAt] = [
    readNumber(row, `${channel}_refusals`),
    readNumber(row, `${channel}_next_at`),
  ];
  const counted =
    refusals > 1 &&
    (await run(
      sql`UPDATE backup_code_events SET refusals = ${refusals} WHERE event_id = ${row[`${channel}_refusal_id`]}`,
    ));
  if (counted && counted.affected === 1) return { ok: false, reason, nextAt, events: [] };
  if (counted) {
    // The event was pruned meanwhile.
    const [count, refusalId, refusedAt] = channelColumns(
      channel,
      'refusals',
      'refusal_id',
      'refused_at',
    );
    await run(
      sql`UPDATE backup_code_users SET ${count} = 1, ${refusalId} = ${refusal.id}, ${refusedAt} = ${refusal.at} WHERE user_key = ${subject.key}`,
    );
  }
  const events = [{ ...refusal, reason, refusals: 1 }] as const;
  await run(insertEvents(events));
  return { ok: false, reason, nextAt, events };
}

/** The columns of one channel's count. */
export function channelColumns<const Names extends readonly string[]>(
  channel: Channel,
  ...names: Names
): { [Place in keyof Names]: RawBuilder<unknown> } {
  return names.map((name) => sql.raw(`${channel}_${name}`)) as {
    [Place in keyof Names]: RawBuilder<unknown>;
  };
}
