// Actions that run only after two different people, neither of them the target, each consumed a
// backup code of their own for this request. Knows no page, and compares sessions only with each
// other.
import type { Context } from '../audit/context';
import { userSubject, type UserId } from '../stores/subject';
import { ActionRunner } from './action-runner';
import {
  parseApprovalOptions,
  type ApprovalConfig,
  type TwoPersonApprovalOptions,
} from './approval-options';
import { ApprovalSteps, type Caller } from './approval-steps';
import type {
  ApprovalOutcome,
  ApprovalReference,
  ApprovalRequest,
  Decision,
  ExecutionOutcome,
  ShownApproval,
} from './decisions';
import {
  assertProposal,
  newRecord,
  sessionDigest,
  toApproval,
  type Approval,
  type ProposedAction,
} from './proposal';
import {
  checkApprover,
  checkExecutor,
  checkRecord,
  checkRequester,
  isEntitledToApprove,
} from './refusal-rules';

/**
 * Runs an action only after two different people, neither of them its target, each consumed a
 * backup code of their own for this request. This is the dual authorization of NIST SP 800-53 Rev.
 * 5, AC-3(2).
 *
 * @example
 * const approval = new TwoPersonApproval({
 *   store: new SqlApprovalStore({ database: pool }),
 *   backupCodes,
 *   isEntitled: (userId, { action }) => roles.has(userId, action),
 *   actions: {
 *     'open-vault': (approved) => {
 *       approval.assertApproved(approved, 'open-vault');
 *       return vaults.open(approved.target);
 *     },
 *   },
 * });
 */
export class TwoPersonApproval {
  readonly #config: ApprovalConfig;
  readonly #steps: ApprovalSteps;
  readonly #runner: ActionRunner;

  /** @throws {BackupCodeError} `invalid_option` */
  constructor(options: TwoPersonApprovalOptions) {
    this.#config = parseApprovalOptions(options);
    this.#steps = new ApprovalSteps(this.#config);
    this.#runner = new ActionRunner(this.#steps);
  }

  /**
   * The first person requests an action, and consumes a backup code for it. If the code is not
   * accepted, the target is free for another request again.
   *
   * @example
   * const outcome = await approval.request(req.user.id, {
   *   action: 'open-vault',
   *   target: 'vault-7',
   *   parameters: { reason: 'audit' },
   *   code: req.body.code,
   *   sessionId: req.sessionID,
   * });
   *
   * @throws {BackupCodeError} `invalid_option` for an unknown action, or for parameters that are
   * not JSON; `invalid_user_id`; `invalid_result` if `personOf` returns no string; and whatever
   * `consume`, `isEntitled`, `personOf` and the store throw
   */
  async request(
    userId: UserId,
    { code, sessionId, ...proposal }: ApprovalRequest,
    context?: Context,
  ): Promise<ApprovalOutcome> {
    const caller = callerOf(userId, context);
    const { actions, policy, store, windowMs, now } = this.#config;
    assertProposal(proposal, actions);
    const record = newRecord(proposal, {
      requestedBy: caller.userId,
      sessionId,
      now: now(),
      windowMs,
    });
    const refusal = await checkRequester(policy, record);
    if (refusal !== null) return this.#steps.refuse({ caller, record }, refusal);
    // The target is claimed before the code is consumed, so that no code is wasted on a request
    // that cannot be made.
    if (!(await store.create(record))) {
      return this.#steps.refuse({ caller, record }, 'open_request');
    }
    return this.#steps.completeWithCode({
      caller,
      record,
      code,
      eventType: 'approval_requested',
      change: { state: 'requested' },
      stateOnFailure: 'cancelled',
    });
  }

  /**
   * What there is to decide. Looking at a request does not change it, except that a request whose
   * window is over becomes `expired`.
   *
   * @example
   * const { action, target, parameters, digest } = await approval.show(req.params.id);
   *
   * @returns `null` if the request does not exist
   * @throws whatever the store throws
   */
  async show(id: string): Promise<Approval | null> {
    const record = await this.#steps.read(id);
    return record === null ? null : toApproval(record);
  }

  /**
   * The second person approves the request that was shown, and consumes a backup code for it.
   *
   * @example
   * const { id, digest, code } = req.body;
   * const outcome = await approval.approve(req.user.id, {
   *   id,
   *   digest,
   *   code,
   *   sessionId: req.sessionID,
   * });
   *
   * @throws {BackupCodeError} `invalid_option` for an invalid `sessionId`; `invalid_user_id`;
   * `invalid_result` if `personOf` returns no string; and whatever `consume`, `isEntitled`,
   * `personOf` and the store throw
   */
  async approve(
    userId: UserId,
    { id, digest, code, sessionId }: Decision,
    context?: Context,
  ): Promise<ApprovalOutcome> {
    const caller = callerOf(userId, context);
    const { policy, now } = this.#config;
    const session = sessionDigest(sessionId);
    const record = await this.#steps.read(id);
    if (record === null) return this.#steps.refuse({ caller, record }, 'unknown_request');
    const isSameSession = session !== null && session === record.requestedIn;
    const refusal =
      checkRecord(record, { digest, state: 'requested' }) ??
      (isSameSession ? 'same_person' : null) ??
      (await checkApprover(policy, { userId: caller.userId, record })) ??
      (await checkRequester(policy, record));
    if (refusal !== null) return this.#steps.refuse({ caller, record }, refusal);
    // Claimed first, so that only one of several concurrent approvers consumes a code.
    const claimed = await this.#steps.move(id, {
      from: ['requested'],
      change: { state: 'approving' },
    });
    if (claimed === null) return this.#steps.refuse({ caller, record }, 'not_open');
    return this.#steps.completeWithCode({
      caller,
      record: claimed,
      code,
      eventType: 'approval_granted',
      change: { state: 'approved', approvedBy: caller.userId, approvedAt: now() },
      stateOnFailure: 'requested',
    });
  }

  /**
   * Denies a request, approved or not. Any user who is entitled to approve it can deny it, the
   * target included. It takes no code. A denied request cannot be reopened.
   *
   * @example
   * const outcome = await approval.deny(req.user.id, { id: req.params.id });
   *
   * @throws {BackupCodeError} `invalid_user_id`; and whatever `isEntitled` and the store throw
   */
  async deny(
    userId: UserId,
    { id }: ApprovalReference,
    context?: Context,
  ): Promise<ApprovalOutcome> {
    const caller = callerOf(userId, context);
    const { policy } = this.#config;
    const record = await this.#steps.read(id);
    const mayDeny =
      record === null || (await isEntitledToApprove(policy, { userId: caller.userId, record }));
    if (!mayDeny) return this.#steps.refuse({ caller, record }, 'not_entitled');
    return this.#steps.end({ caller, record }, 'denied');
  }

  /**
   * Cancels a request, approved or not. Only the user who made it can cancel it. It takes no code.
   * A cancelled request cannot be reopened.
   *
   * @example
   * const outcome = await approval.cancel(req.user.id, { id: req.params.id });
   *
   * @throws {BackupCodeError} `invalid_user_id`; and whatever the store throws
   */
  async cancel(
    userId: UserId,
    { id }: ApprovalReference,
    context?: Context,
  ): Promise<ApprovalOutcome> {
    const caller = callerOf(userId, context);
    const record = await this.#steps.read(id);
    const mayCancel = record === null || record.requestedBy === caller.userId;
    if (!mayCancel) return this.#steps.refuse({ caller, record }, 'not_entitled');
    return this.#steps.end({ caller, record }, 'cancelled');
  }

  /**
   * Runs an approved action once, for one of the two people. The state is `executing` before the
   * action starts: an action that a crash interrupted is never run again. A process that does not
   * have the action refuses with `unknown_action`, and the request stays approved.
   *
   * @example
   * const outcome = await approval.execute(req.user.id, { id, digest });
   * if (outcome.ok) res.json(outcome.result);
   *
   * @throws what the action throws, after which the state is `failed`
   * @throws {BackupCodeError} `invalid_user_id`; `invalid_result` if `personOf` returns no string;
   * and whatever `isEntitled`, `personOf` and the store throw. If the store fails after the action,
   * the action was run: `show` tells its state
   */
  async execute(
    userId: UserId,
    { id, digest }: ShownApproval,
    context?: Context,
  ): Promise<ExecutionOutcome> {
    const caller = callerOf(userId, context);
    const { actions, policy } = this.#config;
    const record = await this.#steps.read(id);
    if (record === null) return this.#steps.refuse({ caller, record }, 'unknown_request');
    const refusal =
      checkRecord(record, { digest, state: 'approved' }) ??
      (await checkExecutor(policy, { userId: caller.userId, record }));
    if (refusal !== null) return this.#steps.refuse({ caller, record }, refusal);
    // Before the claim, so that a process that has the action can execute the request.
    const action = actions.get(record.action);
    if (action === undefined) return this.#steps.refuse({ caller, record }, 'unknown_action');
    const executing = await this.#steps.move(id, {
      from: ['approved'],
      change: { state: 'executing' },
    });
    if (executing === null) return this.#steps.refuse({ caller, record }, 'not_open');
    return this.#runner.run({ caller, record: executing }, action);
  }

  /**
   * The first line of every action. It throws unless `execute` runs this action at the moment, with
   * exactly what two people approved.
   *
   * @example
   * 'open-vault': (approved) => {
   *   approval.assertApproved(approved, 'open-vault');
   *   return vaults.open(approved.target);
   * }
   *
   * @param approved what the action received, the same object
   * @throws {BackupCodeError} `not_approved`
   */
  assertApproved(approved: ProposedAction, action: string): void {
    this.#runner.assertRunning(approved, action);
  }
}

/** @throws {BackupCodeError} `invalid_user_id` */
function callerOf(userId: UserId, context: Context | undefined): Caller {
  return { userId: userSubject(userId).userId, context };
}
