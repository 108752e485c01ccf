// Warns of what an integrator forgot around the session. Refuses nothing itself.
import { TLSSocket } from 'node:tls';
import type { Request } from 'express';
import { isResponseSent } from '../internal/response-sent';
import { warnOfMistake } from '../internal/warn-once';
import { readState } from './login-state';
import { getUser, hasSessionLogin } from './passport-login';
import { findSession, readPath } from './session';

/** The session was saved, but its cookie can no longer reach the browser. */
export function warnIfNotAwaited(req: Request, name: 'beginLogin' | 'completeLogin'): void {
  if (!isResponseSent(req.res)) return;
  warnOfMistake(
    'BACKUP_CODE_NOT_AWAITED',
    `The response was sent before ${name} had finished, so its session did not reach the ` +
      `browser. Write await ${name}(req${name === 'beginLogin' ? ', user' : ''}), in an async ` +
      'handler, before the answer.',
  );
}

/** express-session does not send a cookie with `secure: true` over HTTP, and does not say so. */
export function warnOfSecureCookie(req: Request): void {
  if (readPath(findSession(req), 'cookie', 'secure') !== true) return;
  const isForwarded = String(req.headers['x-forwarded-proto'] ?? '').startsWith('https');
  if (req.secure || isForwarded || req.socket instanceof TLSSocket) return;
  warnOfMistake(
    'BACKUP_CODE_SECURE_COOKIE',
    'The cookie of the session has secure: true, and this request came over HTTP: ' +
      'express-session does not send the cookie, so the login is lost. Write ' +
      "cookie: { secure: 'auto' }, or use HTTPS; behind a proxy also app.set('trust proxy', 1).",
  );
}

/** A guard found no login that `completeLogin` made. */
export function warnOfForeignLogin(req: Request): void {
  if (!isLoggedIn(req)) return;
  if (getUser(req) === null) {
    warnOfMissingPassportSession();
    return;
  }
  warnOfMistake(
    'BACKUP_CODE_REQ_LOGIN',
    'A user is logged in, but not by completeLogin, so no guard lets the user through. Passport ' +
      'logged the user in, by req.login or without { session: false }. Write ' +
      "passport.authenticate('backup-code', { session: false }), and then await " +
      'completeLogin(req).',
  );
}

/** The session has a login, and the request has no user. */
export function warnOfMissingUser(req: Request): void {
  if (isLoggedIn(req)) warnOfMissingPassportSession();
}

/** A code was sent, and `pendingLogin` found no pending login. */
export function warnOfMissingLogin(req: Request): void {
  const hasLogin = isLoggedIn(req);
  if (hasLogin && readState(req).login === undefined) {
    warnOfMistake(
      'BACKUP_CODE_REQ_LOGIN',
      'There is no pending login, because the user is logged in already, by req.login or by ' +
        'passport.authenticate without { session: false }: the first factor alone let the user ' +
        "in. Write passport.authenticate('local', { session: false }), and then await " +
        'beginLogin(req, req.user).',
    );
    return;
  }
  if (hasLogin && getUser(req) === null) {
    warnOfMissingPassportSession();
    return;
  }
  if (hasLogin) return;
  const cookie =
    req.headers.cookie === undefined
      ? 'The request has no cookie at all: is the cookie of the session sent, and is it not ' +
        'secure: true over HTTP? '
      : '';
  warnOfMistake(
    'BACKUP_CODE_NO_PENDING_LOGIN',
    `A code was sent, and this session has no pending login. ${cookie}After the first factor ` +
      'write await beginLogin(req, user), before the answer. A pending login expires after ten ' +
      'minutes.',
  );
}

function isLoggedIn(req: Request): boolean {
  return findSession(req) !== null && hasSessionLogin(req);
}

function warnOfMissingPassportSession(): void {
  warnOfMistake(
    'BACKUP_CODE_NO_PASSPORT_SESSION',
    'The session has a login, but the request has no user, because Passport did not read the ' +
      'session. Write app.use(passport.session()) after the session and before the routes.',
  );
}
