// The service: issues, consumes and ends sets of backup codes for users. Knows no request, no session and no SQL.
import { inspect } from 'node:util';
import { readAdopted } from './adopt';
import { parseConfig, type BackupCodesOptions, type Config } from './options';
import { consumeCode, dummySet, type ConsumeParts, type Outcome } from './consume';
import { cleanContext, type Channel, type Context } from '../audit/context';
import { BackupCodeError } from '../errors';
import {
  auditEvent,
  Listeners,
  type ApprovalEventType,
  type ApprovalFacts,
  type AuditEvent,
  type ErrorListener,
  type EventType,
  type Listener,
} from '../audit/events';
import type { Format } from '../codes/formats';
import { makeSet } from './issue';
import { assertOptions } from '../internal/validate';
import { due, prune, readEvents, report, type EventsQuery } from './audit';
import type { DueSet, EventsPage, Report } from '../stores/audit-contract';
import type { FoundUser, NewSet } from '../stores/contract';
import { nameSubject, userSubject, type Subject, type UserId } from '../stores/subject';

const DAY_MS = 86_400_000;
/** How long a staged set may wait for `activate`. */
const STAGED_MS = 3_600_000;

/** A new set. The codes exist here and nowhere else: show them once, and let go of them. */
export interface IssuedSet {
  readonly setId: string;
  readonly codes: string[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970; `null`: never. */
  readonly expiresAt: number | null;
}

/** What may be shown of a set to its owner and to support. Times are milliseconds since 1970. */
export interface SetStatus {
  readonly setId: string;
  /** Codes in the set, consumed ones too. */
  readonly total: number;
  readonly remaining: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastConsumedAt: number | null;
  /** Too many failures closed a channel; a new set unlocks it. */
  readonly locked: { readonly secondFactor: boolean; readonly recovery: boolean };
  /** `lowAt` or fewer are left. */
  readonly low: boolean;
  /** Older than `rotateAfterDays`. */
  readonly rotationDue: boolean;
  readonly expired: boolean;
}

/** Backup codes over one store. Safe to share by all requests; any number of processes may serve one database. */
export class BackupCodes {
  /** What new codes look like, and which formats are read, newest first. */
  readonly formats: readonly Format[];
  private readonly config: Config;
  private readonly listeners = new Listeners();
  private readonly consumeParts: ConsumeParts;
  private nameKey: Promise<Uint8Array> | null = null;

  /** @throws {BackupCodeError} `invalid_option`, `invalid_format`, `invalid_hasher`, `invalid_pepper` */
  constructor(options: BackupCodesOptions) {
    this.config = parseConfig(options);
    this.formats = this.config.formats;
    this.consumeParts = {
      config: this.config,
      dummy: dummySet(this.config),
      tell: (events) => this.listeners.tell(events),
    };
  }

  /**
   * Makes a new set that works at once. The old one, if any, is dead in the same instant; if this fails it is whole.
   *
   * @throws {BackupCodeError} `invalid_user_id`, `busy`
   */
  async issue(userId: UserId, context?: Context): Promise<IssuedSet> {
    const { set, issued } = await this.make('issued', userId, { context });
    await this.config.store.replace({ ...set, now: issued.createdAt });
    this.listeners.tell([set.event]);
    return issued;
  }

  /**
   * Takes over codes that the app printed before, as the user's first set: only where no set was ever recorded for this user. Read
   * them from your own records, never from a browser. Their day of expiry counts from now.
   *
   * @param options.format what the codes look like; one of the formats of this BackupCodes
   * @returns false, with nothing changed, where the user has or had a set
   * @throws {BackupCodeError} `invalid_codes`, `invalid_format`, `invalid_user_id`, `busy`
   */
  async adopt(
    userId: UserId,
    plainCodes: readonly string[],
    options: { readonly format: Format; readonly context?: Context },
  ): Promise<boolean> {
    assertOptions('adopt', options, ['format', 'context']);
    const { set, issued } = await this.make('adopted', userId, {
      context: options.context,
      adopted: readAdopted(this.config, plainCodes, options.format),
    });
    const isWritten = await this.config.store.replace({
      ...set,
      now: issued.createdAt,
      only: 'first',
    });
    if (isWritten) this.listeners.tell([set.event]);
    return isWritten;
  }

  /**
   * Makes a set that does not work until {@link activate} is called with its id, within the hour. The current set
   * goes on working meanwhile, so that a closed tab costs nobody their codes. A later call drops the earlier set.
   *
   * @throws {BackupCodeError} `invalid_user_id`, `busy`
   */
  async stage(userId: UserId, context?: Context): Promise<IssuedSet> {
    const { set, issued } = await this.make('staged', userId, { context });
    await this.config.store.stage({ ...set, until: issued.createdAt + STAGED_MS });
    this.listeners.tell([set.event]);
    return issued;
  }

  /**
   * Puts the staged set of this id in the place of the current one.
   *
   * @returns false if there is no such staged set, or not any more
   * @throws {BackupCodeError} `invalid_user_id`
   */
  async activate(userId: UserId, setId: string, context?: Context): Promise<boolean> {
    const subject = userSubject(userId);
    // It comes from a form: what no set was ever named is not asked of the store.
    if (typeof setId !== 'string' || !/^[0-9a-f]{32}$/.test(setId)) return false;
    const event = auditEvent('activated', {
      at: this.config.now(),
      userId: subject.userId,
      setId,
      context: cleanContext(context),
    });
    const header = await this.config.store.activate({ subject, setId, now: event.at, event });
    if (header === null) return false;
    this.listeners.tell([{ ...event, remaining: header.total, total: header.total }]);
    return true;
  }

  /**
   * Checks a typed code and consumes it if it is right. Of any number of callers with one code exactly one is told `ok`.
   *
   * @param code what was typed, of any type; anything but a string that reads as a code is `malformed`
   * @throws {BackupCodeError} `invalid_user_id`; `unknown_pepper`, `wrong_pepper`, `unreadable_hash` or
   *   `unreadable_set` if the stored set cannot be checked, which is charged to nobody; and whatever the store throws
   */
  async consume(userId: UserId, code: unknown, context?: Context): Promise<Outcome> {
    const subject = userSubject(userId);
    return consumeCode(this.consumeParts, {
      userId: subject.userId,
      locate: () => Promise.resolve(subject),
      typed: code,
      context: cleanContext(context),
    });
  }

  /**
   * For a user name that belongs to nobody: the same work, the same waits, never `ok`. The name is stored nowhere.
   *
   * @throws {BackupCodeError} `invalid_username` if it is no string of 1 to 320 characters
   */
  async rejectUnknownUser(
    username: string,
    code: unknown,
    context?: Context,
  ): Promise<Extract<Outcome, { ok: false }>> {
    if (typeof username !== 'string' || username.length < 1 || username.length > 320) {
      throw new BackupCodeError(
        'invalid_username',
        'A user name must be a string of 1 to 320 characters.',
      );
    }
    const locate = async (): Promise<Subject> =>
      nameSubject(this.config.normalizeUsername(username), await this.loadNameKey());
    const outcome = await consumeCode(this.consumeParts, {
      userId: null,
      locate,
      typed: code,
      context: cleanContext(context),
    });
    if (outcome.ok)
      throw new BackupCodeError(
        'invalid_result',
        'The store gave a set to a name that belongs to nobody.',
      );
    return outcome;
  }

  /** @returns `null` if the user has no set @throws {BackupCodeError} `invalid_user_id` */
  async status(userId: UserId): Promise<SetStatus | null> {
    const found = await this.config.store.find(userSubject(userId));
    if (!found?.current) return null;
    const { setId, total, remaining, createdAt, expiresAt, lastConsumedAt } = found.current;
    const { rotateAfterDays, lowAt, waits } = this.config;
    const now = this.config.now();
    return {
      setId,
      total,
      remaining,
      createdAt,
      expiresAt,
      lastConsumedAt,
      locked: {
        secondFactor: isLocked(found.channels.second_factor, waits),
        recovery: isLocked(found.channels.recovery, waits),
      },
      low: remaining <= lowAt,
      rotationDue: rotateAfterDays !== null && now >= createdAt + rotateAfterDays * DAY_MS,
      expired: expiresAt !== null && now >= expiresAt,
    };
  }

  /**
   * Ends the set, and a staged one, without a new one: for the owner, an administrator (`context.actor`), or when the
   * account goes.
   *
   * @returns whether there was a set
   * @throws {BackupCodeError} `invalid_user_id`
   */
  async revoke(userId: UserId, context?: Context): Promise<boolean> {
    const subject = userSubject(userId);
    const event = auditEvent('revoked', {
      at: this.config.now(),
      userId: subject.userId,
      context: cleanContext(context),
    });
    const setId = await this.config.store.revoke({ subject, now: event.at, event });
    if (setId === null) return false;
    this.listeners.tell([{ ...event, setId }]);
    return true;
  }

  /**
   * Records that a code was consumed for a login that then failed: nobody got in, and no code is ever un-consumed. The
   * strategy and `completeLogin` call it; call it yourself where you log people in without them.
   *
   * @param code what `consume` returned of the code
   * @throws {BackupCodeError} `invalid_user_id`
   */
  async recordUnfinishedLogin(
    userId: UserId,
    code: { readonly setId: string; readonly codeId: string },
    context?: Context,
  ): Promise<void> {
    const { setId, codeId } = code;
    await this.record('login_unfinished', userId, { setId, codeId, context });
  }

  /**
   * Records a step of two people; `TwoPersonApproval` of `passport-backup-code/approval` calls it.
   *
   * @param step `code`: what `consume` returned of the code that was given for it
   * @throws {BackupCodeError} `invalid_user_id`
   */
  async recordApproval(
    userId: UserId,
    {
      type,
      approval,
      code,
    }: {
      readonly type: ApprovalEventType;
      readonly approval: ApprovalFacts;
      readonly code?: { readonly setId: string; readonly codeId: string };
    },
    context?: Context,
  ): Promise<void> {
    const { id, action, target, reason } = approval;
    const { setId, codeId } = code ?? { setId: null, codeId: null };
    await this.record(type, userId, {
      approval: Object.freeze({ id, action, target, reason }),
      setId,
      codeId,
      context,
    });
  }

  /**
   * A page of the audit trail: when, who, where, what, with which outcome. In the order of the commits, so that a
   * notifier that goes on from the last `cursor` is told of each event at least once. The newest few are withheld as long as
   * an older one may still be on its way: on MySQL and MariaDB two seconds, on PostgreSQL while another transaction writes.
   *
   * @throws {BackupCodeError} `invalid_user_id`, `invalid_cursor`, `invalid_limit`, `invalid_option`, `not_supported`
   */
  events(query: EventsQuery = {}): Promise<EventsPage> {
    return readEvents(this.config, query);
  }

  /**
   * Removes audit events from before a time, and the times of sets that ended before it (on Redis these leave by themselves after
   * 400 days): keep as much as your policy says.
   *
   * @returns how many events went
   * @throws {BackupCodeError} `invalid_date` if it lies in the future, `not_supported`
   */
  prune(options: { readonly before: number | Date }): Promise<number> {
    return prune(this.config, options);
  }

  /**
   * Sets for which a reminder is due: 30 and 7 days before they expire, and when they have. Call it daily. Each is
   * returned once, with its `expiring` or `expired` event, however many processes call; after a pause only the latest.
   *
   * @param options.now default: the clock
   * @throws {BackupCodeError} `invalid_date`, `not_supported`
   */
  due(options: { readonly now?: number | Date } = {}): Promise<DueSet[]> {
    return due(this.config, options, (events) => this.listeners.tell(events));
  }

  /**
   * Counts over all users, and who failed unusually often.
   *
   * @param options.since from when events count; default 30 days ago
   * @throws {BackupCodeError} `invalid_date`, `not_supported`
   */
  report(options: { readonly since?: number | Date } = {}): Promise<Report> {
    return report(this.config, options);
  }

  /**
   * Calls the listener after each change of this type that this process made, once it is committed. One that throws
   * or rejects never changes an outcome: it is reported to the listeners of `error`, or as a process warning.
   *
   * @throws {BackupCodeError} `invalid_option`
   */
  on<T extends EventType | 'error'>(
    type: T,
    listener: T extends 'error' ? ErrorListener : Listener,
  ): this {
    this.listeners.add(type, listener);
    return this;
  }

  /** Shows no key, whoever prints this. */
  [inspect.custom](): string {
    return 'BackupCodes {}';
  }

  /** Nor whoever logs it as JSON. */
  toJSON(): string {
    return this[inspect.custom]();
  }

  /** An event of its own, without a change of a set. */
  private async record(
    type: EventType,
    userId: UserId,
    { context, ...facts }: Partial<Omit<AuditEvent, 'context'>> & { context: Context | undefined },
  ): Promise<void> {
    const event = auditEvent(type, {
      at: this.config.now(),
      userId: userSubject(userId).userId,
      ...facts,
      context: cleanContext(context),
    });
    await this.config.store.append([event]);
    this.listeners.tell([event]);
  }

  /** A set for the store, and what the caller is given of it. */
  private async make(
    type: 'issued' | 'staged' | 'adopted',
    userId: UserId,
    {
      context,
      adopted,
    }: { context: Context | undefined; adopted?: ReturnType<typeof readAdopted> },
  ): Promise<{ set: NewSet; issued: IssuedSet }> {
    const subject = userSubject(userId);
    const cleaned = cleanContext(context);
    const { header, records, codes } = await makeSet(this.config, subject.userId, adopted);
    const { setId, createdAt, expiresAt, total } = header;
    const event = auditEvent(type, {
      at: createdAt,
      userId: subject.userId,
      setId,
      remaining: total,
      total,
      context: cleaned,
    });
    return {
      set: { subject, header, codes: records, event },
      issued: { setId, codes, createdAt, expiresAt },
    };
  }

  /** Asked of the store once; again if that failed. */
  private loadNameKey(): Promise<Uint8Array> {
    this.nameKey ??= this.config.store.nameKey().catch((error: unknown) => {
      this.nameKey = null;
      throw error;
    });
    return this.nameKey;
  }
}

/** Also true if the limit was lowered since, or if the event of the last attempt could not be written. */
function isLocked(
  { attempts, lockedAt }: FoundUser['channels'][Channel],
  waits: readonly number[],
): boolean {
  return lockedAt !== null || attempts >= waits.length;
}
