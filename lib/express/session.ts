// The session and the Passport login in it, as promises. Knows where Passport 0.4 to 0.7 keep things; decides nothing.
import { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { BackupCodeError } from '../errors';

/** What an express-session offers, and all that is asked of one. */
interface RenewableSession {
  regenerate(done: (error?: unknown) => void): unknown;
  save(done: (error?: unknown) => void): unknown;
}

/** What this folder keeps in a session, as it comes back out of JSON: not to be trusted to have any shape. */
interface LoginState {
  readonly pending?: unknown;
  readonly login?: unknown;
  readonly returnTo?: unknown;
  /** Whether this login was reminded of old codes. */
  readonly isRotationOffered?: unknown;
}

/** All of it lies under this one name. */
const STATE_KEY = 'passport-backup-code';

/** @throws {BackupCodeError} `session_unavailable` */
export function sessionOf(req: Request): RenewableSession {
  // Fastify's logIn gives a promise and calls nobody back: it would be waited for in vain, with the code spent.
  if (dig(req, 'raw') instanceof IncomingMessage) {
    throw new BackupCodeError(
      'session_unavailable',
      'This is a Fastify request. beginLogin, completeLogin and the guards speak Express; docs/fastify.md has the few lines that take their place.',
    );
  }
  const session: unknown = Reflect.get(req, 'session');
  if (typeof session !== 'object' || session === null) {
    throw new BackupCodeError(
      'session_unavailable',
      'This request has no session. Mount express-session before the routes that log people in; if it is mounted, its store is out of reach.',
    );
  }
  if (!isRenewable(session)) {
    throw new BackupCodeError(
      'session_unavailable',
      'This session cannot be regenerated, so an id that somebody planted or stole would outlive the login. Use express-session, or one that has regenerate() and save() like it; cookie-session has neither.',
    );
  }
  return session;
}

function isRenewable(session: object): session is RenewableSession {
  return (
    typeof dig(session, 'regenerate') === 'function' && typeof dig(session, 'save') === 'function'
  );
}

export function readState(req: Request): LoginState {
  const state = dig(sessionOf(req), STATE_KEY);
  return typeof state === 'object' && state !== null ? state : {};
}

export function writeState(req: Request, state: LoginState): void {
  Reflect.set(sessionOf(req), STATE_KEY, state);
}

/** What the app itself keeps in the session, its cookie settings included: all but the login. */
export function appDataOf(req: Request): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(sessionOf(req)).filter(
      ([name]) => name !== STATE_KEY && name !== passportKey(req),
    ),
  );
}

/** A new id and nothing in it; the old session is gone from the store. */
export function regenerate(req: Request): Promise<void> {
  return called((done) => sessionOf(req).regenerate(done));
}

export function save(req: Request): Promise<void> {
  return called((done) => sessionOf(req).save(done));
}

/** Puts the user into the session by the app's `serializeUser`. From Passport 0.6 on this renews the session and saves it. */
export function logIn(req: Request, user: Express.User): Promise<void> {
  return called((done) => req.logIn(user, done));
}

/** Leaves nobody logged in, on this request or in its session, also where the store is down. Never fails. */
export async function abandonLogin(req: Request): Promise<void> {
  setUser(req, null);
  try {
    await regenerate(req);
  } catch {
    // express-session makes the new, empty session even where its store failed to remove the old one. For one that does not:
    const session: unknown = Reflect.get(req, 'session');
    if (typeof session !== 'object' || session === null) return;
    for (const name of [STATE_KEY, passportKey(req)]) Reflect.deleteProperty(session, name);
  }
}

/** The user of this request, whoever put them there; `null` where there is none. */
export function userOf(req: Request): Express.User | null {
  const user = dig(req, userProperty(req));
  return typeof user === 'object' ? user : null;
}

export function setUser(req: Request, user: Express.User | null): void {
  Reflect.set(req, userProperty(req), user);
}

/**
 * Whether Passport has a login in this *session*. `req.isAuthenticated()` does not tell: a strategy run with
 * `session: false` sets `req.user` too.
 */
export function hasSessionLogin(req: Request): boolean {
  const serialized = dig(sessionOf(req), passportKey(req), 'user');
  return Boolean(serialized) || serialized === 0;
}

/** `value.a.b`, or `undefined` where there is no such thing. */
export function dig(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined,
    value,
  );
}

/** Passport 0.4 keeps it on `req._passport.instance`, later ones on the request. */
function userProperty(req: Request): string {
  const name = dig(req, '_userProperty') ?? dig(req, '_passport', 'instance', '_userProperty');
  return typeof name === 'string' ? name : 'user';
}

function passportKey(req: Request): string {
  const key = dig(req, '_sessionManager', '_key') ?? dig(req, '_passport', 'instance', '_key');
  return typeof key === 'string' ? key : 'passport';
}

/** A callback as a promise. What is thrown at once rejects too. */
function called(run: (done: (error?: unknown) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => {
      if (error === undefined || error === null) resolve();
      else
        reject(
          error instanceof Error
            ? error
            : new Error('the session store, or serializeUser, failed', { cause: error }),
        );
    });
  });
}
