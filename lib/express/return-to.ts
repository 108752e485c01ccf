// Where a person is sent after logging in: a path of this origin, or nowhere in particular. Refuses all else silently.
import type { Request } from 'express';

const MAX_LENGTH = 2048;
/** Any origin will do: what is asked is whether the value leaves it. */
const HERE = 'http://here.invalid';

/**
 * The value as a path that every browser takes for one of this origin, percent-encoded; `null` for anything else. It
 * comes from the client, so a bad one is dropped and no error: neither an open redirect nor a login that fails.
 */
export function safeReturnTo(value: unknown): string | null {
  // Browsers skip tabs and line breaks and read a backslash as a slash, so these are looked for before parsing.
  if (
    typeof value !== 'string' ||
    value.length > MAX_LENGTH ||
    /^(?!\/)|^\/\/|[\p{Cc}\\]/u.test(value)
  )
    return null;
  const { origin, pathname, search, hash } = new URL(value, HERE);
  // "/.//other.example" is a path of ours until its dot is resolved; what is left would be read as another host.
  return origin === HERE && !pathname.startsWith('//') ? pathname + search + hash : null;
}

/**
 * The page to come back to after a step-up: this one, or, where a form was posted, the page the form was on. A browser
 * that sends no `Referer` (Helmet asks it not to) leaves `null`, the app's own default.
 */
export function pageOf(req: Request): string | null {
  if (req.method === 'GET' || req.method === 'HEAD') return safeReturnTo(req.originalUrl);
  const referer = req.get('referer') ?? '';
  if (!URL.canParse(referer)) return null;
  const { host, pathname, search } = new URL(referer);
  return host === req.get('host') ? safeReturnTo(pathname + search) : null;
}
