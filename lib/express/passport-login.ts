// The Passport login of a request, as Passport 0.4 to 0.7 store it.
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import { callToPromise, getSession, readPath } from './session';

/** Returns the user of this request, or `null`. A strategy or the session may have put it there. */
export function getUser(req: Request): Express.User | null {
  const user = readPath(req, userProperty(req));
  return typeof user === 'object' ? user : null;
}

/** Sets the user of this request only. The session does not change. */
export function setUser(req: Request, user: Express.User | null): void {
  Reflect.set(req, userProperty(req), user);
}

/**
 * Writes the user into the session, by the app's `serializeUser`. Passport 0.6 and later also
 * regenerate the session and save it.
 *
 * @throws {BackupCodeError} `session_unavailable` if Passport put no login into the session; and
 * what `req.logIn` throws
 */
export async function logIn(req: Request, user: Express.User): Promise<void> {
  await callToPromise((done) => req.logIn(user, done));
  if (hasSessionLogin(req)) return;
  throw new BackupCodeError(
    'session_unavailable',
    'Passport put no login into the session. Is passport.session() mounted, and does ' +
      'serializeUser return a value?',
  );
}

/**
 * Whether the *session* holds a Passport login. `req.isAuthenticated()` does not answer this: a
 * strategy that runs with `session: false` sets `req.user` too.
 */
export function hasSessionLogin(req: Request): boolean {
  const serialized = readPath(getSession(req), passportKey(req), 'user');
  return Boolean(serialized) || serialized === 0;
}

/** The key under which Passport stores its login in the session. */
export function passportKey(req: Request): string {
  const key =
    readPath(req, '_sessionManager', '_key') ?? readPath(req, '_passport', 'instance', '_key');
  return typeof key === 'string' ? key : 'passport';
}

/** Passport 0.4 stores the name on `req._passport.instance`, later versions on the request. */
function userProperty(req: Request): string {
  const name =
    readPath(req, '_userProperty') ?? readPath(req, '_passport', 'instance', '_userProperty');
  return typeof name === 'string' ? name : 'user';
}
