// Runs approved actions. The request is in the state `executing` before the action starts, so an
// action that a crash interrupted is never run again.
import { BackupCodeError } from '../errors';
import type { ApprovedAction } from './approval-options';
import type { ApprovalSteps, StepOnRequest } from './approval-steps';
import type { ActionExecuted } from './decisions';
import { proposedAction, toApproval, type ProposedAction } from './proposal';

export class ActionRunner {
  readonly #steps: ApprovalSteps;
  /** What the actions that run at the moment were given. */
  readonly #running = new WeakSet<ProposedAction>();

  constructor(steps: ApprovalSteps) {
    this.#steps = steps;
  }

  /**
   * @throws what the action throws, after which the request is in the state `failed`; and what the
   * audit trail throws before the action starts, after which the request is approved as before
   */
  async run(step: StepOnRequest, action: ApprovedAction): Promise<ActionExecuted> {
    const approved = proposedAction(step.record);
    await this.#steps.start(step);
    let result: unknown;
    try {
      this.#running.add(approved);
      result = await action(approved);
    } catch (error) {
      // The caller receives what the action threw, even if this cannot be recorded.
      await this.#steps.settle(step, 'failed').catch(() => undefined);
      throw error;
    } finally {
      this.#running.delete(approved);
    }
    return { ok: true, approval: toApproval(await this.#steps.settle(step, 'executed')), result };
  }

  /** @throws {BackupCodeError} `not_approved` */
  assertRunning(approved: ProposedAction, action: string): void {
    if (this.#running.has(approved) && approved.action === action) return;
    throw new BackupCodeError(
      'not_approved',
      `"${action}" takes two people: it runs only through execute(), after both approved it.`,
    );
  }
}
