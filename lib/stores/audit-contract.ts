// What a store may offer beside the contract of store.ts: reading the audit trail, keeping it short, reminders, and
// counts over all users. No verification needs any of it.
import type { AuditEvent, EventType, Reason } from '../audit/events';
import type { Subject } from './subject';

/** A page of the trail. */
export interface EventsPage {
  readonly events: readonly AuditEvent[];
  /**
   * Where the next page begins: hand it back as `after`. It is `null` only as long as there is nothing at all. Opaque, and good for the same store only.
   */
  readonly cursor: string | null;
}

/** What `due` marked: a set that ends soon, or has ended. */
export interface DueSet {
  readonly type: 'expiring' | 'expired';
  readonly userId: string;
  readonly setId: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly remaining: number;
  readonly total: number;
}

/** A reminder that is due, as the store has marked it. */
export interface Reminder {
  readonly due: DueSet;
  /** As it was written. */
  readonly event: AuditEvent;
}

/** What happened on one day, in UTC. */
export interface DayCounts {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  /** Sets that began to work: issued, activated or adopted. */
  readonly issued: number;
  readonly consumed: number;
  /** Attempts that were not accepted, by reason; refused during a wait or at a locked channel too. `malformed` is not stored. */
  readonly failures: Readonly<Partial<Record<Reason, number>>>;
}

/** Counts over all users, and who needs a look. */
export interface Report {
  /** Milliseconds since 1970: what `days` and `unusual` cover. */
  readonly since: number;
  readonly until: number;
  /** Users who have a set, an expired one too. The counts below are of these; a user may be in several. */
  readonly users: number;
  /** Codes that would work now. */
  readonly remainingCodes: number;
  /** Few are left, but not none, in a set that has not expired. */
  readonly low: number;
  /** None is left, in a set that has not expired. */
  readonly exhausted: number;
  readonly expired: number;
  /** Too many failures closed a channel. */
  readonly locked: number;
  /** Older than `rotateAfterDays`, and not expired. */
  readonly rotationDue: number;
  /** No code of the set was ever consumed. */
  readonly neverUsed: number;
  /** Sets by the id of their pepper; `none` without one. A pepper that is not here can be dropped. */
  readonly setsByPepper: Readonly<Record<string, number>>;
  /** Sets by the parameters of their slow hash, as `$2b$12`. */
  readonly setsByHasher: Readonly<Record<string, number>>;
  /** The oldest first; a day on which nothing happened is left out. */
  readonly days: readonly DayCounts[];
  readonly unusual: {
    /** Users with as many failures as attempts are free, or more; the most first, at most 100. */
    readonly users: readonly {
      readonly userId: string;
      readonly failures: number;
      readonly addresses: number;
    }[];
    /** Addresses with as many failures, at any users and names. */
    readonly addresses: readonly {
      readonly ip: string;
      readonly failures: number;
      readonly users: number;
    }[];
  };
}

/** What a store is asked to count, and by which policy. */
export interface ReportQuery {
  readonly since: number;
  readonly now: number;
  readonly lowAt: number;
  /** Sets made then or before are due for rotation; `null`: none. */
  readonly rotateBefore: number | null;
  /** As many attempts lock a channel. */
  readonly lockAfter: number;
  /** As many failures are unusual. */
  readonly manyFailures: number;
}

export const MAX_UNUSUAL = 100;

/** What a store may offer beside the contract of {@link BackupCodeStore}, for those who run the app. */
export interface BackupCodeReports {
  /**
   * Events in an order in which no page ever misses one: what commits later stands later, however long it took. Those
   * that may still be overtaken by a transaction that is open are withheld until a later call. With `newest-first`
   * nothing is withheld, and `after` goes on towards the older ones.
   *
   * @throws {BackupCodeError} `invalid_cursor`
   */
  readEvents(query: {
    /** `null`: of all users, and of names that belong to nobody. */
    readonly subject: Subject | null;
    /** `null`: all types. */
    readonly types: readonly EventType[] | null;
    readonly order: 'oldest-first' | 'newest-first';
    readonly after: string | null;
    readonly limit: number;
  }): Promise<EventsPage>;

  /**
   * Removes events from before a time, and what is left of sets that ended before it. No cursor becomes invalid.
   *
   * @returns how many events it removed
   */
  prune(log: { readonly before: number }): Promise<number>;

  /**
   * Marks each set for which a reminder is due at `now`, and writes its event, in one transaction: of any number of
   * callers one is given each. A reminder is due `leadMs[n]` before the set expires, once for each n, a later one
   * instead of those it overtook, and none for a set younger than that.
   *
   * @param reminders `leadsMs`: the longest first, and 0 last, which is `expired`
   */
  remind(reminders: {
    readonly now: number;
    readonly leadsMs: readonly number[];
    readonly toEvent: (due: DueSet) => AuditEvent;
  }): Promise<readonly Reminder[]>;

  /** Counts over all users. Counted by the database, and not in one transaction: what is written meanwhile may be in it or not. */
  report(query: ReportQuery): Promise<Report>;
}

/** The names of the methods, for a check when one is needed. */
export const REPORT_METHODS = ['readEvents', 'prune', 'remind', 'report'] as const;

/**
 * How many of its reminders a set is past: 0 for none yet. A lead as long as the set's whole life, or longer, does not count.
 */
export function dueReminder({
  createdAt,
  expiresAt,
  now,
  leadsMs,
}: {
  createdAt: number;
  expiresAt: number | null;
  now: number;
  leadsMs: readonly number[];
}): number {
  if (expiresAt === null) return 0;
  return (
    leadsMs.findLastIndex((lead) => now >= expiresAt - lead && createdAt < expiresAt - lead) + 1
  );
}
