// A mark inside the Passport login of a session: `completeLogin` made it, and when it began. It
// ends with that login, even if a logout and a plain `req.logIn` keep what is in the session.
import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import { isTime } from '../internal/time';
import { hasSessionLogin, logIn, passportKey } from './passport-login';
import { getSession, readPath } from './session';

/**
 * Written beside the `user` of Passport, and before it in the alphabet, with the same length. So a
 * store that sorts its keys can only make a login invalid.
 */
const MARK_KEY = 'mark';

interface LoginMark {
  /** A digest of the session id. Passport 0.6 and later give each login an id of its own. */
  readonly session: string;
  /** When the first factor was verified. A step-up does not change it. */
  readonly startedAt: number;
  /**
   * Passport 0.5 and older keep the session id. Their logout removes `user`, so a later login adds
   * it behind the mark.
   */
  readonly isBehindUser: boolean;
}

/** Logs the user in by Passport, and marks this login as one of this package. */
export async function logInWithMark(
  req: Request,
  { user, startedAt }: { user: Express.User; startedAt: number },
): Promise<void> {
  const before = hashSessionId(req);
  await logIn(req, user);
  const session = hashSessionId(req);
  const mark: LoginMark = { session, startedAt, isBehindUser: session === before };
  const entry = readEntry(req);
  // In place, and at its end: Passport 0.4 keeps a reference of its own to this object.
  Reflect.deleteProperty(entry, MARK_KEY);
  Reflect.set(entry, MARK_KEY, mark);
}

/** Returns when the login of this session began; `null` if `completeLogin` did not make it. */
export function readLoginStart(req: Request): number | null {
  if (!hasSessionLogin(req)) return null;
  const entry = readEntry(req);
  const mark: unknown = Reflect.get(entry, MARK_KEY);
  const startedAt = readPath(mark, 'startedAt');
  if (readPath(mark, 'session') !== hashSessionId(req) || !isTime(startedAt)) return null;
  const names = Object.keys(entry);
  const isInOrder = names.indexOf(MARK_KEY) > names.indexOf('user');
  return isInOrder || readPath(mark, 'isBehindUser') === false ? startedAt : null;
}

/** What Passport stores of its login. */
function readEntry(req: Request): object {
  return readPath(getSession(req), passportKey(req)) as object;
}

/** @throws {BackupCodeError} `session_unavailable`: the session has no id */
function hashSessionId(req: Request): string {
  const id = readPath(getSession(req), 'id');
  if (typeof id === 'string' && id !== '') return createHash('sha256').update(id).digest('hex');
  throw new BackupCodeError(
    'session_unavailable',
    'This session has no id, so a login cannot be bound to it. Use express-session, or a session ' +
      'that has an id like it.',
  );
}
