// The contract of a store: the steps of a verification, and what each one promises when many
// callers run it at once. A store opens no connection, reads no environment, hashes nothing and
// knows no policy.
import type { AuditEvent } from '../audit/events';
import { DAY_MS } from '../internal/time';
import type { Subject } from './subject';
import type {
  FoundUser,
  ReplaceRequest,
  StageRequest,
  ActivateRequest,
  AttemptRequest,
  AttemptResult,
  GiveBackRequest,
  CountRequest,
  ConsumeRequest,
  Consumption,
  RevokeRequest,
  ForgetRequest,
  UnlockRequest,
  LockedChannel,
} from './requests';

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
   * its `until`. A set whose `until` is later than that of a set staged now, by more than clocks
   * differ, was staged by a clock that was ahead: its time counts as over.
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
   * is forgotten 30 days after its last attempt.
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
   * once. Generations begin at a random number, so that a ticket from before a user was forgotten
   * never fits what is stored afterwards.
   */
  giveBack(request: GiveBackRequest): Promise<void>;

  /**
   * Consumes a code if its set is current and not expired at `now`, the channel is not locked, and
   * the code is not consumed. Reduces `remaining` by exactly one (with `replacement` it stays, and
   * `total` grows by one) and resets the channel's counter. A caller that comes too late learns
   * why, as read under the same lock. On `recovery` the counters of all networks are reset.
   *
   * A consumption can be repeated, because an answer can be lost. Its id is the id of its first
   * event, and is kept with the code. While the set is current, a call with the same id gets the
   * first answer again, whether or not the set has expired or the channel is locked since, and
   * changes nothing: `remaining`, `total` and the events are read back as they were written. If
   * the events were pruned, the list is empty, and the numbers are those of the set. A call with
   * another id never gets `consumed`.
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
   * the second factor. Changes nothing if the channel counts no attempt and is not locked. Also
   * works for a user who has no row yet, only counters of networks.
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

/** How long a staged set can be activated, in milliseconds. */
export const STAGED_MS = 3_600_000;

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
