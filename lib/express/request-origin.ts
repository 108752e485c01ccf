// Whether a browser says that a page of another origin asks. Sends no CORS headers.
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';

/**
 * Whether the request may come from a page that the app did not make. A request without a cookie
 * may not: it shows nothing that a browser adds by itself, so no page can borrow the login of its
 * user.
 *
 * `none`, an address typed or a bookmark, is refused too: it never makes such a request. A browser
 * that does not send the header is stopped by the content type: another site must ask first whether
 * it may send JSON, and gets no answer.
 *
 * @param origins the other origins whose pages belong to the app
 */
export function isFromElsewhere({ headers }: Request, origins: readonly string[]): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin') return false;
  if (headers.cookie === undefined && !isAddedByBrowser(headers.authorization)) return false;
  return headers.origin === undefined || !origins.includes(headers.origin);
}

/** A browser remembers these schemes and adds them to requests, as it does with cookies. */
function isAddedByBrowser(authorization: string | undefined): boolean {
  return /^(?:basic|digest|negotiate|ntlm)(?:\s|$)/i.test(authorization ?? '');
}

/**
 * Checks the option `origins`, and copies it.
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function checkOrigins(given: unknown = []): readonly string[] {
  if (!Array.isArray(given)) {
    throw new BackupCodeError(
      'invalid_option',
      `origins must be an array such as ['https://app.example.com'], but was ${describe(given)}.`,
    );
  }
  return given.map(checkOrigin);
}

function checkOrigin(given: unknown): string {
  const isUrl = typeof given === 'string' && URL.canParse(given);
  const { origin, protocol } = new URL(isUrl ? given : 'data:,');
  if (given === origin && /^https?:$/.test(protocol)) return origin;
  const what = typeof given === 'string' ? `"${given}"` : describe(given);
  const hint = /^https?:$/.test(protocol) ? ` Did you mean "${origin}"?` : '';
  throw new BackupCodeError(
    'invalid_option',
    'An origin in origins must be a scheme, a host and a port if it is not the default, such as ' +
      `"https://app.example.com", but was ${what}.${hint}`,
  );
}
