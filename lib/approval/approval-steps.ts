// Moves requests from state to state, and records each step in the audit trail. Decides nothing:
// the caller has checked the rules.
//
// The order must not change. A step that lets something happen is claimed first (`requesting`,
// `approving`, `executing`: one caller holds it), recorded second, and takes effect last. If the
// process ends in between, a claim is left. It expires with the window and never runs anything.
import type { Context } from '../audit/context';
import type { ConsumedCode } from '../service/backup-codes';
import { approvalDetails, type ApprovalEventType, type ApprovalReason } from './approval-events';
import type { ApprovalConfig } from './approval-options';
import { BEFORE_EXECUTION, type ApprovalRecord, type ApprovalState } from './approval-store';
import type { ApprovalOutcome, ApprovalRefused } from './decisions';
import { toApproval } from './proposal';

/** The user who takes a step. */
export interface Caller {
  readonly userId: string;
  readonly context: Context | undefined;
}

/** A step that a user takes. `record` is `null` if the request does not exist. */
export interface Step {
  readonly caller: Caller;
  readonly record: ApprovalRecord | null;
}

/** A step on a request that exists. */
export interface StepOnRequest extends Step {
  readonly record: ApprovalRecord;
}

/** A step that no other caller can take at the moment. It takes effect if the code is accepted. */
export interface ClaimedStep extends StepOnRequest {
  readonly code: unknown;
  readonly eventType: ApprovalEventType;
  readonly change: Partial<ApprovalRecord>;
  /** The state that gives the step back if the code is not accepted. */
  readonly stateOnFailure: ApprovalState;
}

interface Transition {
  readonly from: readonly ApprovalState[];
  readonly change: Partial<ApprovalRecord>;
}

interface RecordedStep extends Step {
  readonly reason?: ApprovalReason;
  readonly code?: ConsumedCode;
}

interface EndedStep extends StepOnRequest {
  readonly code: ConsumedCode;
}

const REQUEST_ID = /^[0-9a-f]{32}$/;

export class ApprovalSteps {
  readonly #config: ApprovalConfig;

  constructor(config: ApprovalConfig) {
    this.#config = config;
  }

  /** The request in its current state. If its window is over, this expires it first. */
  async read(id: string): Promise<ApprovalRecord | null> {
    if (typeof id !== 'string' || !REQUEST_ID.test(id)) return null;
    const now = this.#config.now();
    const found = await this.#config.store.update(id, (record) =>
      BEFORE_EXECUTION.includes(record.state) && now >= record.expiresAt
        ? { ...record, state: 'expired' }
        : null,
    );
    if (found === null) return null;
    if (found.isChanged) {
      const caller = { userId: found.record.requestedBy, context: undefined };
      await this.recordEvent('approval_expired', { caller, record: found.record });
    }
    return found.record;
  }

  /**
   * Changes the record if it is in one of these states and its window is not over.
   *
   * @returns `null` if another caller was first, or the window is over
   */
  async move(id: string, { from, change }: Transition): Promise<ApprovalRecord | null> {
    const now = this.#config.now();
    const found = await this.#config.store.update(id, (record) =>
      from.includes(record.state) && now < record.expiresAt ? { ...record, ...change } : null,
    );
    return found?.isChanged === true ? found.record : null;
  }

  /** Consumes the code of a claimed step. The step takes effect if the code is accepted. */
  async completeWithCode(claim: ClaimedStep): Promise<ApprovalOutcome> {
    const { caller, record, code, eventType, change, stateOnFailure } = claim;
    const from = [record.state];
    const giveBack = { from, change: { state: stateOnFailure } };
    try {
      const consumed = await this.#config.backupCodes.consume(caller.userId, code, caller.context);
      if (!consumed.ok) {
        await this.move(record.id, giveBack);
        return consumed;
      }
      const ended = { caller, record, code: consumed };
      // A step that comes too late is not recorded as taken.
      if (this.#config.now() >= record.expiresAt) return await this.#refuseEnded(ended);
      await this.recordEvent(eventType, { caller, record, code: consumed });
      const moved = await this.move(record.id, { from, change });
      if (moved === null) return await this.#refuseEnded(ended);
      return { ok: true, approval: toApproval(moved) };
    } catch (error) {
      // If the store fails here too, the claim expires with the window.
      await this.move(record.id, giveBack).catch(() => null);
      throw error;
    }
  }

  /**
   * Records that the action starts. If that fails, the action was not run, and the request becomes
   * approved again.
   */
  async start(step: StepOnRequest): Promise<void> {
    try {
      await this.recordEvent('approval_executing', step);
    } catch (error) {
      // The window is not checked: a request that is over expires when it is read. If the store
      // fails here too, the request stays `executing` and is never run.
      await this.#config.store
        .update(step.record.id, (record) =>
          record.state === 'executing' ? { ...record, state: 'approved' } : null,
        )
        .catch(() => null);
      throw error;
    }
  }

  /** Records the end of an action. It ignores the window: the action was run. */
  async settle(
    { caller, record: executing }: StepOnRequest,
    state: 'executed' | 'failed',
  ): Promise<ApprovalRecord> {
    const settled = { ...executing, state };
    await this.#config.store.update(executing.id, (record) =>
      record.state === 'executing' ? settled : null,
    );
    await this.recordEvent(`approval_${state}`, { caller, record: settled });
    return settled;
  }

  /** Ends a request before its action starts. */
  async end({ caller, record }: Step, state: 'denied' | 'cancelled'): Promise<ApprovalOutcome> {
    if (record === null) return this.refuse({ caller, record }, 'unknown_request');
    const ended = await this.move(record.id, { from: BEFORE_EXECUTION, change: { state } });
    if (ended === null) {
      const isLate = record.state === 'expired';
      return this.refuse({ caller, record }, isLate ? 'late' : 'not_open');
    }
    await this.recordEvent(`approval_${state}`, { caller, record: ended });
    return { ok: true, approval: toApproval(ended) };
  }

  async refuse(step: RecordedStep, reason: ApprovalReason): Promise<ApprovalRefused> {
    await this.recordEvent('approval_refused', { ...step, reason });
    return { ok: false, reason };
  }

  /** The code is consumed, but the request ended while it was checked. */
  async #refuseEnded(step: EndedStep): Promise<ApprovalRefused> {
    const isLate = (await this.read(step.record.id))?.state === 'expired';
    return this.refuse(step, isLate ? 'late' : 'not_open');
  }

  async recordEvent(
    type: ApprovalEventType,
    { caller, record, reason, code }: RecordedStep,
  ): Promise<void> {
    await this.#config.backupCodes.audit.record(type, {
      userId: caller.userId,
      details: approvalDetails(record, reason ?? null),
      context: caller.context,
      ...(code !== undefined && { code }),
    });
  }
}
