// A guard that sends people without working backup codes to make some, and reminds them to make new ones in time. It
// knows only who is logged in: whether somebody is, is for the guard before it to ask.
import type { Request, RequestHandler, Response } from 'express';
import type { BackupCodes } from '../service/backup-codes';
import { asError, BackupCodeError } from '../errors';
import { assertMethods, describe } from '../internal/validate';
import { pageUrl, wantsPage } from './guard';
import { loginOptions, type LoginOptions } from './login-options';
import { pageOf } from './return-to';
import { dig, readState, save, userOf, writeState } from './session';

/** Who must have backup codes, and where they are made. */
export interface EnrollmentOptions extends LoginOptions {
  readonly backupCodes: Pick<BackupCodes, 'status'>;
  /** The page where codes are made. It and all below it let everybody through. */
  readonly enrollUrl: string;
  /**
   * Whoever has a working set that is older than `rotateAfterDays` is sent `'once'` a login, and may go on without; `'always'`,
   * until there is a new one; or `'never'`. Default `'once'`, which needs a session and a page: programs are let through.
   */
  readonly rotation?: 'once' | 'always' | 'never';
}

/**
 * Lets a request through if its user has a set that works: neither expired, nor used up, nor closed by too many failures.
 * Others get a 303 to `enrollUrl` with the page they wanted as `returnTo`, for `safeReturnTo` there; clients that ask for
 * no HTML get a 403 with the code `enrollment_required`. Where nobody is logged in the request goes on: put it behind the guard
 * that logs people in. One read of the store for each request.
 *
 * @throws {BackupCodeError} `invalid_option`, when the guard is made
 */
export function requireEnrollment(options: EnrollmentOptions): RequestHandler {
  const { idOf } = loginOptions('requireEnrollment', options, [
    'backupCodes',
    'enrollUrl',
    'rotation',
  ]);
  const { backupCodes, rotation = 'once' } = options;
  assertMethods('backupCodes', backupCodes, ['status']);
  const enrollUrl = pageUrl('enrollUrl', options.enrollUrl);
  if (enrollUrl === undefined)
    throw new BackupCodeError(
      'invalid_option',
      'enrollUrl must be given: the page where codes are made.',
    );
  if (!['once', 'always', 'never'].includes(rotation))
    throw new BackupCodeError(
      'invalid_option',
      `rotation must be 'once', 'always' or 'never', but was ${describe(rotation)}.`,
    );

  /** Whether the request may go on; if not, it is answered. */
  async function judge(req: Request, res: Response): Promise<boolean> {
    const user = userOf(req);
    if (user === null || isAt(req, enrollUrl ?? '')) return true;
    const status = await backupCodes.status(idOf(user));
    const isWorking =
      status !== null && !status.expired && !status.locked.secondFactor && status.remaining > 0;
    if (
      isWorking &&
      !(
        status.rotationDue &&
        (rotation === 'always' || (rotation === 'once' && (await isToBeOffered(req))))
      )
    )
      return true;
    res.set('Cache-Control', 'no-store');
    if (wantsPage(req)) res.redirect(303, withReturnTo(enrollUrl ?? '', pageOf(req)));
    else
      res.status(403).json({
        code: 'enrollment_required',
        message: isWorking
          ? 'Your backup codes are old: make new ones'
          : 'You have no backup codes that work: make new ones',
      });
    return false;
  }

  return function requireEnrollmentHandler(req, res, next): void {
    judge(req, res).then(
      (mayGoOn) => mayGoOn && next(),
      (thrown: unknown) => next(asError(thrown)),
    );
  };
}

/** Once for each login, which begins a new session. Saved before the answer, or the browser might be back before it is. */
async function isToBeOffered(req: Request): Promise<boolean> {
  if (!wantsPage(req) || dig(req, 'session') === undefined) return false;
  const state = readState(req);
  if (state.isRotationOffered === true) return false;
  writeState(req, { ...state, isRotationOffered: true });
  await save(req);
  return true;
}

function isAt({ originalUrl }: Request, url: string): boolean {
  const [path] = originalUrl.split(/[?#]/);
  const [page] = url.split(/[?#]/);
  return path === page || path?.startsWith(`${page}/`) === true;
}

function withReturnTo(url: string, page: string | null): string {
  if (page === null) return url;
  const [before = '', fragment] = url.split('#');
  return `${before}${before.includes('?') ? '&' : '?'}returnTo=${encodeURIComponent(page)}${fragment === undefined ? '' : `#${fragment}`}`;
}
