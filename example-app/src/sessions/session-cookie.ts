// The name and the attributes of the session cookie.
import type { CookieOptions } from 'express';
import type { Config } from '../config';

/** The maximum age of a session, counted from its login (end-old-sessions.ts). */
export const SESSION_SECONDS = 43_200;

/**
 * A browser accepts a `__Host-` cookie only over TLS and from this exact host (RFC 6265bis, section
 * 4.1.3.2).
 */
export function sessionCookieName({ isProduction }: Pick<Config, 'isProduction'>): string {
  return isProduction ? '__Host-session' : 'session';
}

/** Hidden from scripts, and not sent with forms of other sites. */
export const COOKIE_ATTRIBUTES = {
  httpOnly: true,
  sameSite: 'lax',
  path: '/',
} as const satisfies CookieOptions;
