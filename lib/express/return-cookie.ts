// The page to return to, for a visitor whose session is empty. It is kept in a cookie of its own: a
// session in the store for each visit of a crawler would fill the store.
import type { Request, Response } from 'express';
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
  const cookie = readPath(getSession(req), 'cookie');
  const path = readPath(cookie, 'path');
  const domain = readPath(cookie, 'domain');
  res.cookie(COOKIE_NAME, page, {
    httpOnly: true,
    sameSite: 'lax',
    secure: req.secure || readPath(cookie, 'secure') === true,
    maxAge: MAX_AGE_MS,
    path: typeof path === 'string' ? path : '/',
    ...(typeof domain === 'string' && { domain }),
  });
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
