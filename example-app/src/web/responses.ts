// The responses of the app: pages, and short JSON for clients that ask for it. No response is
// cached.
import type { Request, RequestHandler, Response } from 'express';
import { findSignedInAccount } from '../login/passport';
import { csrfToken } from './csrf';
import { formatTime } from './format-time-and-place';

declare module 'express-session' {
  interface SessionData {
    /** A message for the next page. It is shown once. */
    notice?: string;
  }
}

export interface Page {
  readonly title: string;
  /** @default 200 */
  readonly status?: number;
  /** By field. The key `form` is for errors of the whole form. */
  readonly errors?: Readonly<Record<string, string>>;
  /** The submitted values, by field. Never a password or a code. */
  readonly values?: Readonly<Record<string, string>>;
  /** Other data for the view. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/**
 * One of these pages shows the codes, so neither a browser nor a proxy may store any of them (ASVS
 * 14.3.2).
 */
export function noStore(): RequestHandler {
  return (_req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  };
}

export function sendPage(
  view: string,
  { req, res }: { req: Request; res: Response },
  { title, status = 200, errors = {}, values = {}, data = {} }: Page,
): void {
  const account = hasSession(req) ? findSignedInAccount(req) : null;
  res.status(status).render(view, {
    ...data,
    title,
    errors,
    values,
    account,
    isSignedIn: account !== null,
    notice: takeNotice(req),
    csrfToken: () => csrfToken(req),
    formatTime,
  });
}

/** Sends an error as a page or as JSON, as the client asked. */
export function sendError(
  { req, res }: { req: Request; res: Response },
  {
    status,
    code,
    title,
    message,
  }: { status: number; code: string; title: string; message: string },
): void {
  if (wantsJson(req)) sendJsonError(res, { status, code, message });
  else sendPage('message', { req, res }, { title, status, data: { message } });
}

export function sendJsonError(
  res: Response,
  { status, code, message }: { status: number; code: string; message: string },
): void {
  res.status(status).json({ error: { code, message } });
}

export function wantsJson(req: Request): boolean {
  return req.accepts(['html', 'json']) === 'json';
}

/** Clients that do not ask for JSON explicitly get a page, also from the guards of the library. */
export function pagesByDefault(): RequestHandler {
  return (req, _res, next) => {
    if (!wantsJson(req)) req.headers.accept = 'text/html';
    next();
  };
}

/**
 * Saves the session before the redirect is sent. Otherwise the browser could request the next page
 * before the session is stored.
 */
export function leaveNotice(req: Request, text: string): Promise<void> {
  req.session.notice = text;
  return new Promise((resolve, reject) => {
    req.session.save((error: unknown) => {
      if (error === null || error === undefined) resolve();
      else
        reject(
          error instanceof Error ? error : new Error('the session store failed', { cause: error }),
        );
    });
  });
}

function takeNotice(req: Request): string | null {
  if (!hasSession(req)) return null;
  const { notice } = req.session;
  delete req.session.notice;
  return notice ?? null;
}

/** False if the session store is down: error pages are sent without a session. */
function hasSession(req: Request): boolean {
  const session: unknown = Reflect.get(req, 'session');
  return session !== undefined && session !== null;
}
