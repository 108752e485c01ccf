// What a store may offer besides: applying exported audit events after a restore. It only ever
// takes away. No event makes a set, a code or a channel usable.
import type { AuditEvent } from '../audit/events';
import type { UserSubject } from './subject';

/** What an exported event says about the user's set, beside being recorded. */
export type ReplayedChange =
  /** The set was the current one at the time of the event. */
  | { readonly type: 'set_begun'; readonly setId: string }
  /** The same, and a code of it was consumed. */
  | { readonly type: 'code_consumed'; readonly setId: string; readonly codeId: string }
  /** The same, and then the set was ended. */
  | { readonly type: 'set_revoked'; readonly setId: string }
  /** The second factor was locked and has not been reopened since. */
  | { readonly type: 'second_factor_locked' };

/** An exported event, and what to change. */
export interface ReplayStep {
  /** Complete, as it was exported. */
  readonly event: AuditEvent;
  /** `null` only records the event. */
  readonly change: ReplayedChange | null;
}

/** Exported events of one user. */
export interface ReplayRequest {
  /** `null`: events without a user, which change nothing. */
  readonly subject: UserSubject | null;
  /** In any order of time. */
  readonly steps: readonly ReplayStep[];
}

/** What a replayed event changed. */
export type ReplayEffect =
  /** A code that was not consumed is. */
  | 'consumed'
  /** The current set ended, because a later one that the store does not have replaced it. */
  | 'replaced'
  /** The current set ended. */
  | 'revoked'
  /** The second factor is locked. */
  | 'locked';

/** What a store did with a {@link ReplayRequest}. */
export interface ReplayedEvents {
  /** The events that were missing in the audit trail, and were written. */
  readonly written: readonly AuditEvent[];
  readonly effects: readonly ReplayEffect[];
  /**
   * Whether an event names a set that was the current one and that the store does not have, and the
   * user has no set now.
   */
  readonly hasLostSet: boolean;
}

/** Applies exported audit events. */
export interface BackupCodeReplay {
  /**
   * Applies the events of one user in one atomic step, and writes those that the audit trail does
   * not have, exactly as they are. Changes do not depend on the trail: a store whose sets are older
   * than its trail is mended too.
   *
   * - `set_begun`: if the store has this set as the current one or as an ended one, nothing
   * changes. If it does not know the set, or only as a staged one, the set is lost. Then a current
   * set that was made at the time of the event or before ends as if revoked at that time, a staged
   * set as old as that is dropped, and a later `replace` with `only: 'first'` changes nothing.
   * - `code_consumed` does the same. If the set is the current one, the code counts as consumed at
   * the time of the event, unless it was consumed before. `remaining` falls by one, on a locked
   * channel and after the expiry too. Attempt counters stay as they are.
   * - `set_revoked` does the same. If the set is the current one, it ends.
   * - `second_factor_locked`: if the current set was made at the time of the event or before, the
   * second factor is locked, unless it is.
   *
   * The same call a second time changes nothing and writes nothing.
   */
  replayEvents(request: ReplayRequest): Promise<ReplayedEvents>;
}
