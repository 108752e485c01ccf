// The contract of a store: the steps of a verification, and what each one promises when many
// callers run it at once. A store opens no connection, reads no environment, hashes nothing and
// knows no policy.
import type { Channel } from '../audit/context';
import type { AuditEvent } from '../audit/events';
import type { CodeRecord } from '../codes/digests';
import { DAY_MS } from '../internal/time';
import type { Subject } from './subject';

/**
 * A set without its codes. Times are milliseconds since 1970. A store returns each field unchanged.
 */
export interface SetHeader {
  readonly setId: string;
  /** The definition of the format, as JSON. */
  readonly format: string;
  /** The salt string of the hasher, parameters included. */
  readonly salt: string;
  /** `null` if the set was made without a pepper. */
  readonly pepperId: string | null;
  /** Proves that pepper, user and set belong together. */
  readonly check: string;
  /** How many codes the set was made with, plus its replacements. */
  readonly total: number;
  readonly createdAt: number;
  /** `null` if the set never expires. */
  readonly expiresAt: number | null;
}

/** The user's current set, which may have expired; never one that was replaced or revoked. */
export interface CurrentSet extends SetHeader {
  readonly remaining: number;
  readonly lastConsumedAt: number | null;
}

/** A code of the current set. */
export interface StoredCode extends CodeRecord {
  readonly consumedAt: number | null;
}

/** The current set and all of its codes, consumed ones included. */
export interface SetWithCodes extends CurrentSet {
  readonly codes: readonly StoredCode[];
}

/** The attempt counter of a user's second factor. */
export interface AttemptCounter {
  /** Attempts since the last success or new set. */
  readonly attempts: number;
  /** When the channel was locked; `null` if it is not. */
  readonly lockedAt: number | null;
}

/** What {@link BackupCodeStore.find} returns for a user. */
export interface FoundUser {
  readonly current: CurrentSet | null;
  readonly secondFactor: AttemptCounter;
}

/** The right to compare one code. */
export interface Ticket {
  readonly channel: Channel;
  /** The network of the request. Has no meaning on `second_factor`. */
  readonly network: string;
  /** Which attempt this is since the last success or new set, counting from 1. */
  readonly attempt: number;
  /** The counting period. A success on this channel or a new set begins another. */
  readonly generation: number;
  /**
   * When the wait that this attempt began ends; 0 if it began none. Unique among the waits of one
   * generation.
   */
  readonly nextAt: number;
}

/** A set to write: header, codes and event go into one transaction. */
export interface NewSet {
  readonly subject: Subject;
  readonly header: SetHeader;
  readonly codes: readonly CodeRecord[];
  readonly event: AuditEvent;
}

/** The set to make current. */
export interface ReplaceRequest extends NewSet {
  readonly now: number;
  /**
   * `first`: change nothing if a set was ever recorded for the user. A staged set does not count.
   */
  readonly only?: 'first';
}

/** The set to stage. */
export interface StageRequest extends NewSet {
  /** The staged set can be activated until this time. */
  readonly until: number;
}

/** The staged set to make current. */
export interface ActivateRequest {
  readonly subject: Subject;
  readonly setId: string;
  readonly now: number;
  /** Written with `remaining` and `total` of the set filled in. */
  readonly event: AuditEvent;
}

/** The attempt to take. */
export interface AttemptRequest {
  readonly subject: Subject;
  /** An unknown user name only ever comes with `recovery`. */
  readonly channel: Channel;
  /** Where the attempt comes from, as `networkOf` writes it. Has no meaning on `second_factor`. */
  readonly network: string;
  readonly now: number;
  /**
   * Milliseconds to wait after attempt n, at index n - 1. On `second_factor` its length is the
   * number of attempts. On `recovery` the last wait follows every further attempt.
   */
  readonly waits: readonly number[];
  /** Counted if the attempt is refused, with `id`, `reason` and `refusals` filled in. */
  readonly refusal: AuditEvent;
}

/** A ticket and the set to compare with, or why there is none. */
export type AttemptResult =
  | { readonly ok: true; readonly ticket: Ticket; readonly current: SetWithCodes | null }
  | {
      readonly ok: false;
      readonly reason: 'throttled' | 'locked';
      /** When the next attempt may be taken. Has no meaning with `locked`. */
      readonly nextAt: number;
      /** The event of this refusal; empty if it was counted in an earlier one. */
      readonly events: readonly AuditEvent[];
    };

/** The attempt to give back. */
export interface GiveBackRequest {
  readonly subject: Subject;
  readonly ticket: Ticket;
}

/** An event to count. Its id says what is counted together: see `countedEventId`. */
export interface CountRequest {
  readonly subject: Subject;
  readonly event: AuditEvent;
}

/** An event that is written if the consumption leaves exactly this many codes. */
export interface Milestone {
  readonly remaining: number;
  readonly event: AuditEvent;
}

/** The code to consume. */
export interface ConsumeRequest {
  readonly subject: Subject;
  readonly setId: string;
  readonly codeId: string;
  readonly channel: Channel;
  readonly now: number;
  /** Written with `remaining` and `total` filled in, and so are the milestones that are reached. */
  readonly events: readonly AuditEvent[];
  readonly milestones: readonly Milestone[];
  /** A code to add to the set in the same transaction. */
  readonly replacement?: CodeRecord;
}

/** The result of a consumption. For each code, exactly one call ever returns `consumed`. */
export type Consumption =
  | {
      readonly outcome: 'consumed';
      readonly remaining: number;
      readonly total: number;
      readonly events: readonly AuditEvent[];
    }
  | { readonly outcome: 'already_consumed'; readonly consumedAt: number }
  | { readonly outcome: 'gone'; readonly reason: 'none' | 'expired' | 'locked' };

/** The set to end. */
export interface RevokeRequest {
  readonly subject: Subject;
  readonly now: number;
  /** Written with `setId` filled in. */
  readonly event: AuditEvent;
}

/** The user to forget. */
export interface ForgetRequest {
  readonly subject: Subject;
  /**
   * `erase` removes the user's events. `anonymize` keeps them as `anonymousEvent` returns them, in
   * their place.
   */
  readonly audit: 'erase' | 'anonymize';
  /** Written last. It has no user. */
  readonly event: AuditEvent;
}

/** The channel to reopen. */
export interface UnlockRequest {
  readonly subject: Subject;
  readonly channel: Channel;
  readonly now: number;
  readonly event: AuditEvent;
}

/** The second factor to lock, after the last attempt on it failed. */
export interface LockedChannel {
  readonly subject: Subject;
  readonly ticket: Ticket;
  readonly now: number;
  readonly event: AuditEvent;
}

/**
 * Each method is one atomic step: its change and its events are all written, or none. If several
 * callers run at once, the outcome is that of some order of the calls. A fault is thrown, and then
 * either nothing has changed, or (if only the answer was lost) everything has. `now` is the
 * caller's clock.
 *
 * Methods that return events return the ones they wrote, as written. An empty list means that
 * nothing was changed.
 */
export interface BackupCodeStore {
  /**
   * Makes the set the user's current one. In the same instant the old set stops working, its
   * digests and salts are erased (its times stay), a staged set is dropped, and both channels count
   * from zero, for every network.
   */
  replace(request: ReplaceRequest): Promise<readonly AuditEvent[]>;

  /**
   * Keeps a set that does not work yet, instead of any other staged one. The current set keeps
   * working.
   */
  stage(request: StageRequest): Promise<readonly AuditEvent[]>;

  /**
   * Does what `replace` does with the staged set of this id, if there is one and `now` is before
   * its `until`.
   */
  activate(request: ActivateRequest): Promise<readonly AuditEvent[]>;

  /** @returns `null` if nothing was ever recorded for the subject */
  find(subject: Subject): Promise<FoundUser | null>;

  /**
   * Counts an attempt, before anything is checked.
   *
   * - On `second_factor` attempts are counted for the user. Attempt n is granted if n is at most
   * `waits.length`, the channel is not locked and no wait is running.
   * - On `recovery` they are counted for the user and the network, so that a stranger on another
   * network delays no owner. Attempt n is granted if no wait is running. Nothing locks. A counter
   * is forgotten {@link COUNTER_KEPT_MS} after its last attempt.
   *
   * A granted attempt begins a wait of `waits[n - 1]` milliseconds; for 0 it begins none, so that
   * processes whose clocks differ do not refuse each other. A wait that ends later than the longest
   * of `waits` from now was begun by a clock that was ahead: it counts as over. A refusal changes
   * neither counter nor wait, and is counted as `count` does: in one event for each wait, and for
   * each day on a locked channel. Any number of concurrent callers are granted no more attempts
   * than sequential ones.
   */
  takeAttempt(request: AttemptRequest): Promise<AttemptResult>;

  /**
   * Uncounts an attempt, and ends the wait that it began unless another attempt was taken since.
   * Does nothing in a generation other than the ticket's. The caller gives each ticket back at most
   * once.
   */
  giveBack(request: GiveBackRequest): Promise<void>;

  /**
   * Consumes a code if its set is current and not expired at `now`, the channel is not locked, and
   * the code is not consumed. Reduces `remaining` by exactly one (with `replacement` it stays, and
   * `total` grows by one) and resets the channel's counter. A caller that comes too late learns
   * why, as read under the same lock. On `recovery` the counters of all networks are reset.
   */
  consume(request: ConsumeRequest): Promise<Consumption>;

  /** Ends the current set, and drops a staged one. Attempt counters stay as they are. */
  revoke(request: RevokeRequest): Promise<readonly AuditEvent[]>;

  /**
   * Removes everything that is stored for a user: the sets, current, staged and ended, with their
   * codes; the attempt counters of all networks; the reminders; and the events, or what in them
   * names the user. Afterwards nothing in the store names the user, and a later call for the same
   * id finds a user who was never recorded. Every cursor stays valid. Changes nothing if nothing is
   * stored for the user.
   *
   * A store that cannot change all events in one step may do so before the last step, in which it
   * removes the rest. If it fails in between, the user is still recorded, and a second call
   * completes the first.
   */
  forget(request: ForgetRequest): Promise<readonly AuditEvent[]>;

  /**
   * Lets a channel count from zero in a new generation, on `recovery` for all networks, and reopens
   * the second factor. Changes nothing if the channel counts no attempt and is not locked.
   */
  unlock(request: UnlockRequest): Promise<readonly AuditEvent[]>;

  /**
   * Writes events of one subject. With `lock`, also locks the second factor and writes its event
   * last, but only in the ticket's generation: if a code was consumed on the channel or a set was
   * issued since, the channel stays open.
   */
  append(events: readonly AuditEvent[], lock?: LockedChannel): Promise<readonly AuditEvent[]>;

  /**
   * Writes the event with `refusals` 1. If an event of the same id is stored, adds 1 to its
   * `refusals` instead, and returns an empty list.
   */
  count(request: CountRequest): Promise<readonly AuditEvent[]>;

  /**
   * 32 random bytes that key the counters of unknown user names. Made once; the same for every
   * process.
   */
  nameKey(): Promise<Uint8Array>;
}

/** How long the counter of a network is kept after its last attempt, in milliseconds. */
export const COUNTER_KEPT_MS = 30 * DAY_MS;

/** The methods, for a check at construction. */
export const STORE_METHODS = [
  'replace',
  'stage',
  'activate',
  'find',
  'takeAttempt',
  'giveBack',
  'consume',
  'revoke',
  'forget',
  'unlock',
  'append',
  'count',
  'nameKey',
] as const satisfies readonly (keyof BackupCodeStore)[];
