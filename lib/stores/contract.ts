// The contract of a store: what a verification needs, and what each method promises when many call it at once.
// A store opens no connection, reads no environment, hashes nothing and knows no policy.
import type { Channel } from '../audit/context';
import type { AuditEvent } from '../audit/events';
import type { CodeRecord } from '../codes/digests';
import type { Subject } from './subject';

/** All of a set but its codes. Times are milliseconds since 1970. A store returns it as it was given. */
export interface SetHeader {
  readonly setId: string;
  /** The definition of its format, as JSON. */
  readonly format: string;
  /** The salt string of its hasher, parameters included. */
  readonly salt: string;
  readonly pepperId: string | null;
  /** Proves pepper, user and set to belong together. */
  readonly check: string;
  /** How many codes were put into it. */
  readonly total: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

/** The set that works, or that worked until it expired; never one that was replaced or revoked. */
export interface CurrentSet extends SetHeader {
  readonly remaining: number;
  readonly lastConsumedAt: number | null;
}

export interface StoredCode extends CodeRecord {
  readonly consumedAt: number | null;
}

/** The right to look at one code. */
export interface Ticket {
  readonly channel: Channel;
  /** The how-manieth since the last success or new set, counted from 1. */
  readonly attempt: number;
  /** Which count it belongs to; a success on this channel or a new set begins another. */
  readonly generation: number;
  /** Until when this attempt keeps the next one waiting; 0 for not at all. No two of a generation that do share it. */
  readonly nextAt: number;
}

/** The right to look at one code, with what it is looked up in; or why there is none. */
export type TakenAttempt =
  | {
      readonly ok: true;
      readonly ticket: Ticket;
      /** What the attempt is at, with every code of it, consumed ones too; `null` where there is none. */
      readonly current: (CurrentSet & { readonly codes: readonly StoredCode[] }) | null;
    }
  | {
      readonly ok: false;
      readonly reason: 'throttled' | 'locked';
      /** When the next may be taken; with `locked` without meaning. */
      readonly nextAt: number;
      /** Whether this refusal was the first of its wait, whose event was written. */
      readonly isFirst: boolean;
    };

/** What became of a code; of any number of callers with one code, one is told `consumed`. */
export type Consumption =
  | { readonly outcome: 'consumed'; readonly remaining: number; readonly total: number }
  | { readonly outcome: 'already_consumed'; readonly consumedAt: number }
  | { readonly outcome: 'gone'; readonly reason: 'none' | 'expired' | 'locked' };

/** A channel that locks, by the last attempt it had. */
export interface LockedChannel {
  readonly subject: Subject;
  readonly ticket: Ticket;
  readonly now: number;
  readonly event: AuditEvent;
}

/** What {@link BackupCodeStore.find} knows of a user. */
export interface FoundUser {
  readonly current: CurrentSet | null;
  /** Attempts since the last success or new set, and when the channel was locked. */
  readonly channels: Readonly<
    Record<Channel, { readonly attempts: number; readonly lockedAt: number | null }>
  >;
}

/** A set to be written, its header, codes and event in one transaction. */
export interface NewSet {
  readonly subject: Subject;
  readonly header: SetHeader;
  readonly codes: readonly CodeRecord[];
  readonly event: AuditEvent;
}

/**
 * Each method is one atomic step: every change and its event are both there afterwards, or neither. Where several
 * call at once the outcome is that of some order of the calls. A fault is thrown, and then nothing has changed, or
 * (a lost answer) all of it has. `now` is the caller's clock, for tests and for one clock over several databases.
 */
export interface BackupCodeStore {
  /**
   * Makes the set the user's current one. The old set stops working in the same instant, its digests and salts are
   * erased (times stay), a staged set is dropped, and both channels count from nothing. With `only: 'first'` nothing
   * happens if any set was ever recorded for this user; a staged one that was never activated does not count.
   *
   * @returns whether it was written
   */
  replace(set: NewSet & { readonly now: number; readonly only?: 'first' }): Promise<boolean>;

  /** Keeps a set that does not work yet, in place of any other staged one. The current set goes on working. */
  stage(set: NewSet & { readonly until: number }): Promise<void>;

  /**
   * Does what `replace` does, with the staged set of this id, if it is the staged one and `now` is before its `until`.
   * The event is written with `remaining` and `total` of the set filled in.
   *
   * @returns the set's header, or `null` where there was no such staged set
   */
  activate(staged: {
    readonly subject: Subject;
    readonly setId: string;
    readonly now: number;
    readonly event: AuditEvent;
  }): Promise<SetHeader | null>;

  /** `null` if nothing was ever recorded for the subject. */
  find(subject: Subject): Promise<FoundUser | null>;

  /**
   * Counts an attempt on a channel, before anything is checked. Attempt n is granted if n is at most `waits.length`, the
   * channel was not closed and no wait is running; it begins a wait of `waits[n - 1]` milliseconds,
   * or none at all for 0, so that processes whose clocks differ do not refuse each other. A refusal changes
   * neither count nor wait; the first of each wait, and of each day at a locked channel, writes `refusal`, the others are counted in it.
   * Of any number of callers at once no more are granted than one after the other.
   */
  takeAttempt(attempt: {
    readonly subject: Subject;
    readonly channel: Channel;
    readonly now: number;
    readonly waits: readonly number[];
    /** Its `reason` and `refusals` are filled in. */
    readonly refusal: AuditEvent;
  }): Promise<TakenAttempt>;

  /**
   * Uncounts an attempt, and ends the wait that it began, unless another was taken since. Does nothing in another
   * generation than the ticket's. The caller gives each ticket back at most once.
   */
  giveBack(attempt: { readonly subject: Subject; readonly ticket: Ticket }): Promise<void>;

  /**
   * Consumes a code, if its set is current, not expired at `now`, the channel not closed, and the code not consumed.
   * For each code ever, exactly one call returns `consumed`. It counts `remaining` down by exactly one, resets the
   * channel's count and writes `events`, and each milestone whose `remaining` is the new one, with `remaining` and `total`
   * filled in. Whoever comes too late is told why, as read under the same lock. With `replacement`, that code is added
   * to the set: `remaining` stays and `total` grows by one.
   */
  consume(code: {
    readonly subject: Subject;
    readonly setId: string;
    readonly codeId: string;
    readonly channel: Channel;
    readonly now: number;
    readonly events: readonly AuditEvent[];
    readonly milestones: readonly { readonly remaining: number; readonly event: AuditEvent }[];
    readonly replacement?: CodeRecord;
  }): Promise<Consumption>;

  /**
   * Ends the current set, and drops a staged one. Counts stay as they are. The event is written with `setId` filled in.
   *
   * @returns the id of the set that was current, or `null` where there was none
   */
  revoke(set: {
    readonly subject: Subject;
    readonly now: number;
    readonly event: AuditEvent;
  }): Promise<string | null>;

  /**
   * Writes events of one subject, all or none. With `closes`, closes that ticket's channel too and writes that event after the others,
   * but in the ticket's generation only: where a code was consumed on this channel meanwhile, or a set begun, it stays open.
   *
   * @returns whether a channel was locked
   */
  append(events: readonly AuditEvent[], closes?: LockedChannel): Promise<boolean>;

  /** 32 random bytes under which names that belong to nobody are counted. Made once; the same for every process. */
  nameKey(): Promise<Uint8Array>;
}

/** How long the count of a name that belongs to nobody is kept after its last attempt. */
export const NAME_KEPT_MS = 30 * 86_400_000;
/** How long refusals are counted in one event. A wait is over sooner; a locked channel is not. */
export const REFUSALS_COUNTED_MS = 86_400_000;

/** The names of the methods, for a check at construction. */
export const STORE_METHODS = [
  'replace',
  'stage',
  'activate',
  'find',
  'takeAttempt',
  'giveBack',
  'consume',
  'revoke',
  'append',
  'nameKey',
] as const;
