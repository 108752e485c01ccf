// The session of a request, as promises. Refuses a session that cannot get a new id.
import { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { asError, BackupCodeError } from '../errors';

/** The part of express-session that this folder needs. */
export interface RenewableSession {
  regenerate(done: (error?: unknown) => void): unknown;
  save(done: (error?: unknown) => void): unknown;
}

/** @throws {BackupCodeError} `session_unavailable`: no session, or one that cannot get a new id */
export function getSession(req: Request): RenewableSession {
  // Fastify's logIn returns a promise and never calls back. Waiting for it would hang the request
  // after the code was consumed.
  if (readPath(req, 'raw') instanceof IncomingMessage) {
    throw new BackupCodeError(
      'session_unavailable',
      'This is a Fastify request. beginLogin, completeLogin and the guards need Express; ' +
        'docs/fastify.md has the few lines that replace them.',
    );
  }
  const session: unknown = Reflect.get(req, 'session');
  if (typeof session !== 'object' || session === null) {
    throw new BackupCodeError(
      'session_unavailable',
      'This request has no session. Mount express-session before the routes that log users in. ' +
        'If it is mounted, its store cannot be reached.',
    );
  }
  if (!isRenewable(session)) {
    throw new BackupCodeError(
      'session_unavailable',
      'This session cannot be regenerated, so a planted or stolen session id would stay valid ' +
        'after the login. Use express-session, or a session that has regenerate() and save() ' +
        'like it. cookie-session has neither.',
    );
  }
  return session;
}

/** Returns the session, or `null` if `getSession` would refuse the request. */
export function findSession(req: Request): RenewableSession | null {
  const session: unknown = Reflect.get(req, 'session');
  return typeof session === 'object' && session !== null && isRenewable(session) ? session : null;
}

/**
 * Returns the session. Begins a new one if the app destroyed it in this request: express-session
 * then has none until the next request.
 *
 * @throws {BackupCodeError} `session_unavailable`, as `getSession` does
 */
export function openSession(req: Request): RenewableSession {
  const store: unknown = Reflect.get(req, 'sessionStore');
  const generate = readPath(store, 'generate');
  const isDestroyed = Reflect.get(req, 'session') === undefined;
  if (isDestroyed && typeof generate === 'function') generate.call(store, req);
  return getSession(req);
}

/** Gives the request a new session id and an empty session. The store forgets the old one. */
export function regenerateSession(req: Request): Promise<void> {
  return callToPromise((done) => getSession(req).regenerate(done));
}

/** Writes the session to its store now, not when the answer ends. */
export function saveSession(req: Request): Promise<void> {
  return callToPromise((done) => getSession(req).save(done));
}

/** Turns a call with a callback into a promise. It rejects too if the call throws or rejects. */
export function callToPromise(call: (done: (error?: unknown) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const returned = call((error) => {
      if (error === undefined || error === null) resolve();
      else if (error instanceof Error) reject(error);
      else reject(new Error('the session store, or serializeUser, failed', { cause: error }));
    });
    // Some implementations take a callback and reject as well.
    Promise.resolve(returned).catch((thrown: unknown) => reject(asError(thrown)));
  });
}

function isRenewable(session: object): session is RenewableSession {
  return (
    typeof readPath(session, 'regenerate') === 'function' &&
    typeof readPath(session, 'save') === 'function'
  );
}

/**
 * Reads a nested property of a value that may have any shape, such as what a session store returns:
 * `value.a.b` for the path `'a', 'b'`, or `undefined` if there is no such property.
 */
export function readPath(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined,
    value,
  );
}
