// An office in which two people approve actions, on any store: the service, its clock, the
// actions that ran, and the events that listeners received.
import { BackupCodes, type AuditEvent, type BackupCodeStore } from '../../lib';
import {
  APPROVAL_EVENT_TYPES,
  MemoryApprovalStore,
  TwoPersonApproval,
  type ApprovalAccepted,
  type ApprovalOutcome,
  type ApprovalStore,
  type ExecutionOutcome,
  type Proposal,
  type TwoPersonApprovalOptions,
} from '../../lib/approval';
import { MemoryStore } from '../../lib/stores/memory';
import { fakeClock, type FakeClock } from './clock';
import { countingHasher, type CountingHasher } from './counting-hasher';

export const PROPOSAL = {
  action: 'open-vault',
  target: 'vault-7',
  parameters: { reason: 'audit', amount: 3 },
} as const;

export interface Office {
  readonly approval: TwoPersonApproval;
  readonly backupCodes: BackupCodes;
  readonly stores: OfficeStores;
  readonly hasher: CountingHasher;
  readonly clock: FakeClock;
  /** The argument of each action that ran. */
  readonly executed: unknown[];
  /** Events of two-person approval, in order. */
  readonly events: AuditEvent[];
  /** Returns a valid code of this user that was not returned before. */
  unusedCode(userId: string): Promise<string>;
  /** Returns how many codes the user has consumed. */
  consumedCount(userId: string): Promise<number>;
  /** Makes another instance on the same data, as on another machine. */
  anotherInstance(options?: Partial<TwoPersonApprovalOptions>): TwoPersonApproval;
}

export interface OfficeStores {
  readonly backup: BackupCodeStore;
  readonly approvals: ApprovalStore;
}

export function openOffice(
  options: Partial<TwoPersonApprovalOptions> = {},
  stores: OfficeStores = { backup: new MemoryStore(), approvals: new MemoryApprovalStore() },
): Office {
  const hasher = countingHasher();
  const clock = fakeClock();
  const executed: unknown[] = [];
  const events: AuditEvent[] = [];
  const unusedCodes = new Map<string, Promise<string[]>>();
  const backupCodes = new BackupCodes({ store: stores.backup, hasher, now: clock.now });
  for (const type of APPROVAL_EVENT_TYPES) backupCodes.on(type, (event) => events.push(event));
  const anotherInstance = (more: Partial<TwoPersonApprovalOptions> = {}): TwoPersonApproval => {
    const approval: TwoPersonApproval = new TwoPersonApproval({
      store: stores.approvals,
      backupCodes,
      isEntitled: () => true,
      now: clock.now,
      actions: {
        'open-vault': (approved) => {
          approval.assertApproved(approved, 'open-vault');
          executed.push(approved);
          return 'open';
        },
        'close-vault': (approved) => executed.push(approved),
        break: () => Promise.reject(new Error('it is stuck')),
      },
      ...options,
      ...more,
    });
    return approval;
  };
  return {
    approval: anotherInstance(),
    backupCodes,
    stores,
    hasher,
    clock,
    executed,
    events,
    anotherInstance,
    unusedCode: async (userId) => {
      if (!unusedCodes.has(userId)) {
        unusedCodes.set(
          userId,
          backupCodes.issue(userId).then(({ codes }) => codes),
        );
      }
      const code = (await unusedCodes.get(userId))?.pop();
      if (code === undefined) throw new Error('All codes are used up.');
      return code;
    },
    consumedCount: async (userId) => {
      const status = await backupCodes.status(userId);
      return status === null ? 0 : status.total - status.remaining;
    },
  };
}

export interface ShownRequest {
  readonly id: string;
  readonly digest: string;
}

/** Makes a request as `ada`. */
export async function makeRequest(
  office: Office,
  proposal: Partial<Proposal> = {},
): Promise<ShownRequest> {
  const code = await office.unusedCode('ada');
  return accepted(await office.approval.request('ada', { ...PROPOSAL, ...proposal, code }))
    .approval;
}

/** Makes a request as `ada` and approves it as `bob`. */
export async function makeApprovedRequest(
  office: Office,
  proposal: Partial<Proposal> = {},
): Promise<ShownRequest> {
  const { id, digest } = await makeRequest(office, proposal);
  const code = await office.unusedCode('bob');
  return accepted(await office.approval.approve('bob', { id, digest, code })).approval;
}

/** Returns the outcome of a step. @throws if the step was refused */
export function accepted(outcome: ApprovalOutcome | ExecutionOutcome): ApprovalAccepted {
  if (!outcome.ok) throw new Error(`The step was refused: ${outcome.reason}`);
  return outcome;
}

/** Returns the result of an execution. @throws if it was refused */
export function resultOf(outcome: ExecutionOutcome): unknown {
  if (!outcome.ok) throw new Error(`The execution was refused: ${outcome.reason}`);
  return outcome.result;
}
