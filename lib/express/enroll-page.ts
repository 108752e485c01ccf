// The page of `enrollUrl`: whether a request is for it, and the address that leads to it.
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import { checkPageUrl } from './guard';

/** The page on which codes are made. */
export interface EnrollPage {
  /** As the app gave it. */
  readonly url: string;
  /** `null` if `url` is a path. */
  readonly origin: string | null;
  /** Decoded, and without a slash at its end. */
  readonly path: string;
}

/** Any origin serves: only the path is read. */
export const SOME_ORIGIN = 'http://here.invalid';
/** The page to come back to is left out if it is longer than this in the address. */
const MAX_RETURN_TO_LENGTH = 2048;

/** @throws {BackupCodeError} `invalid_option` */
export function readEnrollPage(given: unknown): EnrollPage {
  const url = checkPageUrl('enrollUrl', given);
  if (url === undefined) {
    throw new BackupCodeError(
      'invalid_option',
      'enrollUrl must be given: the page on which codes are made.',
    );
  }
  const { origin, pathname } = new URL(url, SOME_ORIGIN);
  const path = readPlainPath(pathname);
  if (path !== null) return { url, origin: url.startsWith('/') ? null : origin, path };
  throw new BackupCodeError(
    'invalid_option',
    `enrollUrl must have a plain path, without "//" or encoded dots and slashes, but was "${url}".`,
  );
}

/** Whether the request is for the page itself, or for a page below it. */
export function isEnrollPage({ origin, path: page }: EnrollPage, req: Request): boolean {
  if (origin !== null && origin !== findOrigin(req)) return false;
  const path = readPlainPath(pathOf(req));
  return path === page || (page !== '/' && path?.startsWith(`${page}/`) === true);
}

/** Returns the address of the page, with the page to come back to as `returnTo`. */
export function addReturnTo({ url }: EnrollPage, returnTo: string | null): string {
  const encoded = returnTo === null ? '' : encodeURIComponent(returnTo);
  if (encoded === '' || encoded.length > MAX_RETURN_TO_LENGTH) return url;
  const [address = '', fragment] = url.split('#');
  const separator = address.includes('?') ? '&' : '?';
  const end = fragment === undefined ? '' : `#${fragment}`;
  return `${address}${separator}returnTo=${encoded}${end}`;
}

/**
 * Whether the path of the request may be that of the page, after a proxy removed the beginning or
 * put something before it.
 */
export function endsLikeEnrollPage(page: EnrollPage, req: Request): boolean {
  const path = comparablePath(pathOf(req));
  return path.endsWith(page.path) || page.path.endsWith(path);
}

/** Whether the request has the query that `addReturnTo` makes. */
export function hasSentQuery(page: EnrollPage, req: Request): boolean {
  const parameters = queryOf(req);
  const returnTo = parameters.get('returnTo');
  if (returnTo === null) return false;
  const { searchParams } = new URL(addReturnTo(page, returnTo), SOME_ORIGIN);
  return String(parameters) === String(searchParams);
}

/** Whether the request is for this page of the app, whatever its query. */
export function hasPathOf(req: Request, page: string): boolean {
  return comparablePath(pathOf(req)) === comparablePath(new URL(page, SOME_ORIGIN).pathname);
}

export function queryOf({ originalUrl }: Request): URLSearchParams {
  const [, query = ''] = originalUrl.split('?');
  return new URLSearchParams(query);
}

export function pathOf({ originalUrl }: Request): string {
  const [path = ''] = originalUrl.split('?');
  return path;
}

function comparablePath(path: string): string {
  return readPlainPath(path) ?? path;
}

/**
 * Returns the decoded path, without a slash at its end. `null` if two programs may read it
 * differently: an app, or a server behind it, may resolve what is still encoded here.
 */
function readPlainPath(path: string): string | null {
  const isAmbiguous = /[\\#]|\/\/|%(?:2[5ef]|5c|00)|\/\.{1,2}(?:[/;]|$)/i.test(path);
  if (isAmbiguous || !path.startsWith('/')) return null;
  try {
    const decoded = decodeURIComponent(path);
    // What the rest of an app may cut off, or skip, can hide a segment of dots.
    return /[\p{Cc}?#;]/u.test(decoded) ? null : decoded.replace(/(?<=.)\/$/, '');
  } catch {
    return null;
  }
}

/** The origin that the browser asked, as far as Express trusts what the request says. */
export function findOrigin(req: Request): string | null {
  const [forwarded] = (req.get('x-forwarded-host') ?? '').split(',');
  // `req.hostname` is the forwarded host only if the proxy is trusted, and has no port.
  for (const host of [forwarded?.trim(), req.get('host')]) {
    const url = `${req.protocol}://${host ?? ''}`;
    if (!URL.canParse(url)) continue;
    const { origin, hostname } = new URL(url);
    if (hostname === req.hostname?.toLowerCase()) return origin;
  }
  return null;
}
