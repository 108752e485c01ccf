// Finds the user of a request: by a typed name, or after a first factor.
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';
import { MAX_USERNAME_LENGTH, type UserId } from '../stores/subject';
import type { CheckedOptions } from './check-options';
import { warnOfMissingField, warnOfMissingUser } from './mistakes';
import { refuse, REFUSALS, type Failure } from './outcomes';

/** The user of a request, if there is one. */
export interface RequestUser {
  /** `null` if no user has the typed name. */
  readonly user: unknown;
  /** `null` without a user, and with the app's own `consumeCode`, which needs no id. */
  readonly userId: UserId | null;
  /** As typed, on the `recovery` channel. Empty on the `second_factor` channel. */
  readonly username: string;
}

/** Passport keeps its user in `req.user`, or in the property that the app chose. */
interface PassportRequest {
  readonly _userProperty?: string;
}

/** The user, or the failure that ends the request before a code is looked at. */
export async function findUser(
  options: CheckedOptions,
  req: Request,
): Promise<RequestUser | Failure> {
  if (options.findUser === undefined) {
    const user: unknown = options.currentUser
      ? await options.currentUser(req)
      : Reflect.get(req, (req as PassportRequest)._userProperty ?? 'user');
    if (!user) {
      warnOfMissingUser(req, { hasCurrentUser: options.currentUser !== undefined, user });
      return refuse(options, req, REFUSALS.login_required);
    }
    return { user, userId: userIdOf(options, user), username: '' };
  }
  const username = readField(req.body, options.usernameField);
  if (username === undefined)
    warnOfMissingField(req, { option: 'usernameField', field: options.usernameField });
  if (username === undefined || username.length < 1 || username.length > MAX_USERNAME_LENGTH)
    return refuse(options, req, REFUSALS.malformed);
  const user = (await options.findUser(username, req)) || null;
  return { user, userId: user === null ? null : userIdOf(options, user), username };
}

function userIdOf(options: CheckedOptions, user: unknown): UserId | null {
  if (options.backupCodes === undefined) return null;
  const id: unknown = options.userId ? options.userId(user) : (user as { id?: unknown }).id;
  if (typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint') return id;
  const hint =
    typeof id === 'object' && id !== null
      ? 'For a MongoDB ObjectId set userId: (user) => String(user._id).'
      : 'Set the option userId to a function that returns the id of a user.';
  const source = options.userId ? 'The result of userId' : 'user.id';
  throw new BackupCodeError(
    'invalid_user_id',
    `${source} must be a string, an integer or a bigint, but was ${describe(id)}. ${hint}`,
  );
}

/**
 * A field of the body, never of the URL. Only an own property that is a string counts: parsers
 * build arrays and objects, and Express 5 leaves a missing body undefined.
 */
export function readField(body: unknown, field: string): string | undefined {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, field)) return undefined;
  const value: unknown = Reflect.get(body, field);
  return typeof value === 'string' ? value : undefined;
}
