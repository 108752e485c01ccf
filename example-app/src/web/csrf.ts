// CSRF protection: every POST needs the token of its session. A form from a session that has ended
// is redirected.
import { csrfSync } from 'csrf-sync';
import type { Request, RequestHandler } from 'express';

const {
  generateToken,
  csrfSynchronisedProtection,
  invalidCsrfTokenError: refusal,
} = csrfSync({ getTokenFromRequest: readToken, size: 32 });

/** The error that the error handler receives for a forged form. */
export const invalidCsrfTokenError: Error = refusal;

/** The value of the hidden field `_csrf`. Creates a session if the request has no session. */
export function csrfToken(req: Request): string {
  return generateToken(req);
}

/**
 * Each step of a login replaces the session. A form from the old session (a second click, another
 * tab) changes nothing. It is redirected to `/`, which continues the new session or leads to the
 * login page.
 */
export function requireCsrfToken(cookieName: string): RequestHandler {
  return (req, res, next) => {
    if (req.method === 'POST' && belongsToEndedSession(req, cookieName)) res.redirect(303, '/');
    else csrfSynchronisedProtection(req, res, next);
  };
}

/**
 * The request has a session cookie, but express-session found no such session and created a new
 * one.
 */
function belongsToEndedSession(req: Request, cookieName: string): boolean {
  const cookies = (req.headers.cookie ?? '').split(';').map((cookie) => cookie.trim());
  const value = cookies
    .find((cookie) => cookie.startsWith(`${cookieName}=`))
    ?.slice(cookieName.length + 1);
  return (
    value !== undefined &&
    value !== '' &&
    !value.startsWith(encodeURIComponent(`s:${req.sessionID}.`))
  );
}

/** Reads the token from the form, or from a header for JSON clients. Never from the URL. */
function readToken(req: Request): string | undefined {
  const body: unknown = req.body;
  const field: unknown =
    typeof body === 'object' && body !== null && Object.hasOwn(body, '_csrf')
      ? Reflect.get(body, '_csrf')
      : undefined;
  return typeof field === 'string' ? field : req.get('x-csrf-token');
}
