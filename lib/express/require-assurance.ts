// A guard that asks how surely, and how lately, somebody logged in. Sends them to show a factor; verifies none itself.
import type { Request, RequestHandler, Response } from 'express';
import { asError, BackupCodeError } from '../errors';
import { optionalFunction, wholeNumber } from '../internal/validate';
import type { UserId } from '../stores/subject';
import { pageUrl, wantsPage } from './guard';
import { assertNames, isNames, isWithin, kindsOf, type Factor, type FactorKind } from './factors';
import { isSameUser, isUserId, loginOptions, type LoginOptions } from './login-options';
import { readLogin } from './login-record';
import { pageOf } from './return-to';
import { dig, readState, save, userOf, writeState } from './session';

/** What a verified token says of a login, for apps without sessions. */
export interface AssuranceFacts {
  readonly userId: UserId;
  /** Methods by the names of RFC 8176, section 2, or `password`, `totp`, `hotp`, `backup-code`, `webauthn`, `passkey`; others count for nothing. */
  readonly methods: readonly string[];
  /** When all of them were shown, in *milliseconds* since 1970 (OpenID Connect's `auth_time` is in seconds). */
  readonly authenticatedAt: number;
}

/** How many kinds of factor, how fresh, and what happens to whoever has not shown them. */
export interface AssuranceOptions extends LoginOptions {
  /** How many different kinds of factor: what one knows, has, is. TOTP and backup code are one kind. 1 or 2, default 2. */
  readonly factors?: 1 | 2;
  /**
   * How long ago each of them may have been shown, at most; a fresh password does not make an old second factor fresh.
   * A whole number from 1 to 31536000. Default: any time in this session.
   */
  readonly maxAgeSeconds?: number;
  /**
   * Methods that do not count. Default none: a fresh backup code may make new codes, or a lost phone would be a dead
   * end. `{ factors: 1, except: ['pwd'], maxAgeSeconds: 300 }` asks for a fresh second factor but for no fresh password.
   */
  readonly except?: readonly string[];
  /** The page where somebody who is logged in shows a factor again. Default: pages are answered like JSON clients. */
  readonly stepUpUrl?: string;
  /** The page for those who are not logged in, or not through `completeLogin`. Default `stepUpUrl`. */
  readonly loginUrl?: string;
  /** Reads the facts from a verified token instead of the session; `null` where there is none. May be asynchronous. */
  readonly read?: (req: Request) => AssuranceFacts | null | Promise<AssuranceFacts | null>;
}

const ERROR = 'insufficient_user_authentication';
const A_YEAR_SECONDS = 31_536_000;

/**
 * Lets a request through only if enough kinds of factor were shown lately enough. Others get a 303 to the page that asks
 * for them, which `completeLogin` leads back from; clients that ask for no HTML, and all where no page is given, get a
 * 401 with the challenge of RFC 9470, section 3. Nobody who is not logged in gets through.
 *
 * @throws {BackupCodeError} `invalid_option`, when the guard is made
 */
export function requireAssurance(options: AssuranceOptions = {}): RequestHandler {
  const { idOf, now } = loginOptions('requireAssurance', options, [
    'factors',
    'maxAgeSeconds',
    'except',
    'stepUpUrl',
    'loginUrl',
    'read',
  ]);
  const required = wholeNumber('factors', options.factors, { min: 1, max: 2, fallback: 2 });
  const maxAgeSeconds = wholeNumber('maxAgeSeconds', options.maxAgeSeconds, {
    min: 1,
    max: A_YEAR_SECONDS,
    fallback: Infinity,
  });
  const { except = [] } = options;
  if (!Array.isArray(except) || except.length > 0) assertNames('except', except);
  const stepUpUrl = pageUrl('stepUpUrl', options.stepUpUrl);
  const loginUrl = pageUrl('loginUrl', options.loginUrl) ?? stepUpUrl;
  const read = optionalFunction('read', options.read);

  /** Whether the request may go on; if not, it is answered. */
  async function judge(req: Request, res: Response): Promise<boolean> {
    const factors =
      read === undefined ? factorsOfSession(req, idOf) : factorsOfToken(await read(req));
    const counting = (factors ?? []).filter(({ method }) => !except.includes(method));
    const fresh = kindsOf(counting.filter(({ at }) => isWithin(at, maxAgeSeconds, now())));
    if (fresh.length >= required) return true;
    res.set('Cache-Control', 'no-store');
    const url = factors === null ? loginUrl : stepUpUrl;
    if (url !== undefined && wantsPage(req)) {
      if (read === undefined) await rememberPage(req);
      res.redirect(303, url);
    } else {
      challenge(res, {
        required,
        maxAgeSeconds,
        fresh,
        isStale: kindsOf(counting).length >= required,
      });
    }
    return false;
  }

  return function requireAssuranceHandler(req, res, next): void {
    judge(req, res).then(
      (mayGoOn) => mayGoOn && next(),
      (thrown: unknown) => next(asError(thrown)),
    );
  };
}

/** `null` where nobody is logged in in this session, or nobody through `completeLogin`. */
function factorsOfSession(
  req: Request,
  idOf: (user: Express.User) => UserId,
): readonly Factor[] | null {
  const [login, user] = [readLogin(req), userOf(req)];
  return login !== null && user !== null && isSameUser(login.userId, idOf(user))
    ? login.factors
    : null;
}

function factorsOfToken(facts: unknown): readonly Factor[] | null {
  if (facts === null) return null;
  const [userId, methods, authenticatedAt] = [
    dig(facts, 'userId'),
    dig(facts, 'methods'),
    dig(facts, 'authenticatedAt'),
  ];
  if (!isUserId(userId) || !isNames(methods) || typeof authenticatedAt !== 'number') {
    throw new BackupCodeError(
      'invalid_result',
      'read must return { userId, methods, authenticatedAt } or null: an id, an array of names, and milliseconds since 1970.',
    );
  }
  return methods.map((method) => ({ method, amr: [method], at: authenticatedAt }));
}

/** Saved before the answer, or the browser might be at the next page before it is. */
async function rememberPage(req: Request): Promise<void> {
  writeState(req, { ...readState(req), returnTo: pageOf(req) });
  await save(req);
}

/** RFC 9470, section 3. */
function challenge(
  res: Response,
  found: {
    required: number;
    maxAgeSeconds: number;
    fresh: readonly FactorKind[];
    isStale: boolean;
  },
): void {
  const message = found.isStale
    ? 'More recent authentication is required'
    : 'A different authentication level is required';
  const acrValues = `aal${found.required}`;
  const maxAge = found.maxAgeSeconds === Infinity ? undefined : found.maxAgeSeconds;
  const age = maxAge === undefined ? '' : `, max_age="${maxAge}"`;
  res.set(
    'WWW-Authenticate',
    `Bearer error="${ERROR}", error_description="${message}", acr_values="${acrValues}"${age}`,
  );
  res.status(401).json({
    code: ERROR,
    message,
    acr_values: acrValues,
    max_age: maxAge,
    factors: found.required,
    fresh: found.fresh,
  });
}
