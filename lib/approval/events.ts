// What two-person approval records in the audit trail.
import { registerEventTypes } from '../audit/events';

/** The types of two-person approval. Types are only ever added. */
export const APPROVAL_EVENT_TYPES = [
  /** The first person asked for an action, with a backup code of their own. */
  'approval_requested',
  /** The second person approved it, with a backup code of their own. */
  'approval_granted',
  /** An approver or the target denied it. */
  'approval_denied',
  /** The person who asked withdrew it. */
  'approval_cancelled',
  /** It was not executed in time. */
  'approval_expired',
  /**
   * The action begins. If neither of the next two follows, it was cut off, and never runs again.
   */
  'approval_executing',
  'approval_executed',
  /** The action threw. */
  'approval_failed',
  /** A step was refused; `details.reason` says why. */
  'approval_refused',
] as const;

export type ApprovalEventType = (typeof APPROVAL_EVENT_TYPES)[number];

/** Why a step was refused. For the audit trail and the calling code. */
export type ApprovalReason =
  /** There is no such request. */
  | 'unknown_request'
  /** The target has another open request. */
  | 'open_request'
  /** The request is over, or not ready for this step yet. */
  | 'not_open'
  /** The time of the request is over. */
  | 'late'
  /** The action, target or parameters are not the ones that were shown. */
  | 'changed'
  /** The person who asked cannot approve, with whatever account, nor from the same session. */
  | 'same_person'
  /** The target cannot decide about themselves. */
  | 'is_target'
  /** The person has no right to this step. */
  | 'not_entitled';

/** What the `details` of these events hold. */
export interface ApprovalDetails {
  /** `null` if there is no such request. */
  readonly approval_id: string | null;
  readonly action: string | null;
  /** The user or thing that the action concerns. */
  readonly target: string | null;
  readonly reason: ApprovalReason | null;
}

registerEventTypes(APPROVAL_EVENT_TYPES);
