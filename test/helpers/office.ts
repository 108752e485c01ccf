// People who decide by twos, over any store: the service, its clock, what was done, and what was told.
import { BackupCodes, type AuditEvent, type BackupCodeStore } from '../../lib';
import {
  MemoryApprovalStore,
  TwoPersonApproval,
  type ApprovalOutcome,
  type ApprovalStore,
  type TwoPersonApprovalOptions,
} from '../../lib/approval';
import { EVENT_TYPES } from '../../lib/audit/events';
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
  readonly hasher: CountingHasher;
  readonly clock: FakeClock;
  /** Which actions were run, with what they were given. */
  readonly done: unknown[];
  /** Of the types of two people, in order. */
  readonly told: AuditEvent[];
  /** A right code of this person that was not given before. */
  code(userId: string): Promise<string>;
  /** How many codes the person has consumed. */
  consumed(userId: string): Promise<number>;
  /** Another instance over the same data, as on another machine. */
  another(options?: Partial<TwoPersonApprovalOptions>): TwoPersonApproval;
}

export interface Stores {
  readonly backup: BackupCodeStore;
  readonly approvals: ApprovalStore;
}

export function openOffice(
  options: Partial<TwoPersonApprovalOptions> = {},
  { backup, approvals }: Stores = {
    backup: new MemoryStore(),
    approvals: new MemoryApprovalStore(),
  },
): Office {
  const [hasher, clock, done, told, unused] = [
    countingHasher(),
    fakeClock(),
    [] as unknown[],
    [] as AuditEvent[],
    new Map<string, Promise<string[]>>(),
  ];
  const backupCodes = new BackupCodes({ store: backup, hasher, now: clock.now });
  for (const type of EVENT_TYPES)
    if (type.startsWith('approval_')) backupCodes.on(type, (event) => told.push(event));
  const another = (more: Partial<TwoPersonApprovalOptions> = {}): TwoPersonApproval => {
    const approval: TwoPersonApproval = new TwoPersonApproval({
      store: approvals,
      backupCodes,
      isEntitled: () => true,
      now: clock.now,
      actions: {
        'open-vault': (approved) => {
          approval.assertApproved(approved, 'open-vault');
          done.push(approved);
          return 'open';
        },
        'close-vault': (approved) => done.push(approved),
        break: () => Promise.reject(new Error('it is stuck')),
      },
      ...options,
      ...more,
    });
    return approval;
  };
  return {
    approval: another(),
    backupCodes,
    hasher,
    clock,
    done,
    told,
    another,
    code: async (userId) => {
      if (!unused.has(userId))
        unused.set(
          userId,
          backupCodes.issue(userId).then(({ codes }) => codes),
        );
      const code = (await unused.get(userId))?.pop();
      if (code === undefined) throw new Error('All codes are used up.');
      return code;
    },
    consumed: async (userId) => {
      const status = await backupCodes.status(userId);
      return status === null ? 0 : status.total - status.remaining;
    },
  };
}

/** What was asked for, by `ada`. */
export async function requested(
  office: Office,
  proposal: { action?: string; target?: string; parameters?: unknown } = {},
): Promise<{ id: string; digest: string }> {
  return ok(
    await office.approval.request('ada', {
      ...PROPOSAL,
      ...proposal,
      code: await office.code('ada'),
    }),
  ).approval;
}

/** And approved, by `bob`. */
export async function approved(
  office: Office,
  proposal: { action?: string; target?: string; parameters?: unknown } = {},
): Promise<{ id: string; digest: string }> {
  const { id, digest } = await requested(office, proposal);
  return ok(await office.approval.approve('bob', { id, digest, code: await office.code('bob') }))
    .approval;
}

export function ok<T>(outcome: ApprovalOutcome<T>): Extract<ApprovalOutcome<T>, { ok: true }> {
  if (!outcome.ok) throw new Error(`It was refused: ${outcome.reason}`);
  return outcome;
}
