// A guard that sends users without working backup codes to make some, and reminds them to replace
// old ones. It does not ask for a login: put it behind a guard that does.
import type { Request, RequestHandler, Response } from 'express';
import { BackupCodeError } from '../errors';
import { logDecision } from '../internal/decision-log';
import { assertResponseUnsent } from '../internal/response-sent';
import { assertMethods, describe } from '../internal/validate';
import type { BackupCodes } from '../service/backup-codes';
import type { SetStatus } from '../service/set-status';
import { addReturnTo, isEnrollPage, readEnrollPage } from './enroll-page';
import { assertNoLoop, endRedirect } from './enrollment-loop';
import { makeGuard, prefersPage } from './guard';
import { checkLoginOptions, type LoginOptions } from './login-options';
import { readState, writeState } from './login-state';
import { getUser } from './passport-login';
import { readPath, saveSession } from './session';
import { findCurrentPage } from './return-to';
import { warnOfMissingUser } from './session-mistakes';

const NAME = 'requireEnrollment';

/** Which users must have backup codes, and where they make them. */
export interface EnrollmentOptions extends LoginOptions {
  /** The service, or anything that has its `status`. */
  readonly backupCodes: Pick<BackupCodes, 'status'>;
  /**
   * The page on which codes are made: a path, or a whole URL. This page and every page below it let
   * all users through, if the request is for its origin and its path has no `//`, no backslash, and
   * no dots or slashes that are left to resolve or decode. Give the path that Express sees.
   */
  readonly enrollUrl: string;
  /**
   * What to do about a working set that is older than `rotateAfterDays`. `'once'` sends a browser
   * to `enrollUrl` once a login, and lets it continue without a new set; this needs a session, and
   * lets programs through. `'always'` sends every client until there is a new set. `'never'` lets
   * all of them through.
   * @default 'once'
   */
  readonly rotation?: 'once' | 'always' | 'never';
}

/**
 * Makes a guard that lets a request through if its user has a set that works: not expired, not used
 * up, and not locked by too many failures. Other browsers get a 303 to `enrollUrl`, with the page
 * they asked for as `returnTo`; read it there with `safeReturnTo`. A client that does not ask for
 * HTML gets a 403 with the code `enrollment_required`. If no user is logged in, the request
 * continues. Each request reads the store once.
 *
 * @example
 * ```ts
 * app.use(
 *   '/app',
 *   requireAssurance({ loginUrl: '/login' }),
 *   requireEnrollment({ backupCodes, enrollUrl: '/codes' }),
 * );
 * ```
 *
 * @throws {BackupCodeError} `invalid_option`, when the guard is made. When it runs it passes
 *   `session_unavailable`, `invalid_user_id`, `response_sent` and what `status` throws to `next`,
 *   and `enrollment_loop` if a proxy changes the address of `enrollUrl`, so that a browser would be
 *   sent there again and again: never at the first request of a login
 */
export function requireEnrollment(options: EnrollmentOptions): RequestHandler {
  const ownOptions = ['backupCodes', 'enrollUrl', 'rotation'];
  const { idOf, now } = checkLoginOptions(NAME, ownOptions, options);
  const { backupCodes } = options;
  assertMethods('backupCodes', backupCodes, ['status']);
  const page = readEnrollPage(options.enrollUrl);
  const rotation = checkRotation(options.rotation);

  return makeGuard(NAME, async (req: Request, res: Response) => {
    const user = getUser(req);
    if (user === null) {
      warnOfMissingUser(req);
      logDecision(NAME, 'the request continues: no user is logged in');
      return true;
    }
    if (isEnrollPage(page, req)) {
      endRedirect(req);
      logDecision(NAME, 'the request continues: it is for enrollUrl');
      return true;
    }
    const status = await backupCodes.status(idOf(user));
    const isWorking = status !== null && isWorkingSet(status);
    const isTooOld = isWorking && status.rotationDue && (await isRotationRequired(req, rotation));
    if (isWorking && !isTooOld) {
      logDecision(NAME, 'the request continues: the set works');
      return true;
    }
    logDecision(NAME, isWorking ? 'refused: the set is old' : 'refused: no set works');
    assertResponseUnsent(res);
    res.set('Cache-Control', 'no-store');
    if (prefersPage(req)) {
      const returnTo = findCurrentPage(req);
      await assertNoLoop(page, { req, returnTo, now: now() });
      res.redirect(303, addReturnTo(page, returnTo));
    } else {
      res.status(403).json({
        code: 'enrollment_required',
        message: isWorking
          ? 'Your backup codes are old: make new ones'
          : 'You have no backup codes that work: make new ones',
      });
    }
    return false;
  });
}

function checkRotation(
  rotation: EnrollmentOptions['rotation'] = 'once',
): NonNullable<EnrollmentOptions['rotation']> {
  if (['once', 'always', 'never'].includes(rotation)) return rotation;
  throw new BackupCodeError(
    'invalid_option',
    `rotation must be 'once', 'always' or 'never', but was ${describe(rotation)}.`,
  );
}

function isWorkingSet({ expired, locked, remaining }: SetStatus): boolean {
  return !expired && !locked.secondFactor && remaining > 0;
}

async function isRotationRequired(
  req: Request,
  rotation: NonNullable<EnrollmentOptions['rotation']>,
): Promise<boolean> {
  if (rotation === 'once') return offerRotation(req);
  return rotation === 'always';
}

/**
 * Resolves to true once for each login, which begins with a new session. Saved before the answer:
 * the browser may be back as soon as it has it.
 */
async function offerRotation(req: Request): Promise<boolean> {
  if (!prefersPage(req) || readPath(req, 'session') === undefined) return false;
  const state = readState(req);
  if (state.isRotationOffered === true) return false;
  writeState(req, { ...state, isRotationOffered: true });
  await saveSession(req);
  return true;
}
