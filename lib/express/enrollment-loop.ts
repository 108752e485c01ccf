// Notices that a browser is sent to enrollUrl again and again: a proxy changes the address, so that
// the app sees another page. The session says which page sent it there last. A false mark in it,
// or a forged address, gives an error and lets no one through.
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import { isTime } from '../internal/time';
import {
  endsLikeEnrollPage,
  findOrigin,
  hasPathOf,
  hasSentQuery,
  pathOf,
  queryOf,
  SOME_ORIGIN,
  type EnrollPage,
} from './enroll-page';
import { readState, writeState } from './login-state';
import { hasSessionLogin } from './passport-login';
import { findSession, readPath, saveSession } from './session';

/** A browser follows a redirect within this time. */
const REDIRECT_MS = 10_000;
/** Opening a page several times at once, as tabs and double clicks do, is no loop. */
const MAX_TIMES = 4;

/** The page that last sent the browser to enrollUrl. */
interface TurnedAway {
  readonly page: string;
  /** How many times in a row. */
  readonly times: number;
}

/** A request that is to be sent to enrollUrl. */
export interface TurnedAwayRequest {
  readonly req: Request;
  /** The page to come back to; `null` if it cannot be named. */
  readonly returnTo: string | null;
  readonly now: number;
}

/**
 * Refuses to send a browser to enrollUrl if it comes from there, under another address. Otherwise
 * remembers in the session that it is sent. Without the session of a login, only an address that
 * looks like enrollUrl, with the query of our redirect, is a loop.
 *
 * @throws {BackupCodeError} `enrollment_loop`
 */
export async function assertNoLoop(
  page: EnrollPage,
  { req, returnTo, now }: TurnedAwayRequest,
): Promise<void> {
  if (!hasLoginSession(req)) {
    if (endsLikeEnrollPage(page, req) && hasSentQuery(page, req)) throw loopError(page, req);
    return;
  }
  const last = readTurnedAway(req, now);
  if (last !== null && isLoop(page, req, last)) throw loopError(page, req);
  if (returnTo === null) return;
  const times = last !== null && hasPathOf(req, last.page) ? last.times + 1 : 1;
  writeState(req, { ...readState(req), turnedAway: { page: returnTo, times, at: now } });
  // The browser may be back as soon as it has the answer.
  await saveSession(req);
}

/** The browser has come to enrollUrl: what follows is no loop. */
export function endRedirect(req: Request): void {
  if (!hasLoginSession(req)) return;
  const { turnedAway, ...state } = readState(req);
  if (turnedAway !== undefined) writeState(req, state);
}

function isLoop(page: EnrollPage, req: Request, last: TurnedAway): boolean {
  const isSamePage = hasPathOf(req, last.page);
  const mayBeEnrollPage = endsLikeEnrollPage(page, req);
  // A page that looks like enrollUrl is reached from another one by our redirect. It may also be
  // the first page that the user opens; then its query shows whether it is reached again.
  if (mayBeEnrollPage && !isSamePage) return true;
  const hasOurReturnTo = queryOf(req).getAll('returnTo').includes(last.page);
  if (mayBeEnrollPage && hasOurReturnTo) return true;
  if (!isSamePage) return false;
  return last.times >= MAX_TIMES || (hasOurReturnTo && hasReturnTo(last.page));
}

function hasReturnTo(page: string): boolean {
  return new URL(page, SOME_ORIGIN).searchParams.has('returnTo');
}

/** Requests with a token have no login in their session, and must not store one. */
function hasLoginSession(req: Request): boolean {
  return findSession(req) !== null && hasSessionLogin(req);
}

function readTurnedAway(req: Request, now: number): TurnedAway | null {
  const { turnedAway } = readState(req);
  const page = readPath(turnedAway, 'page');
  const times = readPath(turnedAway, 'times');
  const at = readPath(turnedAway, 'at');
  if (typeof page !== 'string' || !page.startsWith('/') || typeof times !== 'number') return null;
  if (!isTime(at) || now < at || now - at > REDIRECT_MS) return null;
  return { page, times };
}

function loopError(page: EnrollPage, req: Request): BackupCodeError {
  return new BackupCodeError(
    'enrollment_loop',
    `The browser was sent to enrollUrl, "${page.url}", but its request arrived as ` +
      `"${pathOf(req)}" at ${String(findOrigin(req))}, which is not that page: it would be sent ` +
      'there again and again. If a proxy changes the path, mount requireEnrollment on the other ' +
      'pages only. If a proxy ends TLS, or changes the host, set "trust proxy" of Express, or give ' +
      'enrollUrl as a path. If enrollUrl itself sends users back before they have codes, let it ' +
      'show a page.',
  );
}
