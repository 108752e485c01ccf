// The store on a SQL database: a row per code, conditional writes that decide, one code path for every dialect.
// A verification is six statements: two to take the attempt, four to consume. Only strings, integers and null are bound.
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { sql, type RawBuilder } from 'kysely';
import { BackupCodeError } from '../errors';
import type { AuditEvent } from '../audit/events';
import type {
  BackupCodeAudit,
  EventsPage,
  Report,
  EventsRequest,
  PruneRequest,
  RemindersRequest,
  ReportRequest,
} from '../stores/audit-contract';
import type {
  BackupCodeStore,
  LockedChannel,
  Consumption,
  FoundUser,
  SetHeader,
  ActivateRequest,
  AttemptRequest,
  AttemptResult,
  ConsumeRequest,
  GiveBackRequest,
  ReplaceRequest,
  RevokeRequest,
  StageRequest,
} from '../stores/contract';
import { hasherName } from '../stores/report-builder';
import type { Subject } from '../stores/subject';
import { lockChannel, channelColumns, giveBack, insertUser, takeAttempt } from './attempts';
import { Database, type Run } from './database';
import type { SqlDatabase } from './dialect';
import { prune, readEvents, recordReminders, report } from './reports';
import {
  insertCodes,
  insertEvents,
  readCurrentSet,
  readChannel,
  readNumber,
  readStagedHeader,
} from './rows';

const NAME_KEY_BYTES = 32;

/**
 * Keeps backup codes in the app's own database. Make the tables with `createTables`.
 *
 * @example new BackupCodes({ store: new SqlStore(kysely), pepper })
 */
export class SqlStore implements BackupCodeStore, BackupCodeAudit {
  private readonly database: Database;

  /** @throws {BackupCodeError} `invalid_option` if it is given no Kysely, or a transaction */
  constructor(kysely: SqlDatabase) {
    this.database = Database.ofStore(kysely);
  }

  replace({
    subject,
    header,
    codes,
    event,
    now,
    only,
  }: ReplaceRequest): Promise<readonly AuditEvent[]> {
    return this.database.transaction(async (run) => {
      await run(insertUser(this.database, { subject }));
      const begun = await run(
        sql`${beginSet(header)} WHERE user_key = ${subject.key}${only === 'first' ? sql` AND set_id IS NULL` : sql``}`,
      );
      if (begun.affected !== 1) return [];
      await run(endCodes(subject, now));
      await run(insertCodes(subject, header.setId, codes, header.createdAt));
      await run(insertEvents([event]));
      return [event];
    });
  }

  stage({ subject, header, codes, event, until }: StageRequest): Promise<readonly AuditEvent[]> {
    return this.database.transaction(async (run) => {
      await run(insertUser(this.database, { subject }));
      await run(
        sql`UPDATE backup_code_users SET staged_set_id = ${header.setId}, staged_until = ${until}, staged_header = ${JSON.stringify(header)} WHERE user_key = ${subject.key}`,
      );
      await run(
        sql`${endCodes(subject, header.createdAt)} AND set_id <> COALESCE((SELECT set_id FROM backup_code_users WHERE user_key = ${subject.key}), '')`,
      );
      await run(insertCodes(subject, header.setId, codes, header.createdAt));
      await run(insertEvents([event]));
      return [event];
    });
  }

  activate({ subject, setId, now, event }: ActivateRequest): Promise<readonly AuditEvent[]> {
    return this.database.transaction(async (run) => {
      const claimed = await run(
        sql`UPDATE backup_code_users SET staged_set_id = NULL WHERE user_key = ${subject.key} AND staged_set_id = ${setId} AND staged_until > ${now}`,
      );
      if (claimed.affected !== 1) return [];
      const { rows } = await run(
        sql`SELECT staged_header FROM backup_code_users WHERE user_key = ${subject.key}`,
      );
      const header = readStagedHeader(rows[0]);
      await run(sql`${beginSet(header)} WHERE user_key = ${subject.key}`);
      await run(sql`${endCodes(subject, now)} AND set_id <> ${setId}`);
      const events = [{ ...event, remaining: header.total, total: header.total }];
      await run(insertEvents(events));
      return events;
    });
  }

  async find(subject: Subject): Promise<FoundUser | null> {
    const { rows } = await this.database.read(
      sql`SELECT * FROM backup_code_users WHERE user_key = ${subject.key}`,
    );
    const row = rows[0];
    return row
      ? {
          current: readCurrentSet(row),
          channels: {
            second_factor: readChannel(row, 'second_factor'),
            recovery: readChannel(row, 'recovery'),
          },
        }
      : null;
  }

  takeAttempt(attempt: AttemptRequest): Promise<AttemptResult> {
    return takeAttempt(this.database, attempt);
  }

  giveBack(attempt: GiveBackRequest): Promise<void> {
    return giveBack(this.database, attempt);
  }

  async consume({
    subject,
    setId,
    codeId,
    channel,
    now,
    events,
    milestones,
    replacement,
  }: ConsumeRequest): Promise<Consumption> {
    const [attempts, nextAt, generation, lockedAt, refusedAt] = channelColumns(
      channel,
      'attempts',
      'next_at',
      'generation',
      'locked_at',
      'refused_at',
    );
    const added = replacement ? 1 : 0;
    try {
      return await this.database.transaction(async (run) => {
        // The set row first: it is the lock under which `remaining` is exact, and revoking or replacing cannot slip between.
        const set =
          await run(sql`UPDATE backup_code_users SET remaining = remaining - 1 + ${added}, total = total + ${added}, last_consumed_at = ${now},
          ${attempts} = 0, ${nextAt} = 0, ${generation} = ${generation} + 1, ${refusedAt} = NULL
          WHERE user_key = ${subject.key} AND set_id = ${setId} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${now}) AND ${lockedAt} IS NULL`);
        if (set.affected !== 1)
          throw new Lost(await whyGone(run, { subject, setId, now, lockedAt }));
        const code = await run(
          sql`UPDATE backup_codes SET consumed_at = ${now} WHERE code_id = ${codeId} AND user_key = ${subject.key} AND set_id = ${setId} AND consumed_at IS NULL AND ended_at IS NULL`,
        );
        if (code.affected !== 1) throw new Lost(await whyLost(run, { subject, setId, codeId }));
        const { rows } = await run(
          sql`SELECT remaining, total FROM backup_code_users WHERE user_key = ${subject.key}`,
        );
        const [remaining, total] = [readNumber(rows[0], 'remaining'), readNumber(rows[0], 'total')];
        const reached = milestones
          .filter((milestone) => milestone.remaining === remaining)
          .map((milestone) => milestone.event);
        if (replacement) await run(insertCodes(subject, setId, [replacement], now));
        const written = [...events, ...reached].map((event) => ({ ...event, remaining, total }));
        await run(insertEvents(written));
        return { outcome: 'consumed', remaining, total, events: written };
      });
    } catch (error) {
      if (error instanceof Lost) return error.consumption;
      throw error;
    }
  }

  revoke({ subject, now, event }: RevokeRequest): Promise<readonly AuditEvent[]> {
    return this.database.transaction(async (run) => {
      const unstage = sql`staged_set_id = NULL, staged_until = NULL, staged_header = NULL`;
      const revoked = await run(
        sql`UPDATE backup_code_users SET revoked_at = ${now}, format = NULL, salt = NULL, pepper_check = NULL, ${unstage} WHERE user_key = ${subject.key} AND set_id IS NOT NULL AND revoked_at IS NULL`,
      );
      if (revoked.affected !== 1)
        await run(sql`UPDATE backup_code_users SET ${unstage} WHERE user_key = ${subject.key}`);
      await run(endCodes(subject, now));
      if (revoked.affected !== 1) return [];
      const { rows } = await run(
        sql`SELECT set_id FROM backup_code_users WHERE user_key = ${subject.key}`,
      );
      const setId = String(rows[0]?.['set_id']);
      const written = [{ ...event, setId }];
      await run(insertEvents(written));
      return written;
    });
  }

  append(events: readonly AuditEvent[], lock?: LockedChannel): Promise<readonly AuditEvent[]> {
    return this.database.transaction(async (run) => {
      const isLocked = lock !== undefined && (await run(lockChannel(lock))).affected === 1;
      const written = isLocked ? [...events, lock.event] : events;
      if (written.length > 0) await run(insertEvents(written));
      return written;
    });
  }

  async nameKey(): Promise<Uint8Array> {
    await this.database.transaction((run) =>
      run(
        sql`INSERT INTO backup_code_keys (name, value) VALUES ('names', ${randomBytes(NAME_KEY_BYTES).toString('hex')}) ${this.database.keepExisting('name')}`,
      ),
    );
    const { rows } = await this.database.read(
      sql`SELECT value FROM backup_code_keys WHERE name = 'names'`,
    );
    const key = Buffer.from(String(rows[0]?.['value']), 'hex');
    if (key.length !== NAME_KEY_BYTES)
      throw new BackupCodeError(
        'unreadable_set',
        'The key under which unknown names are counted is damaged.',
      );
    return key;
  }

  readEvents(query: EventsRequest): Promise<EventsPage> {
    return readEvents(this.database, query);
  }

  prune(log: PruneRequest): Promise<number> {
    return prune(this.database, log);
  }

  recordReminders(reminders: RemindersRequest): Promise<readonly AuditEvent[]> {
    return recordReminders(this.database, reminders);
  }

  report(query: ReportRequest): Promise<Report> {
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
}

/** Rolls the transaction back, and carries what to answer. */
class Lost extends Error {
  constructor(readonly consumption: Exclude<Consumption, { outcome: 'consumed' }>) {
    super(consumption.outcome);
  }
}

/** A set becomes the current one; both channels count from nothing, in a new generation. */
function beginSet({
  setId,
  format,
  salt,
  pepperId,
  check,
  total,
  createdAt,
  expiresAt,
}: SetHeader): RawBuilder<unknown> {
  return sql`UPDATE backup_code_users SET set_id = ${setId}, format = ${format}, salt = ${salt}, hasher = ${hasherName(salt)}, pepper_id = ${pepperId}, pepper_check = ${check},
    total = ${total}, remaining = ${total}, created_at = ${createdAt}, expires_at = ${expiresAt}, last_consumed_at = NULL, revoked_at = NULL, reminded = 0,
    staged_set_id = NULL, staged_until = NULL, staged_header = NULL,
    second_factor_attempts = 0, second_factor_next_at = 0, second_factor_generation = second_factor_generation + 1, second_factor_locked_at = NULL, second_factor_refused_at = NULL,
    recovery_attempts = 0, recovery_next_at = 0, recovery_generation = recovery_generation + 1, recovery_locked_at = NULL, recovery_refused_at = NULL`;
}

/** Tombstones: of the user's codes that have not ended, only the times stay. */
function endCodes({ key }: Subject, now: number): RawBuilder<unknown> {
  return sql`UPDATE backup_codes SET salt = NULL, digest = NULL, ended_at = ${now} WHERE user_key = ${key} AND ended_at IS NULL`;
}

async function whyGone(
  run: Run,
  {
    subject,
    setId,
    now,
    lockedAt,
  }: { subject: Subject; setId: string; now: number; lockedAt: RawBuilder<unknown> },
): Promise<Extract<Consumption, { outcome: 'gone' }>> {
  const { rows } = await run(
    sql`SELECT set_id, revoked_at, expires_at, ${lockedAt} AS locked_at FROM backup_code_users WHERE user_key = ${subject.key}`,
  );
  const row = rows[0];
  if (row?.['set_id'] !== setId || row['revoked_at'] !== null)
    return { outcome: 'gone', reason: 'none' };
  const isExpired = row['expires_at'] !== null && readNumber(row, 'expires_at') <= now;
  return {
    outcome: 'gone',
    reason: isExpired ? 'expired' : row['locked_at'] === null ? 'none' : 'locked',
  };
}

async function whyLost(
  run: Run,
  { subject, setId, codeId }: { subject: Subject; setId: string; codeId: string },
): Promise<Exclude<Consumption, { outcome: 'consumed' }>> {
  const { rows } = await run(sql`SELECT consumed_at FROM backup_codes
    WHERE code_id = ${codeId} AND user_key = ${subject.key} AND set_id = ${setId} AND consumed_at IS NOT NULL AND ended_at IS NULL`);
  return rows[0]
    ? { outcome: 'already_consumed', consumedAt: readNumber(rows[0], 'consumed_at') }
    : { outcome: 'gone', reason: 'none' };
}
