// The store on a SQL database: a row for each code, and conditional writes that decide. A
// verification takes six statements: two to take the attempt, four to consume the code. On
// PostgreSQL it takes two, one for each step.
import { sql } from 'kysely';
import type { AuditEvent } from '../audit/events';
import type {
  BackupCodeAudit,
  EventsPage,
  EventsRequest,
  PruneRequest,
  RemindersRequest,
  Report,
  ReportRequest,
} from '../stores/audit-contract';
import type { BackupCodeStore } from '../stores/contract';
import type {
  ActivateRequest,
  AttemptRequest,
  AttemptResult,
  ConsumeRequest,
  Consumption,
  CountRequest,
  ForgetRequest,
  FoundUser,
  GiveBackRequest,
  LockedChannel,
  ReplaceRequest,
  RevokeRequest,
  StageRequest,
  UnlockRequest,
} from '../stores/requests';
import type { BackupCodeReplay, ReplayedEvents, ReplayRequest } from '../stores/replay-contract';
import type { Subject } from '../stores/subject';
import { consumeCode } from './consume-code';
import { countEvent } from './count-event';
import { Database } from './database';
import { insertEvents } from './event-rows';
import { forgetUser } from './forget-user';
import { confirmRefusal } from './galera';
import { readNameKey } from './name-key';
import { giveBackNetwork } from './network-counter';
import { readStoreOptions, type SqlStoreOptions } from './options';
import { prune } from './prune';
import { readEvents } from './read-events';
import { recordReminders } from './record-reminders';
import { replayEvents } from './replay-events';
import { recordedTransaction } from './repeatable-transaction';
import { report } from './report';
import { giveBackSecondFactor, lockSecondFactor, readSecondFactor } from './second-factor-counter';
import { activateSet, replaceSet, revokeSet, stageSet } from './set-changes';
import { readCurrentSet } from './set-rows';
import { takeAttempt } from './take-attempt';
import { unlockChannel } from './unlock-channel';

/**
 * Keeps backup codes and their audit trail in your own database: SQLite, PostgreSQL, MySQL or
 * MariaDB. Any number of processes may use one database.
 *
 * @example
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL });
 * const store = new SqlStore({ database: pool, tables: 'create' });
 * const backupCodes = new BackupCodes({ store, pepper });
 */
export class SqlStore implements BackupCodeStore, BackupCodeAudit, BackupCodeReplay {
  readonly #database: Database;

  /**
   * Does not query the database. The first call does.
   *
   * @throws {BackupCodeError} `invalid_option`
   */
  constructor(options: SqlStoreOptions) {
    this.#database = new Database(readStoreOptions('SqlStore', options));
  }

  replace(request: ReplaceRequest): Promise<readonly AuditEvent[]> {
    return replaceSet(this.#database, request);
  }

  stage(request: StageRequest): Promise<readonly AuditEvent[]> {
    return stageSet(this.#database, request);
  }

  activate(request: ActivateRequest): Promise<readonly AuditEvent[]> {
    return this.#change((on) => activateSet(on, request));
  }

  find(subject: Subject): Promise<FoundUser | null> {
    return confirmRefusal(this.#database, {
      decide: (on) => findUser(on, subject),
      isRefusal: (found) => found === null,
    });
  }

  takeAttempt(request: AttemptRequest): Promise<AttemptResult> {
    return takeAttempt(this.#database, request);
  }

  async giveBack(request: GiveBackRequest): Promise<void> {
    const { tables } = this.#database;
    const isRecovery = request.ticket.channel === 'recovery';
    const statement = isRecovery
      ? giveBackNetwork(tables, request)
      : giveBackSecondFactor(tables, request);
    await this.#database.write(statement);
  }

  consume(request: ConsumeRequest): Promise<Consumption> {
    return consumeCode(this.#database, request);
  }

  revoke(request: RevokeRequest): Promise<readonly AuditEvent[]> {
    return this.#change((on) => revokeSet(on, request));
  }

  forget(request: ForgetRequest): Promise<readonly AuditEvent[]> {
    return this.#change((on) => forgetUser(on, request));
  }

  unlock(request: UnlockRequest): Promise<readonly AuditEvent[]> {
    return this.#change((on) => unlockChannel(on, request));
  }

  append(events: readonly AuditEvent[], lock?: LockedChannel): Promise<readonly AuditEvent[]> {
    const { dialect, tables } = this.#database;
    const isOneStatement = dialect === 'postgres' && lock === undefined && events.length > 0;
    return recordedTransaction(this.#database, {
      events: lock ? [...events, lock.event] : events,
      first: isOneStatement
        ? async () => {
            await this.#database.write(insertEvents(tables, events));
            return events;
          }
        : null,
      work: async (run) => {
        const isLocked =
          lock !== undefined && (await run(lockSecondFactor(tables, lock))).affected === 1;
        const written = isLocked ? [...events, lock.event] : events;
        if (written.length > 0) await run(insertEvents(tables, written));
        return written;
      },
    });
  }

  count({ event }: CountRequest): Promise<readonly AuditEvent[]> {
    const database = this.#database;
    return countEvent((statement) => database.write(statement), { database, event });
  }

  nameKey(): Promise<Uint8Array> {
    return readNameKey(this.#database);
  }

  readEvents(request: EventsRequest): Promise<EventsPage> {
    return readEvents(this.#database, request);
  }

  prune(request: PruneRequest): Promise<number> {
    return prune(this.#database, request);
  }

  recordReminders(request: RemindersRequest): Promise<readonly AuditEvent[]> {
    return recordReminders(this.#database, request);
  }

  report(request: ReportRequest): Promise<Report> {
    return report(this.#database, request);
  }

  replayEvents(request: ReplayRequest): Promise<ReplayedEvents> {
    return replayEvents(this.#database, request);
  }

  /** That nothing was changed is confirmed: a node of Galera may not have the set yet. */
  #change(
    decide: (on: Database) => Promise<readonly AuditEvent[]>,
  ): Promise<readonly AuditEvent[]> {
    const isRefusal = (events: readonly AuditEvent[]): boolean => events.length === 0;
    return confirmRefusal(this.#database, { decide, isRefusal });
  }
}

async function findUser(database: Database, subject: Subject): Promise<FoundUser | null> {
  const { rows } = await database.read(sql`
    SELECT *
    FROM ${database.tables.users}
    WHERE user_key = ${subject.key}`);
  const row = rows[0];
  if (!row) return null;
  return {
    current: readCurrentSet(row),
    secondFactor: readSecondFactor(row),
  };
}
