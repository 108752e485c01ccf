// Lists accounts for administrators, by the state of their codes. Never shows a code.
import type { SetStatus } from 'passport-backup-code';
import type { AccountFactors } from '../factors/second-factors';
import type { Account } from '../login/users';
import type { Services } from '../web/services';

export interface AccountSummary {
  readonly id: string;
  readonly username: string;
  readonly factors: AccountFactors;
  /** `null` if the account has no codes. */
  readonly codes: SetStatus | null;
  /** The account had many failed attempts recently. */
  readonly isUnusual: boolean;
}

/** The lists that an administrator can choose, with the labels of their links. */
export const LISTS = {
  all: { label: 'All', includes: () => true },
  low: {
    label: 'Few or none left',
    includes: ({ codes }) => codes !== null && !codes.expired && codes.low,
  },
  expired: { label: 'Expired', includes: ({ codes }) => codes !== null && codes.expired },
  attacked: {
    label: 'Locked or under attack',
    includes: ({ codes, isUnusual }) =>
      isUnusual || (codes !== null && (codes.locked.secondFactor || codes.locked.recovery)),
  },
  unused: {
    label: 'Never used',
    includes: ({ codes }) => codes !== null && codes.lastConsumedAt === null,
  },
  none: { label: 'Without codes', includes: ({ codes }) => codes === null },
} as const satisfies Readonly<
  Record<string, { label: string; includes: (account: AccountSummary) => boolean }>
>;

export type ListName = keyof typeof LISTS;

const PAGE_SIZE = 25;
/**
 * Each account costs a few queries. A page examines at most this many and leaves the rest to the
 * next page.
 */
const MAX_SCANNED = 500;

/**
 * Sorted by name, starting after `after`. `next` is the name to continue after, or `null` at the
 * end.
 */
export async function listAccounts(
  { users, secondFactors, backupCodes }: Pick<Services, 'users' | 'secondFactors' | 'backupCodes'>,
  { list, after, unusual }: { list: ListName; after: string | null; unusual: ReadonlySet<string> },
): Promise<{ people: AccountSummary[]; next: string | null }> {
  const people: AccountSummary[] = [];
  let last = after;
  for (let seen = 0; seen < MAX_SCANNED; seen += PAGE_SIZE) {
    const accounts = await users.page({ after: last, limit: PAGE_SIZE });
    const found = await Promise.all(accounts.map(describe));
    for (const account of found) {
      last = account.username;
      if (LISTS[list].includes(account)) people.push(account);
      if (people.length === PAGE_SIZE) return { people, next: last };
    }
    if (accounts.length < PAGE_SIZE) return { people, next: null };
  }
  return { people, next: last };

  async function describe({ id, username }: Account): Promise<AccountSummary> {
    const [factors, codes] = await Promise.all([secondFactors.list(id), backupCodes.status(id)]);
    return { id, username, factors, codes, isUnusual: unusual.has(id) };
  }
}
