// Accounts as administrators list them, by the state of their codes. Never a code.
import type { SetStatus } from 'passport-backup-code';
import type { FactorsOfAccount } from '../factors/second-factors';
import type { Account } from '../login/users';
import type { Services } from '../web/services';

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly factors: FactorsOfAccount;
  /** `null`: none. */
  readonly codes: SetStatus | null;
  /** With many failures lately. */
  readonly isUnusual: boolean;
}

/** What a list can be of, in the words of its link. */
export const LISTS = {
  all: { label: 'All', has: () => true },
  low: {
    label: 'Few or none left',
    has: ({ codes }) => codes !== null && !codes.expired && codes.low,
  },
  expired: { label: 'Expired', has: ({ codes }) => codes !== null && codes.expired },
  attacked: {
    label: 'Locked or under attack',
    has: ({ codes, isUnusual }) =>
      isUnusual || (codes !== null && (codes.locked.secondFactor || codes.locked.recovery)),
  },
  unused: {
    label: 'Never used',
    has: ({ codes }) => codes !== null && codes.lastConsumedAt === null,
  },
  none: { label: 'Without codes', has: ({ codes }) => codes === null },
} as const satisfies Readonly<Record<string, { label: string; has: (person: Person) => boolean }>>;

export type ListName = keyof typeof LISTS;

const ON_A_PAGE = 25;
/** Each costs a few queries, so a page looks at so many and leaves the rest to the next one. */
const LOOKED_AT = 500;

/**
 * In the order of their names, after the one given; `next` is the name to go on after, or `null` at
 * the end.
 */
export async function listPeople(
  { users, secondFactors, backupCodes }: Pick<Services, 'users' | 'secondFactors' | 'backupCodes'>,
  { list, after, unusual }: { list: ListName; after: string | null; unusual: ReadonlySet<string> },
): Promise<{ people: Person[]; next: string | null }> {
  const people: Person[] = [];
  let last = after;
  for (let seen = 0; seen < LOOKED_AT; seen += ON_A_PAGE) {
    const accounts = await users.page({ after: last, limit: ON_A_PAGE });
    const found = await Promise.all(accounts.map(describe));
    for (const person of found) {
      last = person.username;
      if (LISTS[list].has(person)) people.push(person);
      if (people.length === ON_A_PAGE) return { people, next: last };
    }
    if (accounts.length < ON_A_PAGE) return { people, next: null };
  }
  return { people, next: last };

  async function describe({ id, username }: Account): Promise<Person> {
    const [factors, codes] = await Promise.all([secondFactors.of(id), backupCodes.status(id)]);
    return { id, username, factors, codes, isUnusual: unusual.has(id) };
  }
}
