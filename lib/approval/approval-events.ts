// What two-person approval records in the audit trail.
import { registerEventTypes, type EventDetails } from '../audit/events';
import type { ApprovalRecord } from './approval-store';
import { sha256 } from './proposal';

/** The event types of two-person approval. Types are only ever added. */
export const APPROVAL_EVENT_TYPES = [
  /**
   * The first person requested an action, with a backup code of their own. If `approval_refused`
   * with the same code follows, the request had ended before this took effect.
   */
  'approval_requested',
  /**
   * The second person approved it, with a backup code of their own. If `approval_refused` with the
   * same code follows, the request had ended before this took effect.
   */
  'approval_granted',
  /** An approver or the target denied it. */
  'approval_denied',
  /** The person who made the request cancelled it. */
  'approval_cancelled',
  /** It was not executed in time. */
  'approval_expired',
  /**
   * The action starts. If neither of the next two types follows, the process ended in the middle of
   * it, and it never runs again. If the audit trail does not confirm this event, the action is not
   * started, and the request stays approved.
   */
  'approval_executing',
  /** The action returned. */
  'approval_executed',
  /** The action threw. */
  'approval_failed',
  /** A step was refused; `details.reason` says why. */
  'approval_refused',
] as const;

/** A type of two-person approval. */
export type ApprovalEventType = (typeof APPROVAL_EVENT_TYPES)[number];

/** Why a step was refused. For the audit trail and your code. */
export type ApprovalReason =
  /** The request does not exist. */
  | 'unknown_request'
  /**
   * This process does not have the action. The request stays approved: a process that has the
   * action can execute it.
   */
  | 'unknown_action'
  /** The target has another open request. */
  | 'open_request'
  /** The request has ended, or is not ready for this step. */
  | 'not_open'
  /** The request has expired. */
  | 'late'
  /** The action, target or parameters are not the ones that were shown. */
  | 'changed'
  /**
   * The person who made the request cannot approve it: not with another account, and not from the
   * same session.
   */
  | 'same_person'
  /** The target cannot decide about themselves. */
  | 'is_target'
  /** `isEntitled` did not return true, or the step belongs to another user. */
  | 'not_entitled';

/** The `details` of these events. Strings are cleaned as `audit.record` cleans all of them. */
export interface ApprovalDetails extends EventDetails {
  /** `null` if the request does not exist. */
  readonly approval_id: string | null;
  readonly action: string | null;
  /** The user or thing that the action concerns. */
  readonly target: string | null;
  /** SHA-256 of action, target and parameters, in hex: what the two people were shown. */
  readonly digest: string | null;
  /**
   * SHA-256 of the canonical JSON (RFC 8785) of the parameters, in hex. It proves later which
   * parameters were approved, and that the action received the same ones.
   */
  readonly parameters_digest: string | null;
  readonly reason: ApprovalReason | null;
}

const approvalTypes: ReadonlySet<string> = new Set(APPROVAL_EVENT_TYPES);

// Here because every step needs `approvalDetails`: so no bundler drops this call as unused.
registerEventTypes(APPROVAL_EVENT_TYPES);

export function isApprovalEventType(type: string): type is ApprovalEventType {
  return approvalTypes.has(type);
}

/** The details of an event about this request; all `null` if the request does not exist. */
export function approvalDetails(
  record: ApprovalRecord | null,
  reason: ApprovalReason | null,
): ApprovalDetails {
  const { id = null, action = null, target = null, digest = null } = record ?? {};
  const parametersDigest = record && sha256(record.parameters);
  return {
    approval_id: id,
    action,
    target,
    digest,
    parameters_digest: parametersDigest,
    reason,
  };
}
