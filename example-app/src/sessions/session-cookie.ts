// The session cookie: its name and its attributes, for setting and for clearing.
import type { CookieOptions } from 'express';
import type { Config } from '../config';

/** Half a day after logging in, a session is over whatever happens in it (end-old-sessions.ts). */
export const SESSION_SECONDS = 43_200;

/**
 * A browser takes a `__Host-` cookie only over TLS and from this very host (RFC 6265bis, section
 * 4.1.3.2).
 */
export function sessionCookieName({ isProduction }: Pick<Config, 'isProduction'>): string {
  return isProduction ? '__Host-session' : 'session';
}

/** Not for scripts, and not sent along with the forms of other sites. */
export const COOKIE_ATTRIBUTES = {
  httpOnly: true,
  sameSite: 'lax',
  path: '/',
} as const satisfies CookieOptions;
