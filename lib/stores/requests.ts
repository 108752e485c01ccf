// What is passed to a store and returned by it. Times are milliseconds since 1970.
import type { Channel } from '../audit/context';
import type { AuditEvent } from '../audit/events';
import type { CodeRecord } from '../codes/digests';
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
  /** Which consumption it was: the id of its first event. `null` if the code is not consumed. */
  readonly consumptionId: string | null;
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

/**
 * A set to write: header, codes and event go into one transaction. Each call has an event with an
 * id of its own, here and in all requests below. A store may answer a call that it has done already
 * as it answered it first.
 */
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
  /**
   * Written with `remaining` and `total` filled in, and so are the milestones that are reached. The
   * id of the first event is the id of the consumption. A request that is repeated has the same id
   * in each of its events and milestones.
   */
  readonly events: readonly [AuditEvent, ...AuditEvent[]];
  readonly milestones: readonly Milestone[];
  /** A code to add to the set in the same transaction. */
  readonly replacement?: CodeRecord;
}

/**
 * The result of a consumption. For each code, exactly one call ever returns `consumed` with
 * `repeated: false`, and only calls with the id of that one return `repeated: true`.
 */
export type Consumption =
  | {
      readonly outcome: 'consumed';
      readonly remaining: number;
      readonly total: number;
      /** As they were written. Empty if the consumption is repeated and they were pruned. */
      readonly events: readonly AuditEvent[];
      /** Whether the code was consumed by an earlier call with the same id. */
      readonly repeated: boolean;
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
