// The check behind `requireAssurance` and `requireFreshSecondFactor`: which factors the session or
// the token has, whether they are enough, and how to answer if not. Verifies no factor.
import type { Request, RequestHandler, Response } from 'express';
import { BackupCodeError } from '../errors';
import { logDecision } from '../internal/decision-log';
import { assertResponseUnsent } from '../internal/response-sent';
import { isTime } from '../internal/time';
import { optionalFunction } from '../internal/validate';
import { isUserId, type UserId } from '../stores/subject';
import { areMethodNames, isFresh, listKinds, type Factor, type FactorKind } from './factors';
import { checkPageUrl, makeGuard, prefersPage } from './guard';
import { isSameUser, type CheckedLoginOptions, type LoginOptions } from './login-options';
import { isLoginValid, type NotBefore } from './login-age';
import { readLogin, type StoredLogin } from './login-record';
import { readState, writeState } from './login-state';
import { getUser } from './passport-login';
import { readPath, saveSession } from './session';
import { clearReturnCookie, isSessionEmpty, setReturnCookie } from './return-cookie';
import { findCurrentPage } from './return-to';
import { warnOfForeignLogin } from './session-mistakes';
import { sendStepUpChallenge } from './step-up-challenge';

/** What a verified token says about a login, for apps without sessions. */
export interface AssuranceFacts {
  /** The id of the user. */
  readonly userId: UserId;
  /**
   * The methods that were shown, 1 to 16: values of RFC 8176, section 2, or `password`, `totp`,
   * `hotp`, `backup-code`, `webauthn`, `passkey`. Other names count as no factor.
   */
  readonly methods: readonly string[];
  /**
   * When all of them were shown, in *milliseconds* since 1970. `auth_time` of OpenID Connect is in
   * seconds.
   */
  readonly authenticatedAt: number;
}

/** Where a guard reads the factors, and where it sends a user who has to show more. */
export interface AssuranceGuardOptions extends LoginOptions {
  /**
   * The page on which a logged-in user shows a factor again: a path, or a whole URL.
   * @default no page: browsers get the same 401 as programs, with a sentence in place of JSON
   */
  readonly stepUpUrl?: string;
  /**
   * The page for users who are not logged in, or not through `completeLogin`.
   * @default `stepUpUrl`
   */
  readonly loginUrl?: string;
  /**
   * Reads the facts from a verified token, and replaces the session. Returns `null`, or a promise
   * of it, if the request has no valid token.
   * @default the session
   */
  readonly read?: (req: Request) => AssuranceFacts | null | Promise<AssuranceFacts | null>;
  /**
   * Returns the time before which the logins of a user have ended, as milliseconds since 1970 or a
   * `Date`; `null` for no limit; or a promise of it. A login that began earlier does not get
   * through, whatever was shown in it since. Set this time when a password changes, or when a user
   * or an administrator ends all sessions. It is called at every request of a user with a login.
   * @default no limit
   * @throws {BackupCodeError} at a request: `invalid_result` if it returns anything else. What it
   *   throws itself is passed on. Neither lets a user through
   * @example
   * ```ts
   * app.use('/app', requireAssurance({ notBefore: (userId) => users.sessionsEndedAt(userId) }));
   * ```
   */
  readonly notBefore?: NotBefore;
}

/** Which factors a guard asks for. */
export interface AssuranceRule {
  /** The function that makes the guard, for the decision log. */
  readonly name: string;
  /** How many different kinds of factor. */
  readonly requiredKinds: number;
  /** How old each of them may be; `Infinity` if age does not matter. */
  readonly maxAgeSeconds: number;
  /** Whether a factor counts at all. */
  readonly counts: (factor: Factor) => boolean;
}

/** The options that both guards take beside their own. */
export const ASSURANCE_GUARD_OPTIONS: readonly string[] = [
  'stepUpUrl',
  'loginUrl',
  'read',
  'notBefore',
];

/** The longest age that a guard may ask for: a year. */
export const MAX_AGE_SECONDS = 31_536_000;

/**
 * Makes the guard. The caller has refused unknown options.
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function makeAssuranceGuard(
  { name, requiredKinds, maxAgeSeconds, counts }: AssuranceRule,
  { idOf, now, ...options }: CheckedLoginOptions & Omit<AssuranceGuardOptions, 'now'>,
): RequestHandler {
  const stepUpUrl = checkPageUrl('stepUpUrl', options.stepUpUrl);
  const loginUrl = checkPageUrl('loginUrl', options.loginUrl) ?? stepUpUrl;
  const read = optionalFunction('read', options.read);
  const notBefore = optionalFunction('notBefore', options.notBefore);

  return makeGuard(name, async (req: Request, res: Response) => {
    const login = read === undefined ? readSessionLogin(req, idOf) : checkFacts(await read(req));
    const isValid = login !== null && (await isLoginValid(login, { notBefore, now: now() }));
    const counting = isValid ? login.factors.filter(counts) : [];
    const isRecent = ({ at }: Factor): boolean => isFresh(at, { maxAgeSeconds, now: now() });
    const freshKinds = listKinds(counting.filter(isRecent));
    if (freshKinds.length >= requiredKinds) {
      if (read === undefined) clearReturnCookie(req, res);
      logDecision(name, 'the request continues');
      return true;
    }
    logDecision(name, `refused: ${explain(login, { isValid, requiredKinds, freshKinds })}`);
    assertResponseUnsent(res);
    res.set('Cache-Control', 'no-store');
    const url = isValid ? stepUpUrl : loginUrl;
    if (url !== undefined && prefersPage(req)) {
      if (read === undefined) await rememberPage(req, res);
      assertResponseUnsent(res);
      res.redirect(303, url);
    } else {
      const isEnded = login !== null && !isValid;
      const isStale = isEnded || listKinds(counting).length >= requiredKinds;
      const challenge = { requiredKinds, maxAgeSeconds, freshKinds, isStale };
      sendStepUpChallenge(res, { ...challenge, isPage: prefersPage(req) });
    }
    return false;
  });
}

function explain(
  login: GuardedLogin | null,
  {
    isValid,
    requiredKinds,
    freshKinds,
  }: { isValid: boolean; requiredKinds: number; freshKinds: readonly FactorKind[] },
): string {
  if (login === null) return 'no login that completeLogin made';
  if (!isValid) return 'the login began before notBefore';
  const found = freshKinds.length === 0 ? 'none' : freshKinds.join(' and ');
  return `${requiredKinds} fresh kinds of factor are required, found ${found}`;
}

/** The login that a guard looks at. */
type GuardedLogin = Pick<StoredLogin, 'userId' | 'factors' | 'startedAt'>;

/** `null` if no user is logged in in this session, or not through `completeLogin`. */
function readSessionLogin(req: Request, idOf: CheckedLoginOptions['idOf']): GuardedLogin | null {
  const login = readLogin(req);
  const user = getUser(req);
  if (login === null || user === null) {
    warnOfForeignLogin(req);
    return null;
  }
  return isSameUser(login.userId, idOf(user)) ? login : null;
}

/** @throws {BackupCodeError} `invalid_result`: `read` returned something else */
function checkFacts(facts: unknown): GuardedLogin | null {
  if (facts === null) return null;
  const userId = readPath(facts, 'userId');
  const methods = readPath(facts, 'methods');
  const at = readPath(facts, 'authenticatedAt');
  if (!isUserId(userId) || !areMethodNames(methods) || !isTime(at)) {
    throw new BackupCodeError(
      'invalid_result',
      'read must return { userId, methods, authenticatedAt } or null: an id, an array of names, ' +
        'and milliseconds since 1970.',
    );
  }
  const factors = methods.map((method) => ({ method, amr: [method], at }));
  return { userId, factors, startedAt: at };
}

/** Saved before the answer: the browser may ask for the next page as soon as it has it. */
async function rememberPage(req: Request, res: Response): Promise<void> {
  const returnTo = findCurrentPage(req);
  if (isSessionEmpty(req)) {
    setReturnCookie(req, res, returnTo);
    return;
  }
  writeState(req, { ...readState(req), returnTo });
  await saveSession(req);
}
