// Who may decide what: two different people, neither of them the target, each entitled at that moment; and about what. Asks the
// app, and changes nothing.
import { BackupCodeError } from '../errors';
import type { ApprovalReason } from './approval-events';
import { describe } from '../internal/validate';
import { isWhole, proposalOf, type Proposal } from './proposal';
import type { ApprovalRecord, ApprovalState } from './store';

/** What the app knows of its people. */
export interface People {
  /**
   * Whether somebody may ask for this, or approve it. Asked of both, at the request, the approval and the execution, so that a
   * right that was lost in between counts for nothing. Anything but `true` is a no.
   */
  readonly isEntitled: (
    userId: string,
    about: Required<Proposal> & { readonly role: 'requester' | 'approver' },
  ) => boolean | Promise<boolean>;
  /** Which person an account (or a target) belongs to, where people have several. Default: each account is a person. */
  readonly personOf?: (userId: string) => string | Promise<string>;
}

interface Deciding {
  readonly userId: string;
  readonly record: ApprovalRecord;
}

/** Whether a request is in this state, and what was shown is what would be done. */
export function whyNot(
  record: ApprovalRecord,
  { digest, state }: { digest: string; state: ApprovalState },
): ApprovalReason | null {
  if (record.state === 'expired') return 'late';
  if (record.state !== state) return 'not_open';
  return digest === record.digest && isWhole(record) ? null : 'changed';
}

/** Of the one who asked. */
export async function whyNotFirst(
  people: People,
  record: ApprovalRecord,
): Promise<ApprovalReason | null> {
  if (await isSame(people, [record.requestedBy, record.target])) return 'is_target';
  return (await isEntitled(people, { userId: record.requestedBy, record, role: 'requester' }))
    ? null
    : 'not_entitled';
}

/** Of the one who approves. */
export async function whyNotSecond(
  people: People,
  { userId, record }: Deciding,
): Promise<ApprovalReason | null> {
  if (await isSame(people, [userId, record.requestedBy])) return 'same_person';
  if (await isSame(people, [userId, record.target])) return 'is_target';
  return (await mayApprove(people, { userId, record })) ? null : 'not_entitled';
}

/** Of the two, one of whom runs the action. */
export async function whyNotExecute(
  people: People,
  { userId, record }: Deciding,
): Promise<ApprovalReason | null> {
  const { requestedBy, approvedBy } = record;
  if (approvedBy === null || (userId !== requestedBy && userId !== approvedBy))
    return 'not_entitled';
  return (
    (await whyNotFirst(people, record)) ?? whyNotSecond(people, { userId: approvedBy, record })
  );
}

export function mayApprove(people: People, { userId, record }: Deciding): Promise<boolean> {
  return isEntitled(people, { userId, record, role: 'approver' });
}

async function isEntitled(
  people: People,
  { userId, record, role }: Deciding & { role: 'requester' | 'approver' },
): Promise<boolean> {
  const answer: unknown = await people.isEntitled(userId, { ...proposalOf(record), role });
  return answer === true;
}

async function isSame(people: People, [one, other]: readonly [string, string]): Promise<boolean> {
  return one === other || (await personOf(people, one)) === (await personOf(people, other));
}

async function personOf({ personOf: ask }: People, account: string): Promise<string> {
  const person: unknown = ask === undefined ? account : await ask(account);
  // Where nobody knows who it is, two unknowns might be one.
  if (typeof person !== 'string' || person === '')
    throw new BackupCodeError(
      'invalid_result',
      `personOf must return a text, but returned ${describe(person)}.`,
    );
  return person;
}
