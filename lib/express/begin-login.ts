// Begins a login after the first factor. Logs no user in.
import { randomUUID } from 'node:crypto';
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import { logDecision } from '../internal/decision-log';
import { assertResponseUnsent } from '../internal/response-sent';
import { describe } from '../internal/validate';
import type { UserId } from '../stores/subject';
import { endSessionId } from './ended-sessions';
import { assertMethodNames, listKinds, makeFactors } from './factors';
import { withLoggedError } from './guard';
import { checkLoginOptions, type LoginOptions } from './login-options';
import { encodeRecord, makeRecord, type LoginRecord } from './login-record';
import {
  abandonLogin,
  assertKeptKeys,
  readKeptData,
  readState,
  writeAppData,
  writeState,
} from './login-state';
import { hasSessionLogin, setUser } from './passport-login';
import { readReturnCookie } from './return-cookie';
import { safeReturnTo } from './return-to';
import { openSession, regenerateSession, saveSession } from './session';
import { warnIfNotAwaited, warnOfSecureCookie } from './session-mistakes';

/** What the user showed first, and what to keep for the time after the login. */
export interface BeginLoginOptions extends LoginOptions {
  /**
   * What you verified, as 1 to 16 authentication method references: RFC 8176, section 2. Give it
   * if that was not a password: the kind of a factor decides whether a login is multi-factor.
   * @default ['pwd']
   */
  readonly amr?: readonly string[];
  /**
   * The same by the names that your app and `except` use, 1 to 16 of them. Give `['sso']` for a
   * login at another provider: `amr` is then what the provider asserted, and is kept as it is, with
   * `mfa` if it is there. Needs `amr`.
   * @default the names in `amr` that are factors
   */
  readonly methods?: readonly string[];
  /**
   * Where to go after the login; `completeLogin` returns it. You may pass what the client sent:
   * anything except a path of this origin, of at most 2048 characters when encoded, is dropped.
   * @default the page that `requireAssurance` turned away
   */
  readonly returnTo?: unknown;
  /**
   * Keys of the session to keep, such as `['cart']`. Their values move into the fresh session here,
   * and into the session of the user who is logged in by `completeLogin`. Everything else in the
   * session is dropped. Name only what is harmless: the values may come from another user of the
   * browser. `cookie`, the key of Passport (`passport`) and the key of this package
   * (`passport-backup-code`) are refused.
   * @default []
   */
  readonly keep?: readonly string[];
}

/** The user of a login that was begun in this request. */
export interface BegunLogin {
  readonly user: Express.User;
  readonly userId: UserId;
}

/** Beside the request and not on it: nothing that logs a request can print this user. */
const begunLogins = new WeakMap<Request, BegunLogin>();

/**
 * Begins a login: call it after you verified the first factor, and before any code is asked for.
 * The session becomes a fresh one that holds only the pending login, and is saved before this
 * resolves. A user who was logged in in this browser no longer is.
 *
 * Do not call `req.logIn` after the password alone: that is how most second factors are bypassed.
 *
 * @example
 * ```ts
 * app.post('/login', passport.authenticate('local', { session: false }), async (req, res) => {
 *   await beginLogin(req, req.user, { amr: ['pwd'], keep: ['cart'] });
 *   res.redirect(303, '/login/second-factor');
 * });
 * ```
 *
 * @param user the user whose first factor was verified. The type allows `undefined` only because
 *   `req.user` may be missing: that is an error
 * @throws {BackupCodeError} `invalid_option` or `invalid_user_id`, before anything has changed;
 *   `session_unavailable`: the session is missing, or could not be renewed and saved;
 *   `response_sent`: the response was already sent, so nothing has changed
 */
export async function beginLogin(
  req: Request,
  user: Express.User | undefined,
  options: BeginLoginOptions = {},
): Promise<void> {
  await withLoggedError('beginLogin', begin(req, { user: checkUser(user), options }));
  logDecision('beginLogin', 'a login is pending');
  warnOfSecureCookie(req);
  warnIfNotAwaited(req, 'beginLogin');
}

async function begin(
  req: Request,
  { user, options }: { user: Express.User; options: BeginLoginOptions },
): Promise<void> {
  const { idOf, now } = checkLoginOptions(
    'beginLogin',
    ['amr', 'methods', 'returnTo', 'keep'],
    options,
  );
  const { keep = [] } = options;
  assertKeptKeys(req, keep);
  const record = recordFirstFactor(options, { userId: idOf(user), at: now() });
  // The cookie of the session could no longer reach the browser.
  assertResponseUnsent(req.res);
  openSession(req);
  // All this is read before the session is renewed, which empties it.
  const keptData = readKeptData(req, keep);
  const { returnTo = readState(req).returnTo ?? readReturnCookie(req) } = options;
  try {
    setUser(req, null);
    if (hasSessionLogin(req)) endSessionId(req);
    await regenerateSession(req);
    writeAppData(req, keptData);
    writeState(req, {
      pending: encodeRecord(record),
      loginId: randomUUID(),
      returnTo: safeReturnTo(returnTo),
      ...(keep.length > 0 && { keptKeys: keep }),
    });
    await saveSession(req);
  } catch (error) {
    await abandonLogin(req);
    throw new BackupCodeError(
      'session_unavailable',
      'The session could not be renewed and saved, so no login was begun.',
      { cause: error },
    );
  }
  begunLogins.set(req, { user, userId: record.userId });
}

/** Returns the user given to `beginLogin` in this request, or `null`. */
export function findBegunLogin(req: Request): BegunLogin | null {
  return begunLogins.get(req) ?? null;
}

/** @throws {BackupCodeError} `invalid_user_id` */
function checkUser(user: unknown): Express.User {
  if (typeof user === 'object' && user !== null) return user;
  throw new BackupCodeError(
    'invalid_user_id',
    'beginLogin needs the user whose first factor was verified, but was given ' +
      `${describe(user)}. Write passport.authenticate('local', { session: false }) before it, ` +
      'and then await beginLogin(req, req.user).',
  );
}

/** @throws {BackupCodeError} `invalid_option` */
function recordFirstFactor(
  { amr: givenAmr, methods: givenMethods }: BeginLoginOptions,
  { userId, at }: { userId: UserId; at: number },
): LoginRecord {
  if (givenMethods !== undefined && givenAmr === undefined) {
    throw new BackupCodeError(
      'invalid_option',
      "methods needs amr beside it, such as { methods: ['passkey'], amr: ['hwk'] }.",
    );
  }
  const amr = givenAmr ?? ['pwd'];
  assertMethodNames('amr', amr);
  const methods = givenMethods ?? factorNamesOf(amr);
  assertMethodNames('methods', methods);
  const record = makeRecord({ userId, factors: makeFactors({ methods, amr, at }), amr });
  if (record.amr.length === 0) {
    throw new BackupCodeError(
      'invalid_option',
      "amr of 'mfa' alone names no factor. If a single sign-on asserted it, add methods: ['sso'].",
    );
  }
  return record;
}

/** Returns the names that are factors: not `user` or `mfa`, which say how a factor was used. */
function factorNamesOf(amr: readonly string[]): readonly string[] {
  const names = amr.filter((name) => listKinds([{ amr: [name] }]).length > 0);
  return names.length > 0 ? names : amr;
}
