// The page to return to, for a visitor whose session is empty. It is kept in a cookie of its own: a
// session in the store for each visit of a crawler would fill the store.
import type { CookieOptions, Request, Response } from 'express';
import { isResponseSent } from '../internal/response-sent';
import { getSession, readPath } from './session';

const COOKIE_NAME = 'passport-backup-code.return-to';
/** As long as a login stays pending by default. */
const MAX_AGE_MS = 600_000;
/** Browsers drop a cookie of more than 4096 bytes (RFC 6265, section 6.1). */
const MAX_ENCODED_LENGTH = 3072;

/** Whether nothing is stored in this session, so that it is not in the store. */
export function isSessionEmpty(req: Request): boolean {
  return Object.keys(getSession(req)).every((key) => key === 'cookie');
}

/** Has the browser keep the page. It goes wherever the cookie of the session goes. */
export function setReturnCookie(req: Request, res: Response, page: string | null): void {
  if (page === null || encodeURIComponent(page).length > MAX_ENCODED_LENGTH) return;
  res.cookie(COOKIE_NAME, page, { ...cookieOptions(req), maxAge: MAX_AGE_MS });
}

/** Has the browser forget the page: the user has arrived. */
export function clearReturnCookie(req: Request, res: Response): void {
  if (readReturnCookie(req) === null || isResponseSent(res)) return;
  res.clearCookie(COOKIE_NAME, cookieOptions(req));
}

function cookieOptions(req: Request): CookieOptions {
  const cookie = readPath(getSession(req), 'cookie');
  const path = readPath(cookie, 'path');
  const domain = readPath(cookie, 'domain');
  return {
    httpOnly: true,
    sameSite: 'lax',
    secure: req.secure || readPath(cookie, 'secure') === true,
    path: typeof path === 'string' ? path : '/',
    ...(typeof domain === 'string' && { domain }),
  };
}

/** Returns the page, or `null`. The caller checks it: another site may have set the cookie. */
export function readReturnCookie({ headers }: Request): string | null {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const start = `${COOKIE_NAME}=`;
  const value = pairs.find((pair) => pair.startsWith(start))?.slice(start.length);
  if (value === undefined) return null;
  try {
    return decodeURIComponent(value);
  } catch {
    return null;
  }
}
