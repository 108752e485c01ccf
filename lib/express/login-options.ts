// The two options that every function of this folder takes: how to get a user's id, and the clock.
import { BackupCodeError } from '../errors';
import { checkedClock } from '../internal/clock';
import { assertOptions, optionalFunction } from '../internal/validate';
import { describeUserId, isUserId, userSubject, type UserId } from '../stores/subject';

/** Options that every login function and every guard takes. */
export interface LoginOptions {
  /**
   * Returns the user's id: a string of 1 to 255 characters, a safe integer or a bigint. `42` and
   * `'42'` are one user. Give every function and guard the same.
   * @default (user) => user.id
   */
  readonly userId?: (user: Express.User) => UserId;
  /**
   * The clock, in milliseconds since 1970; for tests.
   * @default Date.now
   */
  readonly now?: () => number;
}

/** `LoginOptions`, checked and with their defaults. */
export interface CheckedLoginOptions {
  /** @throws {BackupCodeError} `invalid_user_id` */
  readonly idOf: (user: Express.User) => UserId;
  readonly now: () => number;
}

/**
 * @param functionName the function that takes the options, for messages
 * @param ownOptions the names of the other options that it takes
 * @throws {BackupCodeError} `invalid_option`
 */
export function checkLoginOptions(
  functionName: string,
  ownOptions: readonly string[],
  options: LoginOptions,
): CheckedLoginOptions {
  const given: unknown = options;
  assertOptions(functionName, given, [...ownOptions, 'userId', 'now']);
  const userId =
    optionalFunction('userId', options.userId) ?? ((user) => Reflect.get(user, 'id') as UserId);
  return {
    idOf: (user) => checkUserId(userId(user), 'userId: (user) => ...'),
    now: checkedClock(optionalFunction('now', options.now)),
  };
}

/**
 * @param option the option that the caller can give instead, for the message
 * @throws {BackupCodeError} `invalid_user_id`
 */
export function checkUserId(id: unknown, option: string): UserId {
  if (isUserId(id)) return id;
  throw new BackupCodeError(
    'invalid_user_id',
    'A user id must be a string of 1 to 255 characters, a safe integer or a bigint, ' +
      `but was ${describeUserId(id)} If it is not user.id, give ${option}`,
  );
}

/** Whether two ids are those of one user. */
export function isSameUser(one: UserId, other: UserId): boolean {
  return userSubject(one).userId === userSubject(other).userId;
}
