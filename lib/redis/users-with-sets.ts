// Lists the users of a partition who have a set, for reminders and reports.
import { runScript, type RedisClient } from './client';
import { partitionKeys } from './keys';
import type { RedisKeyspace } from './redis-options';
import { readList, readNumber, readText } from './replies';
import { listUsersScript, readUsersScript } from './scripts/audit-scripts';

/** How many users one script reads. */
const BATCH = 500;

/** The fields of a user that reminders and reports need. */
export interface UserWithSet {
  readonly userId: string;
  readonly setId: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly remaining: number;
  readonly total: number;
  readonly lastConsumedAt: number | null;
  readonly pepperId: string | null;
  readonly hasher: string;
  /** On the second factor. */
  readonly attempts: number;
  readonly lockedAt: number | null;
}

const FIELDS = [
  'userId',
  'namespace',
  'setId',
  'createdAt',
  'expiresAt',
  'remaining',
  'total',
  'lastConsumedAt',
  'pepperId',
  'hasher',
  'second_factor:lockedAt',
  'second_factor:attempts',
] as const;

type StoredUser = Readonly<Record<(typeof FIELDS)[number], string>>;

export interface UsersRequest {
  readonly partition: number;
  /** The highest score in the sorted set of users; `Infinity` for all of them. */
  readonly maxScore: number;
  /** Only users of this namespace. */
  readonly namespace: string | null;
}

/**
 * Yields the users in batches. All of their keys are listed before the first batch, because the
 * caller may change scores between batches.
 */
export async function* readUsersWithSets(
  { client, prefix }: RedisKeyspace,
  { partition, maxScore, namespace }: UsersRequest,
): AsyncGenerator<UserWithSet[]> {
  const { sets } = partitionKeys(prefix, partition);
  const keys = await listUserKeys(client, sets, maxScore);
  for (let start = 0; start < keys.length; start += BATCH) {
    const reply = await runScript(client, readUsersScript, {
      keys: keys.slice(start, start + BATCH),
      request: { fields: FIELDS },
    });
    const users: UserWithSet[] = [];
    for (const values of readList(reply)) {
      const stored = readStoredUser(values);
      // The set may have ended since its key was listed.
      if (stored.setId === '' || stored.namespace !== (namespace ?? '')) continue;
      users.push(readUser(stored));
    }
    yield users;
  }
}

/** The `user` keys in a sorted set whose score is at most this. */
export async function listUserKeys(
  client: RedisClient,
  key: string,
  maxScore: number,
): Promise<string[]> {
  const max = maxScore === Infinity ? '+inf' : String(maxScore);
  const keys: string[] = [];
  for (;;) {
    const reply = await runScript(client, listUsersScript, {
      keys: [key],
      request: { max, offset: keys.length, count: BATCH },
    });
    const listed = readList(reply).map(readText);
    keys.push(...listed);
    if (listed.length < BATCH) return keys;
  }
}

function readStoredUser(reply: unknown): StoredUser {
  const values = readList(reply).map(readText);
  const entries = FIELDS.map((name, n) => [name, values[n] ?? '']);
  return Object.fromEntries(entries) as StoredUser;
}

/** @throws {BackupCodeError} `unreadable_set` */
function readUser(stored: StoredUser): UserWithSet {
  return {
    userId: stored.userId,
    setId: stored.setId,
    createdAt: readNumber(stored.createdAt),
    expiresAt: readOptionalNumber(stored.expiresAt),
    remaining: readNumber(stored.remaining),
    total: readNumber(stored.total),
    lastConsumedAt: readOptionalNumber(stored.lastConsumedAt),
    pepperId: stored.pepperId === '' ? null : stored.pepperId,
    hasher: stored.hasher,
    attempts: readOptionalNumber(stored['second_factor:attempts']) ?? 0,
    lockedAt: readOptionalNumber(stored['second_factor:lockedAt']),
  };
}

function readOptionalNumber(stored: string): number | null {
  return stored === '' ? null : readNumber(stored);
}
