// Actions that run only after two different people, neither of them their target, each consumed a backup code of their own for
// this very request (NIST SP 800-53, AC-3(2), dual authorization). Knows no page, and of a session only that it is another.
//
// A step that lets something happen is claimed first (`requesting`, `approving`, `executing`: one caller holds it), then in the
// audit trail, and only then in force: a crash in between leaves a claim, which ends with the window and never runs anything.
import { inspect } from 'node:util';
import type { BackupCodes } from '../service/backup-codes';
import type { Outcome } from '../service/consume';
import type { Context } from '../audit/context';
import { BackupCodeError } from '../errors';
import type { Reason } from '../audit/events';
import type { ApprovalEventType, ApprovalReason } from './approval-events';
import {
  assertMethods,
  assertOptions,
  describe,
  optionalFunction,
  wholeNumber,
} from '../internal/validate';
import { userSubject, type UserId } from '../stores/subject';
import { proposalOf, propose, sessionKey, view, type Approval, type Proposal } from './proposal';
import { mayApprove, whyNot, whyNotExecute, whyNotFirst, whyNotSecond, type People } from './rules';
import {
  BEFORE_EXECUTION,
  type ApprovalRecord,
  type ApprovalState,
  type ApprovalStore,
} from './store';

/** The actions, who may ask and approve, and where requests are kept. */
export interface TwoPersonApprovalOptions extends People {
  /** Where the requests are: `SqlApprovalStore` of `…/sql`, `RedisApprovalStore` of `…/redis`; `MemoryApprovalStore` for tests. */
  readonly store: ApprovalStore;
  /** Whose codes the two people consume, and whose audit trail tells of it. */
  readonly backupCodes: Pick<BackupCodes, 'consume' | 'audit'>;
  /** By name. Each begins with `assertApproved`, so that there is no other way to it than `execute`. */
  readonly actions: Readonly<Record<string, (approved: Required<Proposal>) => unknown>>;
  /** From the request to the execution. 60 to 86400, default 900. */
  readonly windowSeconds?: number;
  /** The clock, in milliseconds since 1970; for tests. Default `Date.now`. */
  readonly now?: () => number;
}

/** What a person says of a request. */
export interface Decision {
  readonly id: string;
  /** As it was shown: a decision about anything else is void. */
  readonly digest: string;
  /** What was typed. */
  readonly code: unknown;
  /** The person's session, in any words that tell sessions apart. The session that asked cannot approve. */
  readonly sessionId?: string;
}

/** The reason is for the calling code and the audit. Of a code that was not accepted, tell the person no more than the strategy would. */
export type ApprovalOutcome<Result = object> =
  | (Result & { readonly ok: true; readonly approval: Approval })
  | {
      readonly ok: false;
      readonly reason: ApprovalReason | Reason;
      readonly retryAfterSeconds?: number;
    };

type Refusal = Extract<ApprovalOutcome, { ok: false }>;
type ConsumedCode = Extract<Outcome, { ok: true }>;

interface Who {
  readonly userId: string;
  readonly context: Context | undefined;
}

/** How a claim goes on once the code was consumed, or back where it was not. */
interface Claim {
  readonly record: ApprovalRecord;
  readonly code: unknown;
  readonly type: ApprovalEventType;
  readonly to: Partial<ApprovalRecord>;
  readonly back: ApprovalState;
}

/**
 * Runs an action only after two different people, neither of them its target, each consumed a backup code of their own for it.
 *
 * @example new TwoPersonApproval({ store: new SqlApprovalStore(kysely), backupCodes, actions: { 'open-vault': openVault }, isEntitled })
 */
export class TwoPersonApproval {
  private readonly options: TwoPersonApprovalOptions;
  private readonly windowMs: number;
  private readonly now: () => number;
  /** What is being executed at this moment, in this process. */
  private readonly running = new WeakSet();

  /** @throws {BackupCodeError} `invalid_option` */
  constructor(options: TwoPersonApprovalOptions) {
    assertOptions('TwoPersonApproval', options, [
      'store',
      'backupCodes',
      'actions',
      'isEntitled',
      'personOf',
      'windowSeconds',
      'now',
    ]);
    const { store, backupCodes, actions, isEntitled, personOf, windowSeconds, now } = options;
    assertMethods('store', store, ['create', 'update']);
    assertMethods('backupCodes', backupCodes, ['consume']);
    assertMethods('actions', actions, Object.keys(Object(actions) as object));
    if (typeof isEntitled !== 'function')
      throw new BackupCodeError(
        'invalid_option',
        `isEntitled must be a function, but was ${describe(isEntitled)}.`,
      );
    optionalFunction('personOf', personOf);
    this.options = { ...options, actions: { ...actions } };
    this.windowMs =
      1000 * wholeNumber('windowSeconds', windowSeconds, { min: 60, max: 86_400, fallback: 900 });
    this.now = optionalFunction('now', now) ?? Date.now;
  }

  /**
   * The first of the two asks, and consumes a backup code for it.
   *
   * @param proposal with `code`, what was typed, and `sessionId`, as in {@link Decision}
   * @throws {BackupCodeError} `invalid_option` for an unknown action or parameters that are no JSON; `invalid_user_id`; what
   *   `consume` throws
   */
  async request(
    userId: UserId,
    { code, sessionId, ...proposal }: Proposal & Omit<Decision, 'id' | 'digest'>,
    context?: Context,
  ): Promise<ApprovalOutcome> {
    const who = { userId: userSubject(userId).userId, context };
    const record = propose(proposal, {
      actions: this.options.actions,
      by: who.userId,
      sessionId,
      now: this.now(),
      windowMs: this.windowMs,
    });
    const refusal = await whyNotFirst(this.options, record);
    if (refusal !== null) return this.refuse(who, record, refusal);
    // The target is taken before the code is, so that no code is spent for a request that cannot be.
    if (!(await this.options.store.create(record))) return this.refuse(who, record, 'open_request');
    return this.withCode(who, {
      record,
      code,
      type: 'approval_requested',
      to: { state: 'requested' },
      back: 'cancelled',
    });
  }

  /** What there is to decide; `null` where there is no such request. To look changes nothing. */
  async show(id: string): Promise<Approval | null> {
    const record = await this.read(id);
    return record && view(record);
  }

  /**
   * The second approves what they were shown, and consumes a backup code for it.
   *
   * @throws {BackupCodeError} `invalid_option`, `invalid_user_id`; what `consume` throws
   */
  async approve(
    userId: UserId,
    { id, digest, code, sessionId }: Decision,
    context?: Context,
  ): Promise<ApprovalOutcome> {
    const who = { userId: userSubject(userId).userId, context };
    const session = sessionKey(sessionId);
    const record = await this.read(id);
    if (record === null) return this.refuse(who, null, 'unknown_request');
    const refusal =
      whyNot(record, { digest, state: 'requested' }) ??
      (session !== null && session === record.requestedIn ? 'same_person' : null) ??
      (await whyNotSecond(this.options, { userId: who.userId, record })) ??
      (await whyNotFirst(this.options, record));
    if (refusal !== null) return this.refuse(who, record, refusal);
    // Claimed first, so that of two who approve at once only one spends a code.
    const claimed = await this.move(id, ['requested'], { state: 'approving' });
    if (claimed === null) return this.refuse(who, record, 'not_open');
    const to = { state: 'approved', approvedBy: who.userId, approvedAt: this.now() } as const;
    return this.withCode(who, {
      record: claimed,
      code,
      type: 'approval_granted',
      to,
      back: 'requested',
    });
  }

  /** Ends a request for good, approved or not, by anybody who is entitled to approve, whom it is about included. It takes no code to say no. */
  async deny(
    userId: UserId,
    { id }: Pick<Decision, 'id'>,
    context?: Context,
  ): Promise<ApprovalOutcome> {
    const who = { userId: userSubject(userId).userId, context };
    const record = await this.read(id);
    if (record !== null && !(await mayApprove(this.options, { userId: who.userId, record })))
      return this.refuse(who, record, 'not_entitled');
    return this.end(who, record, 'denied');
  }

  /** Ends a request for good, by the one who made it. */
  async cancel(
    userId: UserId,
    { id }: Pick<Decision, 'id'>,
    context?: Context,
  ): Promise<ApprovalOutcome> {
    const who = { userId: userSubject(userId).userId, context };
    const record = await this.read(id);
    if (record !== null && record.requestedBy !== who.userId)
      return this.refuse(who, record, 'not_entitled');
    return this.end(who, record, 'cancelled');
  }

  /**
   * Runs the action, once, for one of the two. Its state is `executing` before it begins: after a crash it counts as failed, and
   * is never run again.
   *
   * @returns with `result`, what the action returned
   * @throws what the action throws, after which the state is `failed`; {@link BackupCodeError} `invalid_user_id`; what the store
   *   throws: look at `show`, for an action that was run is `executed` though its last event could not be written
   */
  async execute(
    userId: UserId,
    { id, digest }: Pick<Decision, 'id' | 'digest'>,
    context?: Context,
  ): Promise<ApprovalOutcome<{ readonly result: unknown }>> {
    const who = { userId: userSubject(userId).userId, context };
    const record = await this.read(id);
    if (record === null) return this.refuse(who, null, 'unknown_request');
    const refusal =
      whyNot(record, { digest, state: 'approved' }) ??
      (await whyNotExecute(this.options, { userId: who.userId, record }));
    if (refusal !== null) return this.refuse(who, record, refusal);
    const executing = await this.move(id, ['approved'], { state: 'executing' });
    if (executing === null) return this.refuse(who, record, 'not_open');
    const approved = proposalOf(executing);
    let result: unknown;
    try {
      await this.record(who, executing, 'approval_executing');
      this.running.add(approved);
      result = await this.options.actions[executing.action]?.(approved);
    } catch (error) {
      // What the action threw is what the caller hears of.
      await this.settle(who, executing, 'failed').catch(() => undefined);
      throw error;
    } finally {
      this.running.delete(approved);
    }
    return { ok: true, approval: view(await this.settle(who, executing, 'executed')), result };
  }

  /**
   * The first line of an action: throws unless two people approved exactly what it was given, and `execute` is running it.
   *
   * @throws {BackupCodeError} `not_approved`
   */
  assertApproved(approved: Required<Proposal>, action: string): void {
    if (this.running.has(approved) && approved.action === action) return;
    throw new BackupCodeError(
      'not_approved',
      `"${action}" takes two people: it runs only through execute(), once both have approved it.`,
    );
  }

  /** Shows no store, whoever prints this. */
  [inspect.custom](): string {
    return 'TwoPersonApproval {}';
  }

  /** Nor whoever logs it as JSON. */
  toJSON(): string {
    return this[inspect.custom]();
  }

  /** As it is now: one whose time is over is ended on the way. */
  private async read(id: string): Promise<ApprovalRecord | null> {
    if (typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id)) return null;
    const now = this.now();
    const found = await this.options.store.update(id, (record) =>
      BEFORE_EXECUTION.includes(record.state) && now >= record.expiresAt
        ? { ...record, state: 'expired' }
        : null,
    );
    if (found?.isChanged === true)
      await this.record(
        { userId: found.record.requestedBy, context: undefined },
        found.record,
        'approval_expired',
      );
    return found?.record ?? null;
  }

  /** From one of these states to another, while there is time; `null` where somebody else was first. */
  private async move(
    id: string,
    from: readonly ApprovalState[],
    to: Partial<ApprovalRecord>,
  ): Promise<ApprovalRecord | null> {
    const now = this.now();
    const found = await this.options.store.update(id, (record) =>
      from.includes(record.state) && now < record.expiresAt ? { ...record, ...to } : null,
    );
    return found?.isChanged === true ? found.record : null;
  }

  /** A claim goes on by a code of the person's own, and back where there is none. */
  private async withCode(
    who: Who,
    { record, code, type, to, back }: Claim,
  ): Promise<ApprovalOutcome> {
    const { id, state } = record;
    try {
      const consumed = await this.options.backupCodes.consume(who.userId, code, who.context);
      if (!consumed.ok) {
        await this.move(id, [state], { state: back });
        return consumed;
      }
      await this.record(who, record, type, { code: consumed });
      const moved = await this.move(id, [state], to);
      if (moved !== null) return { ok: true, approval: view(moved) };
      return await this.refuse(
        who,
        record,
        (await this.read(id))?.state === 'expired' ? 'late' : 'not_open',
      );
    } catch (error) {
      // Where the store is gone too, the claim ends with the window.
      await this.move(id, [state], { state: back }).catch(() => null);
      throw error;
    }
  }

  /** Whatever the clock says: the action was run. */
  private async settle(
    who: Who,
    executing: ApprovalRecord,
    state: 'executed' | 'failed',
  ): Promise<ApprovalRecord> {
    const settled = { ...executing, state };
    await this.options.store.update(executing.id, (record) =>
      record.state === 'executing' ? settled : null,
    );
    await this.record(who, settled, `approval_${state}`);
    return settled;
  }

  private async end(
    who: Who,
    record: ApprovalRecord | null,
    state: 'denied' | 'cancelled',
  ): Promise<ApprovalOutcome> {
    if (record === null) return this.refuse(who, null, 'unknown_request');
    const ended = await this.move(record.id, BEFORE_EXECUTION, { state });
    if (ended === null)
      return this.refuse(who, record, record.state === 'expired' ? 'late' : 'not_open');
    await this.record(who, ended, `approval_${state}`);
    return { ok: true, approval: view(ended) };
  }

  private async refuse(
    who: Who,
    record: ApprovalRecord | null,
    reason: ApprovalReason,
  ): Promise<Refusal> {
    await this.record(who, record, 'approval_refused', { reason });
    return { ok: false, reason };
  }

  private async record(
    who: Who,
    record: ApprovalRecord | null,
    type: ApprovalEventType,
    { reason, code }: { reason?: ApprovalReason; code?: ConsumedCode } = {},
  ): Promise<void> {
    const { id = null, action = null, target = null } = record ?? {};
    await this.options.backupCodes.audit.record(type, {
      userId: who.userId,
      details: { approval_id: id, action, target, reason: reason ?? null },
      context: who.context,
      ...(code && { code }),
    });
  }
}
