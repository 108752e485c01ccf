// Accounts as administrators list them, by the state of their codes. Never a code.
import type { SetStatus } from 'passport-backup-code';
import type { AccountFactors } from '../factors/second-factors';
import type { Account } from '../login/users';
import type { Services } from '../web/services';

export interface AccountSummary {
  readonly id: string;
  readonly username: string;
  readonly factors: AccountFactors;
  /** `null`: none. */
  readonly codes: SetStatus | null;
  /** With many failures lately. */
  readonly isUnusual: boolean;
}

/** What a list can be of, in the words of its link. */
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
/** Each costs a few queries, so a page looks at so many and leaves the rest to the next one. */
const MAX_SCANNED = 500;

/**
 * In the order of their names, after the one given; `next` is the name to go on after, or `null` at
 * the end.
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
