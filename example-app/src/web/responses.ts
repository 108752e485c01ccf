// How the app answers: pages with what every page needs, and short JSON for clients that ask for
// it. Nothing is cached anywhere.
import type { Request, RequestHandler, Response } from 'express';
import { findSignedInAccount } from '../login/passport';
import { csrfToken } from './csrf';
import { formatTime } from './format-time-and-place';

declare module 'express-session' {
  interface SessionData {
    /** Said once, on the next page. */
    notice?: string;
  }
}

export interface Page {
  readonly title: string;
  /** 200 by default. */
  readonly status?: number;
  /** By field; `form` for the form as a whole. */
  readonly errors?: Readonly<Record<string, string>>;
  /** What was typed, by field. Never a password or a code. */
  readonly values?: Readonly<Record<string, string>>;
  /** Whatever else the view shows. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/**
 * The codes are on one of these pages, so none may be kept by a browser or a proxy (ASVS 14.3.2).
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

/** An error for a person or for a program, whichever asked. */
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

/**
 * This app speaks in pages: whoever does not ask for JSON by name gets one, from the library's
 * guards too.
 */
export function pagesByDefault(): RequestHandler {
  return (req, _res, next) => {
    if (!wantsJson(req)) req.headers.accept = 'text/html';
    next();
  };
}

/**
 * Kept before the redirect goes out: the browser may be back before the session would be stored
 * otherwise.
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

/** Error pages are sent also where the session store is down. */
function hasSession(req: Request): boolean {
  const session: unknown = Reflect.get(req, 'session');
  return session !== undefined && session !== null;
}
