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
const SOME_ORIGIN = 'http://here.invalid';
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
 * Refuses to send a browser to the page if it just arrived from there, under another address.
 *
 * @throws {BackupCodeError} `enrollment_loop`
 */
export function assertNoLoop(page: EnrollPage, req: Request): void {
  const returnTo = findSentReturnTo(page, req);
  if (returnTo === null) return;
  const path = readPlainPath(pathOf(req)) ?? pathOf(req);
  const isSamePage = path.endsWith(page.path) || page.path.endsWith(path);
  const isComingBack = readPlainPath(new URL(returnTo, SOME_ORIGIN).pathname) === path;
  if (!isSamePage && !isComingBack) return;
  throw new BackupCodeError(
    'enrollment_loop',
    `The browser was sent to enrollUrl, "${page.url}", but its request arrived as ` +
      `"${pathOf(req)}" at ${String(findOrigin(req))}, which is not that page: it would be sent ` +
      'there again and again. If a proxy changes the path, mount requireEnrollment on the other ' +
      'pages only. If a proxy ends TLS, or changes the host, set "trust proxy" of Express, or give ' +
      'enrollUrl as a path.',
  );
}

/** The page to come back to, if the query of this request is the one that `addReturnTo` makes. */
function findSentReturnTo(page: EnrollPage, { originalUrl }: Request): string | null {
  const [, query = ''] = originalUrl.split('?');
  const parameters = new URLSearchParams(query);
  const returnTo = parameters.get('returnTo');
  if (returnTo === null || !URL.canParse(returnTo, SOME_ORIGIN)) return null;
  const { searchParams } = new URL(addReturnTo(page, returnTo), SOME_ORIGIN);
  return String(parameters) === String(searchParams) ? returnTo : null;
}

function pathOf({ originalUrl }: Request): string {
  const [path = ''] = originalUrl.split('?');
  return path;
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
function findOrigin(req: Request): string | null {
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
