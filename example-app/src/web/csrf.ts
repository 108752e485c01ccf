// Forms of other sites change nothing: every POST needs the token of its own session. Forms of a
// session just left are sent on.
import { csrfSync } from 'csrf-sync';
import type { Request, RequestHandler } from 'express';

const {
  generateToken,
  csrfSynchronisedProtection,
  invalidCsrfTokenError: refusal,
} = csrfSync({ getTokenFromRequest: readToken, size: 32 });

/** What the error handler sees of a forged form. */
export const invalidCsrfTokenError: Error = refusal;

/** For the hidden field `_csrf` of a form; makes a session where there is none. */
export function csrfToken(req: Request): string {
  return generateToken(req);
}

/**
 * Each step of a login leaves its session for a new one. A form of the old one (a second click,
 * another tab) changes nothing, and goes where `/` leads: on, for whoever got in; to the log-in
 * page for anybody else.
 */
export function requireCsrfToken(cookieName: string): RequestHandler {
  return (req, res, next) => {
    if (req.method === 'POST' && belongsToEndedSession(req, cookieName)) res.redirect(303, '/');
    else csrfSynchronisedProtection(req, res, next);
  };
}

/** A session cookie came, and express-session found no session to it, so it made up a new one. */
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

/** From the form, or from a header for clients that send JSON. Never from the URL. */
function readToken(req: Request): string | undefined {
  const body: unknown = req.body;
  const field: unknown =
    typeof body === 'object' && body !== null && Object.hasOwn(body, '_csrf')
      ? Reflect.get(body, '_csrf')
      : undefined;
  return typeof field === 'string' ? field : req.get('x-csrf-token');
}
