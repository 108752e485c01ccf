// Whether a login is new enough for the app: the option `notBefore` of the guards.
import { BackupCodeError } from '../errors';
import { isTime } from '../internal/time';
import { describe } from '../internal/validate';
import type { UserId } from '../stores/subject';
import { isFresh } from './factors';

/** Returns the time before which the logins of a user have ended, or `null` if none has. */
export type NotBefore = (userId: UserId) => number | Date | null | Promise<number | Date | null>;

/**
 * Whether a login still counts. One from the future does not, except for clock skew: it would
 * outlive every `notBefore`.
 *
 * @throws {BackupCodeError} `invalid_result`: `notBefore` returned something else
 */
export async function isLoginValid(
  { userId, startedAt }: { readonly userId: UserId; readonly startedAt: number },
  { notBefore, now }: { readonly notBefore: NotBefore | undefined; readonly now: number },
): Promise<boolean> {
  if (!isFresh(startedAt, { maxAgeSeconds: Infinity, now })) return false;
  if (notBefore === undefined) return true;
  const earliest = checkTime(await notBefore(userId));
  return earliest === null || startedAt >= earliest;
}

function checkTime(given: unknown): number | null {
  if (given === null) return null;
  const time: unknown = given instanceof Date ? given.getTime() : given;
  if (isTime(time)) return time;
  const what = given instanceof Date ? 'an invalid date' : describe(given);
  throw new BackupCodeError(
    'invalid_result',
    'notBefore must return milliseconds since 1970, a Date, null, or a promise of one of them, ' +
      `but returned ${what}. No user gets through.`,
  );
}
