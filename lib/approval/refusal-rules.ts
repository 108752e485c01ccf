// The rules of two-person approval: two different people, both entitled at each step, and neither
// of them the target. Each check returns the reason for a refusal, or `null`. Changes nothing.
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';
import type { ApprovalReason } from './approval-events';
import type { ApprovalRecord, ApprovalState } from './approval-store';
import { matchesDigest, proposedAction, type ProposedAction } from './proposal';

/** What a user wants to do with a request. */
export type ApprovalRole = 'requester' | 'approver';

/** What {@link ApprovalPolicy.isEntitled} is asked about. */
export interface EntitlementRequest extends ProposedAction {
  readonly role: ApprovalRole;
}

/** What your app knows about its users. */
export interface ApprovalPolicy {
  /**
   * Whether a user may request this action, or approve it. It is asked about both users at the
   * request, the approval and the execution, so a right that was lost in between no longer counts.
   * Any result except `true` is a refusal.
   *
   * @example
   * isEntitled: (userId, { action, role }) => roles.has(userId, `${action}:${role}`)
   */
  readonly isEntitled: (userId: string, request: EntitlementRequest) => boolean | Promise<boolean>;
  /**
   * The id of the person that an account, or a target, belongs to. Set it if a person may have
   * several accounts.
   *
   * @default each account is one person
   * @example
   * personOf: async (userId) => (await accounts.find(userId)).employeeNumber
   */
  readonly personOf?: ((userId: string) => string | Promise<string>) | undefined;
}

/** The state that a step requires, and the digest that the user was shown. */
export interface RequiredRecord {
  readonly state: ApprovalState;
  readonly digest: string;
}

/** A user who takes a step, and the request. */
export interface UserAndRecord {
  readonly userId: string;
  readonly record: ApprovalRecord;
}

/** The record must be in the right state, and be what the user was shown. */
export function checkRecord(
  record: ApprovalRecord,
  { state, digest }: RequiredRecord,
): ApprovalReason | null {
  if (record.state === 'expired') return 'late';
  if (record.state !== state) return 'not_open';
  return digest === record.digest && matchesDigest(record) ? null : 'changed';
}

export async function checkRequester(
  policy: ApprovalPolicy,
  record: ApprovalRecord,
): Promise<ApprovalReason | null> {
  const { requestedBy: userId, target } = record;
  if (await isSamePerson(policy, [userId, target])) return 'is_target';
  return (await isEntitled(policy, { userId, record, role: 'requester' })) ? null : 'not_entitled';
}

export async function checkApprover(
  policy: ApprovalPolicy,
  { userId, record }: UserAndRecord,
): Promise<ApprovalReason | null> {
  if (await isSamePerson(policy, [userId, record.requestedBy])) return 'same_person';
  if (await isSamePerson(policy, [userId, record.target])) return 'is_target';
  return (await isEntitledToApprove(policy, { userId, record })) ? null : 'not_entitled';
}

/** One of the two people runs the action, and both must still meet the rules. */
export async function checkExecutor(
  policy: ApprovalPolicy,
  { userId, record }: UserAndRecord,
): Promise<ApprovalReason | null> {
  const { requestedBy, approvedBy } = record;
  if (approvedBy === null || (userId !== requestedBy && userId !== approvedBy)) {
    return 'not_entitled';
  }
  return (
    (await checkRequester(policy, record)) ?? checkApprover(policy, { userId: approvedBy, record })
  );
}

export function isEntitledToApprove(
  policy: ApprovalPolicy,
  { userId, record }: UserAndRecord,
): Promise<boolean> {
  return isEntitled(policy, { userId, record, role: 'approver' });
}

async function isEntitled(
  policy: ApprovalPolicy,
  { userId, record, role }: UserAndRecord & { readonly role: ApprovalRole },
): Promise<boolean> {
  const result: unknown = await policy.isEntitled(userId, { ...proposedAction(record), role });
  return result === true;
}

async function isSamePerson(
  policy: ApprovalPolicy,
  [one, other]: readonly [string, string],
): Promise<boolean> {
  return one === other || (await personOf(policy, one)) === (await personOf(policy, other));
}

async function personOf({ personOf: find }: ApprovalPolicy, userId: string): Promise<string> {
  const person: unknown = find === undefined ? userId : await find(userId);
  // Two people who cannot be identified might be the same person.
  if (typeof person === 'string' && person !== '') return person;
  const given = person === '' ? 'an empty string' : describe(person);
  throw new BackupCodeError(
    'invalid_result',
    `personOf must return the id of a person, but returned ${given}.`,
  );
}
