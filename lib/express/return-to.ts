// Where to send a user after a login: a path of this origin. Everything else is dropped.
import type { Request } from 'express';

/** In characters, of what comes in and of what is returned: one may become nine when encoded. */
const MAX_LENGTH = 2048;
/** Any origin serves: the question is only whether the value leaves it. */
const THIS_ORIGIN = 'http://here.invalid';

/**
 * Returns the value, percent-encoded, if every browser reads it as a path of this origin, and if it
 * has at most 2048 characters when it is encoded; `null` for anything else. The value comes from
 * the client. A bad one is dropped without an error, so it causes neither an open redirect nor a
 * failed login.
 *
 * @example
 * ```ts
 * app.post('/codes/saved', (req, res) => {
 *   res.redirect(303, safeReturnTo(req.query.returnTo) ?? '/account');
 * });
 * ```
 */
export function safeReturnTo(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return null;
  // Browsers skip tabs and line breaks and read a backslash as a slash, so these are refused before
  // the value is parsed.
  if (/^(?!\/)|^\/\/|[\p{Cc}\\]/u.test(value)) return null;
  const { origin, pathname, search, hash } = new URL(value, THIS_ORIGIN);
  // "/.//other.example" is a path of this origin until its dot is resolved. Browsers would read the
  // rest as another host.
  if (origin !== THIS_ORIGIN || pathname.startsWith('//')) return null;
  const path = pathname + search + hash;
  return encodedLength(path) <= MAX_LENGTH ? path : null;
}

/** Express encodes a `Location` once more: a bare percent sign, and what a URL may not hold. */
function encodedLength(path: string): number {
  const encoded = path.replace(/%(?![0-9A-Fa-f]{2})|[^\w!#$%&'()*+,\-./:;=?@[\]~]/g, '%XX');
  return encoded.length;
}

/**
 * Returns the page to come back to after a step-up: this one or, if a form was posted, the page of
 * the form. It is `null` if the browser sends no `Referer`; Helmet's default asks it not to.
 */
export function findCurrentPage(req: Request): string | null {
  if (req.method === 'GET' || req.method === 'HEAD') return safeReturnTo(req.originalUrl);
  const referer = req.get('referer') ?? '';
  if (!URL.canParse(referer)) return null;
  const { host, pathname, search } = new URL(referer);
  return host === req.get('host') ? safeReturnTo(pathname + search) : null;
}
