// What a store may offer besides the contract of a verification: reading and pruning the audit
// trail, reminders, and counts over all users. No login needs any of it.
import type { AuditEvent, AuditEventType, EventReason } from '../audit/events';
import type { Subject } from './subject';

/** A page of the audit trail. */
export interface EventsPage {
  readonly events: readonly AuditEvent[];
  /**
   * Pass it as `after` to read the next page. Opaque, and valid for this store only. `null` while
   * the trail is empty.
   */
  readonly cursor: string | null;
}

/** Which page of the audit trail to read. */
export interface EventsRequest {
  /** Only events of this namespace. `null` reads those without one. */
  readonly namespace: string | null;
  /** `null` reads the events of all users, and of unknown user names. */
  readonly subject: Subject | null;
  /** `null` reads all types. */
  readonly types: readonly AuditEventType[] | null;
  readonly order: 'oldest-first' | 'newest-first';
  readonly after: string | null;
  readonly limit: number;
}

/** Which events to remove. */
export interface PruneRequest {
  /** Only what belongs to this namespace. `null` prunes what has none. */
  readonly namespace: string | null;
  /** Milliseconds since 1970. */
  readonly before: number;
  /**
   * Whether to remove what is left of users who have had no current or staged set since `before`.
   * A user with a locked channel, or with a wait that ended later, stays.
   */
  readonly usersWithoutSet: boolean;
  /** How many attempts lock a channel. */
  readonly lockAfter: number;
}

/** A set that expires soon, or has expired. */
export interface DueSet {
  readonly type: 'expiring' | 'expired';
  readonly userId: string;
  readonly setId: string;
  readonly remaining: number;
  readonly total: number;
}

/** Which reminders to record. */
export interface RemindersRequest {
  /** Only sets of this namespace. `null` reads those without one. */
  readonly namespace: string | null;
  readonly now: number;
  /** Milliseconds before the expiry, the longest first. The last is 0: the expiry itself. */
  readonly leadsMs: readonly number[];
  /** Makes the event that is written for a set. */
  readonly toEvent: (due: DueSet) => AuditEvent;
}

/** What happened on one day, in UTC. */
export interface DayCounts {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  /** Sets that began to work: issued, activated or adopted. */
  readonly issued: number;
  readonly consumed: number;
  /**
   * Attempts that failed, by reason, refusals during a wait or on a locked channel included.
   * `malformed` is not stored.
   */
  readonly failures: Readonly<Partial<Record<EventReason, number>>>;
}

/** A user with unusually many failures. */
export interface UnusualUser {
  readonly userId: string;
  readonly failures: number;
  readonly addresses: number;
}

/** An address with unusually many failures, over all users and unknown user names. */
export interface UnusualAddress {
  readonly ip: string;
  readonly failures: number;
  readonly users: number;
}

/** Counts over all users. */
export interface Report {
  /** Milliseconds since 1970. `days` and `unusual` cover the time from `since` to `until`. */
  readonly since: number;
  readonly until: number;
  /**
   * Users who have a set, expired or not. The counts below are of these; one user may be in
   * several.
   */
  readonly users: number;
  /** Codes that would be accepted now. */
  readonly remainingCodes: number;
  /** Sets that are not expired with few codes left, but at least one. */
  readonly low: number;
  /** Sets that are not expired with no code left. */
  readonly exhausted: number;
  readonly expired: number;
  /** Users with a locked channel. */
  readonly locked: number;
  /** Sets that are not expired and older than `rotateAfterDays`. */
  readonly rotationDue: number;
  /** Sets of which no code was ever consumed. */
  readonly neverUsed: number;
  /**
   * Sets by the id of their pepper, `none` without one. A pepper that is not listed can be removed.
   */
  readonly setsByPepper: Readonly<Record<string, number>>;
  /** Sets by the parameters of their slow hash, such as `$2b$12`. */
  readonly setsByHasher: Readonly<Record<string, number>>;
  /** The oldest first. A day without events is left out. */
  readonly days: readonly DayCounts[];
  /**
   * Those with at least as many failures as attempts are free, the most first, at most 100 of each.
   */
  readonly unusual: {
    readonly users: readonly UnusualUser[];
    readonly addresses: readonly UnusualAddress[];
  };
}

/** What a report counts. */
export interface ReportRequest {
  /** Counts only this namespace. `null` counts what has none. */
  readonly namespace: string | null;
  readonly since: number;
  readonly now: number;
  readonly lowAt: number;
  /** Sets made at this time or earlier are due for rotation; `null` if sets never are. */
  readonly rotateBefore: number | null;
  /** How many attempts lock a channel. */
  readonly lockAfter: number;
  /** How many failures are unusual. */
  readonly manyFailures: number;
}

/** How many unusual users, and how many addresses, a report lists. */
export const MAX_UNUSUAL = 100;

/** What a store may offer besides {@link BackupCodeStore}, for those who run the app. */
export interface BackupCodeAudit {
  /**
   * Reads events in the order of their commits. Paging never skips an event that commits late.
   * Events that an open transaction may still precede are withheld until a later call. With
   * `newest-first` nothing is withheld, and `after` continues towards the older events.
   *
   * A cursor whose event the store never had is refused: one that another copy of the data returned
   * would skip events, or wait for ever. The cursor of an event that was removed stays valid.
   *
   * @throws {BackupCodeError} `invalid_cursor`, `cursor_ahead`
   */
  readEvents(request: EventsRequest): Promise<EventsPage>;

  /**
   * Removes events from before a time, the remains of sets that ended before it, and, if the
   * request says so, the users who have had no set since. No cursor becomes invalid.
   *
   * @returns how many events were removed
   */
  prune(request: PruneRequest): Promise<number>;

  /**
   * Marks each set for which a reminder is due at `now` and writes its event, in one transaction:
   * of several concurrent callers, one writes it. A reminder is due `leadsMs[n]` before the set
   * expires, once for each n. A later reminder replaces the ones it overtook. A set younger than a
   * lead has no reminder for it.
   *
   * @returns the events it wrote
   */
  recordReminders(request: RemindersRequest): Promise<readonly AuditEvent[]>;

  /**
   * Counts over all users of a namespace. Not in one transaction: a change made meanwhile may be
   * counted or not.
   */
  report(request: ReportRequest): Promise<Report>;
}

/** The methods, for a check when one of them is needed. */
export const AUDIT_METHODS = [
  'readEvents',
  'prune',
  'recordReminders',
  'report',
] as const satisfies readonly (keyof BackupCodeAudit)[];

/** The times of a set that its reminders depend on. */
export interface ReminderTimes {
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly now: number;
  readonly leadsMs: readonly number[];
}

/**
 * How many reminder times have passed; 0 if none has. A lead as long as the set's whole life does
 * not count.
 */
export function remindersPassed({ createdAt, expiresAt, now, leadsMs }: ReminderTimes): number {
  if (expiresAt === null) return 0;
  const isPast = (leadMs: number): boolean =>
    now >= expiresAt - leadMs && createdAt < expiresAt - leadMs;
  return leadsMs.findLastIndex(isPast) + 1;
}
