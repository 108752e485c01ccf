// What the guards share: the middleware around a check, and whether to answer with a page.
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { asError, BackupCodeError } from '../errors';
import { logError } from '../internal/decision-log';
import { warnOfLostError } from '../internal/lost-error';
import { describe } from '../internal/validate';

/** Resolves to true if the request may continue. If not, the check has answered it. */
export type RequestCheck = (req: Request, res: Response) => Promise<boolean>;

/**
 * Makes a middleware that lets a request through only if the check resolves to true.
 *
 * @param name of the guard, for the decision log
 */
export function makeGuard(name: string, check: RequestCheck): RequestHandler {
  return function guard(req, res, next): void {
    continueAfter(withLoggedError(name, check(req, res)), next);
  };
}

/** Logs a rejection, and passes it on. */
export async function withLoggedError<T>(name: string, decision: Promise<T>): Promise<T> {
  try {
    return await decision;
  } catch (thrown) {
    logError(name, thrown);
    throw thrown;
  }
}

/**
 * Continues with the next handler if the check resolves to true, and with the error handling of the
 * app if it rejects. Never leaves a rejection without a handler, even if `next` throws.
 */
export function continueAfter(check: Promise<boolean>, next: NextFunction): void {
  check
    .then(
      (mayContinue) => {
        if (mayContinue) next();
      },
      (thrown: unknown) => next(asError(thrown)),
    )
    .catch((thrown: unknown) => warnOfLostError('A handler behind a guard', thrown));
}

/** Whether to answer with a page. A client that accepts JSON as much as HTML is a program. */
export function prefersPage(req: Request): boolean {
  return !req.xhr && req.accepts(['json', 'html']) === 'html';
}

/**
 * Checks the address of a page: a path of this app, or a whole URL.
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function checkPageUrl(option: string, url: unknown): string | undefined {
  if (url === undefined) return undefined;
  if (typeof url === 'string' && /^(?:\/(?!\/)|https?:\/\/)[\x21-\x5b\x5d-\x7e]*$/.test(url)) {
    return url;
  }
  const given = typeof url === 'string' ? `"${url}"` : describe(url);
  throw new BackupCodeError(
    'invalid_option',
    `${option} must be a path that begins with "/", or a URL that begins with "https://", ` +
      `but was ${given}.`,
  );
}
