// The store on a SQL database: a row per code, conditional writes that decide, one code path for every dialect.
// A verification is six statements: two to take the attempt, four to consume. Only strings, integers and null are bound.
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { sql, type RawBuilder } from 'kysely';
import type { Door } from '../context';
import { BackupCodeError } from '../errors';
import type { AuditEvent } from '../events';
import type { BackupCodeReports, EventsPage, Reminder, Report, ReportQuery } from '../stores/reports';
import { NAME_KEPT_MS, REFUSALS_COUNTED_MS, type BackupCodeStore, type ClosedDoor, type Consumption, type FoundUser, type NewSet, type SetHeader, type StoredCode, type TakenAttempt, type Ticket } from '../stores/store';
import { hasherName } from '../stores/tally';
import type { Subject } from '../subject';
import { Database, type Run } from './database';
import type { SqlDatabase } from './dialect';
import { prune, readEvents, remind, report } from './reports';
import { CURRENT_SET_COLUMNS, insertCodes, insertEvents, readCurrentSet, readDoor, readNumber, readStagedHeader, storableText } from './rows';

const NAME_KEY_BYTES = 32;
/** A row that is neither granted nor refused was just made or given back; this often in a row is a fault. */
const MAX_ROUNDS = 10;

/**
 * Keeps backup codes in the app's own database. Make the tables with `createTables`.
 *
 * @example new BackupCodes({ store: new SqlStore(kysely), pepper })
 */
export class SqlStore implements BackupCodeStore, BackupCodeReports {
  private readonly database: Database;

  /** @throws {BackupCodeError} `invalid_option` if it is given no Kysely, or a transaction */
  constructor(kysely: SqlDatabase) {
    this.database = Database.ofStore(kysely);
  }

  replace({ subject, header, codes, event, now, only }: NewSet & { now: number; only?: 'first' }): Promise<boolean> {
    return this.database.transaction(async (run) => {
      await run(this.insertUser(subject, null));
      const begun = await run(sql`${beginSet(header)} WHERE user_key = ${subject.key}${only === 'first' ? sql` AND set_id IS NULL` : sql``}`);
      if (begun.affected !== 1) return false;
      await run(endCodes(subject, now));
      await run(insertCodes(subject, header.setId, codes, header.createdAt));
      await run(insertEvents([event]));
      return true;
    });
  }

  stage({ subject, header, codes, event, until }: NewSet & { until: number }): Promise<void> {
    return this.database.transaction(async (run) => {
      await run(this.insertUser(subject, null));
      await run(sql`UPDATE backup_code_users SET staged_set_id = ${header.setId}, staged_until = ${until}, staged_header = ${JSON.stringify(header)} WHERE user_key = ${subject.key}`);
      await run(sql`${endCodes(subject, header.createdAt)} AND set_id <> COALESCE((SELECT set_id FROM backup_code_users WHERE user_key = ${subject.key}), '')`);
      await run(insertCodes(subject, header.setId, codes, header.createdAt));
      await run(insertEvents([event]));
    });
  }

  activate({ subject, setId, now, event }: { subject: Subject; setId: string; now: number; event: AuditEvent }): Promise<SetHeader | null> {
    return this.database.transaction(async (run) => {
      const claimed = await run(sql`UPDATE backup_code_users SET staged_set_id = NULL WHERE user_key = ${subject.key} AND staged_set_id = ${setId} AND staged_until > ${now}`);
      if (claimed.affected !== 1) return null;
      const { rows } = await run(sql`SELECT staged_header FROM backup_code_users WHERE user_key = ${subject.key}`);
      const header = readStagedHeader(rows[0]);
      await run(sql`${beginSet(header)} WHERE user_key = ${subject.key}`);
      await run(sql`${endCodes(subject, now)} AND set_id <> ${setId}`);
      await run(insertEvents([{ ...event, remaining: header.total, total: header.total }]));
      return header;
    });
  }

  async find(subject: Subject): Promise<FoundUser | null> {
    const { rows } = await this.database.read(sql`SELECT * FROM backup_code_users WHERE user_key = ${subject.key}`);
    const row = rows[0];
    return row ? { current: readCurrentSet(row), doors: { 'first-factor': readDoor(row, 'factor'), nothing: readDoor(row, 'nothing') } } : null;
  }

  async takeAttempt(attempt: Parameters<BackupCodeStore['takeAttempt']>[0]): Promise<TakenAttempt> {
    const { subject, door, now, waits } = attempt;
    const [attempts, nextAt, disabledAt, refusals, refusalId, refusedAt] = doorColumns(door, 'attempts', 'next_at', 'disabled_at', 'refusals', 'refusal_id', 'refused_at');
    const isGrantable = sql`${attempts} < ${waits.length} AND ${disabledAt} IS NULL AND ${nextAt} <= ${now}`;
    const [forgetAt, isKept] = subject.userId === null ? [now + NAME_KEPT_MS, sql` AND forget_at > ${now}`] : [null, sql``];
    const isCountedIn = sql`${refusedAt} > ${now - REFUSALS_COUNTED_MS}`;
    // What depends on the old count comes before it: MySQL's SET sees the columns that the same statement has changed.
    const grant = sql`UPDATE backup_code_users SET ${nextAt} = ${this.waitUntil(attempts, now, waits)}, ${attempts} = ${attempts} + 1,
      ${refusedAt} = NULL, forget_at = ${forgetAt} WHERE user_key = ${subject.key} AND ${isGrantable}${isKept}`;
    const refuse = sql`UPDATE backup_code_users SET ${refusals} = CASE WHEN ${isCountedIn} THEN ${refusals} + 1 ELSE 1 END,
      ${refusalId} = CASE WHEN ${isCountedIn} THEN ${refusalId} ELSE ${attempt.refusal.id} END,
      ${refusedAt} = CASE WHEN ${isCountedIn} THEN ${refusedAt} ELSE ${this.database.bigint(now)} END, forget_at = ${forgetAt}
      WHERE user_key = ${subject.key} AND NOT (${isGrantable})${isKept}`;
    const taken = await this.database.transaction(async (run) => {
      for (let round = 1; round <= MAX_ROUNDS; round += 1) {
        if ((await run(grant)).affected === 1) return { ...(await readGranted(run, attempt)), isNew: round > 1 };
        if ((await run(refuse)).affected === 1) return { ...(await recordRefusal(run, attempt)), isNew: false };
        if (forgetAt !== null) await run(sql`DELETE FROM backup_code_users WHERE user_key = ${subject.key} AND user_id IS NULL AND forget_at <= ${now}`);
        await run(this.insertUser(subject, forgetAt));
      }
      throw new Error('The row of a user is neither granted an attempt nor refused one.');
    });
    const { isNew, ...result } = taken;
    // The attempt is taken by now: what is not swept today is swept with the next new row.
    if (isNew) await this.forgetNames(now).catch(() => undefined);
    return result;
  }

  async giveBack({ subject, ticket }: { subject: Subject; ticket: Ticket }): Promise<void> {
    const [attempts, nextAt, generation] = doorColumns(ticket.door, 'attempts', 'next_at', 'generation');
    await this.database.transaction((run) =>
      run(sql`UPDATE backup_code_users SET ${nextAt} = CASE WHEN ${nextAt} = ${ticket.nextAt} THEN 0 ELSE ${nextAt} END, ${attempts} = ${attempts} - 1
        WHERE user_key = ${subject.key} AND ${generation} = ${ticket.generation} AND ${attempts} > 0`),
    );
  }

  async consume({ subject, setId, codeId, door, now, events, milestones, replacement }: Parameters<BackupCodeStore['consume']>[0]): Promise<Consumption> {
    const [attempts, nextAt, generation, disabledAt, refusedAt] = doorColumns(door, 'attempts', 'next_at', 'generation', 'disabled_at', 'refused_at');
    const added = replacement ? 1 : 0;
    try {
      return await this.database.transaction(async (run) => {
        // The set row first: it is the lock under which `remaining` is exact, and revoking or replacing cannot slip between.
        const set = await run(sql`UPDATE backup_code_users SET remaining = remaining - 1 + ${added}, total = total + ${added}, last_consumed_at = ${now},
          ${attempts} = 0, ${nextAt} = 0, ${generation} = ${generation} + 1, ${refusedAt} = NULL
          WHERE user_key = ${subject.key} AND set_id = ${setId} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${now}) AND ${disabledAt} IS NULL`);
        if (set.affected !== 1) throw new Lost(await whyGone(run, { subject, setId, now, disabledAt }));
        const code = await run(sql`UPDATE backup_codes SET consumed_at = ${now} WHERE code_id = ${codeId} AND user_key = ${subject.key} AND set_id = ${setId} AND consumed_at IS NULL AND ended_at IS NULL`);
        if (code.affected !== 1) throw new Lost(await whyLost(run, { subject, setId, codeId }));
        const { rows } = await run(sql`SELECT remaining, total FROM backup_code_users WHERE user_key = ${subject.key}`);
        const [remaining, total] = [readNumber(rows[0], 'remaining'), readNumber(rows[0], 'total')];
        const reached = milestones.filter((milestone) => milestone.remaining === remaining).map((milestone) => milestone.event);
        if (replacement) await run(insertCodes(subject, setId, [replacement], now));
        await run(insertEvents([...events, ...reached].map((event) => ({ ...event, remaining, total }))));
        return { outcome: 'consumed', remaining, total };
      });
    } catch (error) {
      if (error instanceof Lost) return error.consumption;
      throw error;
    }
  }

  revoke({ subject, now, event }: { subject: Subject; now: number; event: AuditEvent }): Promise<string | null> {
    return this.database.transaction(async (run) => {
      const unstage = sql`staged_set_id = NULL, staged_until = NULL, staged_header = NULL`;
      const revoked = await run(sql`UPDATE backup_code_users SET revoked_at = ${now}, format = NULL, salt = NULL, pepper_check = NULL, ${unstage} WHERE user_key = ${subject.key} AND set_id IS NOT NULL AND revoked_at IS NULL`);
      if (revoked.affected !== 1) await run(sql`UPDATE backup_code_users SET ${unstage} WHERE user_key = ${subject.key}`);
      await run(endCodes(subject, now));
      if (revoked.affected !== 1) return null;
      const { rows } = await run(sql`SELECT set_id FROM backup_code_users WHERE user_key = ${subject.key}`);
      const setId = String(rows[0]?.['set_id']);
      await run(insertEvents([{ ...event, setId }]));
      return setId;
    });
  }

  append(events: readonly AuditEvent[], closes?: ClosedDoor): Promise<boolean> {
    return this.database.transaction(async (run) => {
      const isClosed = closes !== undefined && (await run(closeDoor(closes))).affected === 1;
      const written = isClosed ? [...events, closes.event] : events;
      if (written.length > 0) await run(insertEvents(written));
      return isClosed;
    });
  }

  async nameKey(): Promise<Uint8Array> {
    await this.database.transaction((run) => run(sql`INSERT INTO backup_code_keys (name, value) VALUES ('names', ${randomBytes(NAME_KEY_BYTES).toString('hex')}) ${this.database.keepExisting('name')}`));
    const { rows } = await this.database.read(sql`SELECT value FROM backup_code_keys WHERE name = 'names'`);
    const key = Buffer.from(String(rows[0]?.['value']), 'hex');
    if (key.length !== NAME_KEY_BYTES) throw new BackupCodeError('unreadable_set', 'The key under which unknown names are counted is damaged.');
    return key;
  }

  readEvents(query: Parameters<BackupCodeReports['readEvents']>[0]): Promise<EventsPage> {
    return readEvents(this.database, query);
  }

  prune(log: { before: number }): Promise<number> {
    return prune(this.database, log);
  }

  remind(reminders: Parameters<BackupCodeReports['remind']>[0]): Promise<readonly Reminder[]> {
    return remind(this.database, reminders);
  }

  report(query: ReportQuery): Promise<Report> {
    return report(this.database, query);
  }

  /** Shows no connection string, whoever prints this. */
  [inspect.custom](): string {
    return 'SqlStore {}';
  }

  /** Nor whoever logs it as JSON. */
  toJSON(): string {
    return this[inspect.custom]();
  }

  private insertUser({ key, userId }: Subject, forgetAt: number | null): RawBuilder<unknown> {
    return sql`INSERT INTO backup_code_users (user_key, user_id, forget_at) VALUES (${key}, ${storableText(userId)}, ${forgetAt}) ${this.database.keepExisting('user_key')}`;
  }

  /** When the next attempt may be taken, by the count before this one. Attempts in a row with the same wait are one branch. */
  private waitUntil(attempts: RawBuilder<unknown>, now: number, waits: readonly number[]): RawBuilder<unknown> {
    const until = (wait: number): RawBuilder<unknown> => this.database.bigint(wait === 0 ? 0 : now + wait);
    const cases = waits.flatMap((wait, before) => (before + 1 === waits.length || wait === waits[before + 1] ? [] : [sql`WHEN ${attempts} < ${before + 1} THEN ${until(wait)}`]));
    const last = until(waits.at(-1) ?? 0);
    return cases.length === 0 ? last : sql`CASE ${sql.join(cases, sql` `)} ELSE ${last} END`;
  }

  /** Only when a row was added, so that a verification stays at its statements and the table cannot grow without end. */
  private async forgetNames(now: number): Promise<void> {
    await this.database.transaction((run) => run(sql`DELETE FROM backup_code_users WHERE forget_at <= ${now} AND user_id IS NULL`));
  }
}

/** Rolls the transaction back, and carries what to answer. */
class Lost extends Error {
  constructor(readonly consumption: Exclude<Consumption, { outcome: 'consumed' }>) {
    super(consumption.outcome);
  }
}

/** A set becomes the current one; both doors count from nothing, in a new generation. */
function beginSet({ setId, format, salt, pepperId, check, total, createdAt, expiresAt }: SetHeader): RawBuilder<unknown> {
  return sql`UPDATE backup_code_users SET set_id = ${setId}, format = ${format}, salt = ${salt}, hasher = ${hasherName(salt)}, pepper_id = ${pepperId}, pepper_check = ${check},
    total = ${total}, remaining = ${total}, created_at = ${createdAt}, expires_at = ${expiresAt}, last_consumed_at = NULL, revoked_at = NULL, reminded = 0,
    staged_set_id = NULL, staged_until = NULL, staged_header = NULL,
    factor_attempts = 0, factor_next_at = 0, factor_generation = factor_generation + 1, factor_disabled_at = NULL, factor_refused_at = NULL,
    nothing_attempts = 0, nothing_next_at = 0, nothing_generation = nothing_generation + 1, nothing_disabled_at = NULL, nothing_refused_at = NULL`;
}

/** Tombstones: of the user's codes that have not ended, only the times stay. */
function endCodes({ key }: Subject, now: number): RawBuilder<unknown> {
  return sql`UPDATE backup_codes SET salt = NULL, digest = NULL, ended_at = ${now} WHERE user_key = ${key} AND ended_at IS NULL`;
}

function closeDoor({ subject, ticket, now }: ClosedDoor): RawBuilder<unknown> {
  const [disabledAt, generation] = doorColumns(ticket.door, 'disabled_at', 'generation');
  return sql`UPDATE backup_code_users SET ${disabledAt} = ${now} WHERE user_key = ${subject.key} AND ${generation} = ${ticket.generation}`;
}

async function readGranted(run: Run, { subject, door }: { subject: Subject; door: Door }): Promise<Extract<TakenAttempt, { ok: true }>> {
  const prefix = prefixOf(door);
  // Not u.*: the row comes once for each code, and a staged set's header with it.
  const columns = [...CURRENT_SET_COLUMNS, `${prefix}_attempts`, `${prefix}_generation`, `${prefix}_next_at`].map((name) => sql.raw(`u.${name}`));
  const { rows } = await run(sql`SELECT ${sql.join(columns)}, c.code_id, c.salt AS code_salt, c.digest, c.consumed_at FROM backup_code_users u
    LEFT JOIN backup_codes c ON c.user_key = u.user_key AND c.set_id = u.set_id AND u.revoked_at IS NULL WHERE u.user_key = ${subject.key}`);
  const [row = {}] = rows;
  const current = readCurrentSet(row);
  const codes = rows.map(
    (code): StoredCode => ({
      codeId: String(code['code_id']),
      salt: String(code['code_salt']),
      digest: String(code['digest']),
      consumedAt: code['consumed_at'] === null ? null : readNumber(code, 'consumed_at'),
    }),
  );
  return {
    ok: true,
    ticket: { door, attempt: readNumber(row, `${prefix}_attempts`), generation: readNumber(row, `${prefix}_generation`), nextAt: readNumber(row, `${prefix}_next_at`) },
    current: current && { ...current, codes },
  };
}

async function recordRefusal(
  run: Run,
  { subject, door, waits, refusal }: { subject: Subject; door: Door; waits: readonly number[]; refusal: AuditEvent },
): Promise<Extract<TakenAttempt, { ok: false }>> {
  const { rows } = await run(sql`SELECT * FROM backup_code_users WHERE user_key = ${subject.key}`);
  const [row = {}] = rows;
  const prefix = prefixOf(door);
  const { attempts, disabledAt } = readDoor(row, prefix);
  const reason = disabledAt !== null || attempts >= waits.length ? 'disabled' : 'throttled';
  const [refusals, nextAt] = [readNumber(row, `${prefix}_refusals`), readNumber(row, `${prefix}_next_at`)];
  const counted = refusals > 1 && (await run(sql`UPDATE backup_code_events SET refusals = ${refusals} WHERE event_id = ${row[`${prefix}_refusal_id`]}`));
  if (counted && counted.affected === 1) return { ok: false, reason, nextAt, isFirst: false };
  if (counted) {
    // The event was pruned meanwhile.
    const [count, refusalId, refusedAt] = doorColumns(door, 'refusals', 'refusal_id', 'refused_at');
    await run(sql`UPDATE backup_code_users SET ${count} = 1, ${refusalId} = ${refusal.id}, ${refusedAt} = ${refusal.at} WHERE user_key = ${subject.key}`);
  }
  await run(insertEvents([{ ...refusal, reason, refusals: 1 }]));
  return { ok: false, reason, nextAt, isFirst: true };
}

async function whyGone(
  run: Run,
  { subject, setId, now, disabledAt }: { subject: Subject; setId: string; now: number; disabledAt: RawBuilder<unknown> },
): Promise<Extract<Consumption, { outcome: 'gone' }>> {
  const { rows } = await run(sql`SELECT set_id, revoked_at, expires_at, ${disabledAt} AS disabled_at FROM backup_code_users WHERE user_key = ${subject.key}`);
  const row = rows[0];
  if (row?.['set_id'] !== setId || row['revoked_at'] !== null) return { outcome: 'gone', reason: 'none' };
  const isExpired = row['expires_at'] !== null && readNumber(row, 'expires_at') <= now;
  return { outcome: 'gone', reason: isExpired ? 'expired' : row['disabled_at'] === null ? 'none' : 'disabled' };
}

async function whyLost(run: Run, { subject, setId, codeId }: { subject: Subject; setId: string; codeId: string }): Promise<Exclude<Consumption, { outcome: 'consumed' }>> {
  const { rows } = await run(sql`SELECT consumed_at FROM backup_codes
    WHERE code_id = ${codeId} AND user_key = ${subject.key} AND set_id = ${setId} AND consumed_at IS NOT NULL AND ended_at IS NULL`);
  return rows[0] ? { outcome: 'already-consumed', consumedAt: readNumber(rows[0], 'consumed_at') } : { outcome: 'gone', reason: 'none' };
}

/** What the columns of a door's count begin with. */
function prefixOf(door: Door): 'factor' | 'nothing' {
  return door === 'first-factor' ? 'factor' : 'nothing';
}

/** The columns of one door's count. */
function doorColumns<const Names extends readonly string[]>(door: Door, ...names: Names): { [Place in keyof Names]: RawBuilder<unknown> } {
  return names.map((name) => sql.raw(`${prefixOf(door)}_${name}`)) as { [Place in keyof Names]: RawBuilder<unknown> };
}
