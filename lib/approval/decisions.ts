// What the two people send, and what they receive.
import type { Reason } from '../audit/events';
import type { ApprovalReason } from './approval-events';
import type { Approval, Proposal } from './proposal';

/** Names a request. */
export interface ApprovalReference {
  /** The `id` of an {@link Approval}. */
  readonly id: string;
}

/** Names a request, as it was shown to the user. */
export interface ShownApproval extends ApprovalReference {
  /**
   * The `digest` of the {@link Approval} that was shown. Any other digest is refused as `changed`.
   */
  readonly digest: string;
}

/** Proof that a user decides personally. */
export interface DecisionProof {
  /**
   * The backup code as the user typed it. Any type is safe: it may come straight from a request.
   */
  readonly code: unknown;
  /**
   * Any string that identifies the session. The session that made a request cannot approve it.
   *
   * @default sessions are not compared
   */
  readonly sessionId?: string;
}

/** The argument of {@link TwoPersonApproval.request}. */
export interface ApprovalRequest extends Proposal, DecisionProof {}

/** The argument of {@link TwoPersonApproval.approve}. */
export interface Decision extends ShownApproval, DecisionProof {}

/** The step was taken. */
export interface ApprovalAccepted {
  readonly ok: true;
  /** The request after the step. */
  readonly approval: Approval;
}

/** The action was run. */
export interface ActionExecuted extends ApprovalAccepted {
  /** What the action returned. */
  readonly result: unknown;
}

/** The step was refused. */
export interface ApprovalRefused {
  readonly ok: false;
  /**
   * For the audit trail and your code. If a code was not accepted, give the user the one answer
   * that the strategy would give.
   */
  readonly reason: ApprovalReason | Reason;
  /** With `throttled` and `busy`. */
  readonly retryAfterSeconds?: number;
}

/** The result of each step except `execute`. */
export type ApprovalOutcome = ApprovalAccepted | ApprovalRefused;

/** The result of `execute`. */
export type ExecutionOutcome = ActionExecuted | ApprovalRefused;
