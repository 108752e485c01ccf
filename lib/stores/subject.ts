// The row that a store keeps: for a user id, or for the attempts on an unknown user name. The two
// kinds of keys never meet, and neither do those of two namespaces.
import { createHash, createHmac } from 'node:crypto';
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';

/**
 * A string of 1 to 255 characters, a safe integer or a bigint. `42` and `'42'` are the same user.
 */
export type UserId = string | number | bigint;

/** The longest user name: of an e-mail address, 64 + 1 + 255. RFC 3696, section 3. */
export const MAX_USERNAME_LENGTH = 320;

/** A row in the store. */
export interface Subject {
  /**
   * A hash of the id in hex, so that no database confuses two ids by collation, padding, length or
   * case. Equal ids of two namespaces have different keys.
   */
  readonly key: string;
  /** The id as a string, for reports; `null` for an unknown user name. */
  readonly userId: string | null;
  /** The namespace of the `BackupCodes`; `null` without one. */
  readonly namespace: string | null;
}

/** The row of a user. */
export interface UserSubject extends Subject {
  readonly userId: string;
}

/** Whether the value may be the id of a user. This is the only place that decides it. */
export function isUserId(value: unknown): value is UserId {
  return typeof value === 'string'
    ? value.length >= 1 && value.length <= 255 && isWellFormed(value)
    : Number.isSafeInteger(value) || typeof value === 'bigint';
}

/** What was given in place of a user id, as a sentence ends, and how to make an id of it. */
export function describeUserId(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return `${describe(value)}. For an ObjectId of MongoDB give String(user._id).`;
  }
  if (typeof value !== 'string' || value === '') return `${describe(value)}.`;
  return value.length > 255 ? `a string of ${value.length} characters.` : 'a damaged string.';
}

/** @throws {BackupCodeError} `invalid_user_id`: `String(undefined)` would give all users one set */
export function userSubject(userId: UserId, namespace: string | null = null): UserSubject {
  if (!isUserId(userId)) {
    throw new BackupCodeError(
      'invalid_user_id',
      'A user id must be a string of 1 to 255 characters, a safe integer or a bigint, ' +
        `but was ${describeUserId(userId)}`,
    );
  }
  const text = String(userId);
  return { key: userKey(text, namespace), userId: text, namespace };
}

/**
 * The key of a user, from the id as a string: SHA-256 without a namespace, and HMAC-SHA-256 (RFC
 * 2104) with the namespace as its key otherwise.
 */
export function userKey(userId: string, namespace: string | null = null): string {
  const hash = namespace === null ? createHash('sha256') : createHmac('sha256', namespace);
  return hash.update(userId).digest('hex');
}

/**
 * @param name the typed name, normalized; it is not stored
 * @param nameKey 32 random bytes from the store, so that the rows do not disclose the names
 */
export function nameSubject(
  name: string,
  nameKey: Uint8Array,
  { namespace = null }: { readonly namespace?: string | null } = {},
): Subject {
  const key =
    namespace === null ? nameKey : createHmac('sha256', nameKey).update(namespace).digest();
  const hash = createHmac('sha256', key).update(name).digest('hex');
  return { key: `name:${hash}`, userId: null, namespace };
}

/** Half of a surrogate pair is encoded as U+FFFD: two such ids would be one. */
function isWellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}
