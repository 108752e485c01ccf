// What every call of this folder asks in the same way: whose id, and what time it is.
import { BackupCodeError } from '../errors';
import { assertOptions, describe, optionalFunction } from '../internal/validate';
import type { UserId } from '../stores/subject';

export interface LoginOptions {
  /** The user's id: a string of 1 to 255 characters, a safe integer or a bigint. Default `user.id`. */
  readonly userId?: (user: Express.User) => UserId;
  /** The clock, in milliseconds since 1970; for tests. Default `Date.now`. */
  readonly now?: () => number;
}

/** Refuses options that are not in `own` and not above. */
export function loginOptions(
  where: string,
  options: LoginOptions,
  own: readonly string[],
): { idOf: (user: Express.User) => UserId; now: () => number } {
  const given: unknown = options;
  assertOptions(where, given, [...own, 'userId', 'now']);
  const userId =
    optionalFunction('userId', options.userId) ?? ((user) => Reflect.get(user, 'id') as UserId);
  return {
    idOf: (user) => checkedId(userId(user)),
    now: optionalFunction('now', options.now) ?? Date.now,
  };
}

function checkedId(id: UserId): UserId {
  if (isUserId(id)) return id;
  throw new BackupCodeError(
    'invalid_user_id',
    `A user's id must be a string of 1 to 255 characters, a safe integer or a bigint, but was ${describe(id)}. Where it is not user.id, say so: userId: (user) => ...`,
  );
}

export function isUserId(id: unknown): id is UserId {
  return typeof id === 'string'
    ? id.length >= 1 && id.length <= 255
    : Number.isSafeInteger(id) || typeof id === 'bigint';
}

/** As everywhere in this package, `42` and `'42'` are one user. */
export function isSameUser(one: UserId, other: UserId): boolean {
  return String(one) === String(other);
}
