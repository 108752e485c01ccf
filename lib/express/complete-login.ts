// Logging in over two requests: a first factor opens a pending login, a second one completes it. Verifies no factor
// itself, and logs nobody in after the first alone unless it is told in so many words that there is no second.
import type { Request } from 'express';
import { forgetConsumed, recordUnfinished } from '../strategy/unfinished-login';
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';
import { assertNames, factorsOf, isNames, kindsOf, type Assurance } from './factors';
import { isSameUser, loginOptions, type LoginOptions } from './login-options';
import { readLogin, recordOf, toStored, type LoginRecord } from './login-record';
import { readPending } from './pending-login';
import { safeReturnTo } from './return-to';
import {
  abandonLogin,
  appDataOf,
  dig,
  hasSessionLogin,
  logIn,
  readState,
  regenerate,
  save,
  sessionOf,
  setUser,
  userOf,
  writeState,
} from './session';

/** What was shown first, and where to go afterwards. */
export interface BeginLoginOptions extends LoginOptions {
  /** What was verified, as authentication method references (RFC 8176, section 2): `['pwd']` for a password. */
  readonly amr: readonly string[];
  /**
   * The same by the names your app and `except` know. Default: those of `amr` that are factors. `['sso']` for a login at another
   * provider: `amr` is then what the assertion said and is kept as it came, `mfa` included.
   */
  readonly methods?: readonly string[];
  /**
   * Where to go once logged in; `completeLogin` gives it back. It may come straight from the client: anything but a path
   * of this origin (of at most 2048 characters) is dropped. Default: the page that `requireAssurance` turned away.
   */
  readonly returnTo?: unknown;
}

/** What was shown second. Most of it the strategy tells. */
export interface CompleteLoginOptions extends LoginOptions {
  /** Who showed the factor. Default: the user that `passport.authenticate(name, { session: false })` put on the request. */
  readonly user?: Express.User;
  /** The factor's name where the strategy's `info` does not tell `{ method, amr }`; what `info` tells is believed first. */
  readonly method?: string;
  /** Belongs to `method`: its authentication method references (RFC 8176, section 2), `['otp']` for TOTP. */
  readonly amr?: readonly string[];
  /**
   * `'not_enrolled'` completes the login by the first factor alone. Say it only after looking the account up *in this
   * request* and finding that it has no second factor: the words are what keeps a forgotten one from logging people in.
   * `'included'` completes it where the first step alone showed two kinds of factor (a single sign-on that asserts `mfa`, a
   * passkey unlocked by a PIN), and is refused where it did not.
   */
  readonly secondFactor?: 'not_enrolled' | 'included';
  /** How long after the first factor the second may follow. 1 to 3600, default 600. Give `pendingLogin` the same. */
  readonly maxAgeSeconds?: number;
}

/** Somebody is logged in. */
export interface CompletedLogin extends Assurance {
  /** A path of this origin, or `null` where none was asked for. */
  readonly returnTo: string | null;
}

/**
 * Opens a pending login, after a first factor was verified. The session is a fresh one with nothing else in it, saved
 * before this resolves; whoever was logged in in this browser no longer is.
 *
 * @throws {BackupCodeError} `invalid_option`, `invalid_user_id`, before anything was changed; `session_unavailable`
 */
export async function beginLogin(
  req: Request,
  user: Express.User,
  options: BeginLoginOptions,
): Promise<void> {
  const { idOf, now } = loginOptions('beginLogin', options, ['amr', 'methods', 'returnTo']);
  const { amr } = options;
  assertNames('amr', amr);
  const { methods = factorNames(amr) } = options;
  assertNames('methods', methods);
  const record = recordOf(idOf(user), factorsOf(methods, amr, now()), amr);
  if (record.amr.length === 0) {
    throw new BackupCodeError(
      'invalid_option',
      "amr of 'mfa' alone names no factor. If a single sign-on said it, say so: methods: ['sso'].",
    );
  }
  const pending = toStored(record);
  const { returnTo: remembered } = readState(req);
  const returnTo = safeReturnTo(options.returnTo === undefined ? remembered : options.returnTo);
  try {
    setUser(req, null);
    await regenerate(req);
    writeState(req, { pending, returnTo });
    await save(req);
  } catch (error) {
    await abandonLogin(req);
    throw new BackupCodeError(
      'session_unavailable',
      'The session could not be renewed and saved, so no login was begun.',
      { cause: error },
    );
  }
}

/** Those that are factors: not `user` or `mfa`, which tell how one was shown. */
function factorNames(amr: readonly string[]): readonly string[] {
  const names = amr.filter((name) => kindsOf([{ amr: [name] }]).length > 0);
  return names.length > 0 ? names : amr;
}

/**
 * Completes the pending login of this session by the factor that was just verified, in the same request: logs the user
 * in under a new session id, and remembers how, for `requireAssurance`. Nothing else here logs anybody in.
 *
 * Somebody who was logged in this way before steps up by the same call: their factor is added or renewed, the session
 * gets a new id and keeps what the app put there.
 *
 * Consume first, then call this, and nothing in between: a code is never un-consumed. Where a backup code was consumed and
 * this fails, the audit trail gets a `login_unfinished` event. A request of the session that
 * was just left (a double click, a second tab) finds no pending login; send it on with 303. Such a request, if it was
 * already under way and writes to its session, makes express-session store the *pending* login again under the old id.
 * That lets nobody in: it still asks for a second factor, and ends when it would have.
 *
 * @throws {BackupCodeError} `no_pending_login`: none, too old, or of another user; `login_unfinished`: the factor was
 *   right but the session could not be made, with the `cause`; `invalid_option`; `invalid_user_id`;
 *   `session_unavailable`. After any of them `req.user` is empty, and nobody got in by this request.
 */
export async function completeLogin(
  req: Request,
  options: CompleteLoginOptions = {},
): Promise<CompletedLogin> {
  try {
    const completed = await complete(req, options);
    forgetConsumed(req);
    return completed;
  } catch (error) {
    setUser(req, null);
    await recordUnfinished(req);
    throw error;
  }
}

async function complete(req: Request, options: CompleteLoginOptions): Promise<CompletedLogin> {
  const { idOf, now } = loginOptions('completeLogin', options, [
    'user',
    'method',
    'amr',
    'secondFactor',
    'maxAgeSeconds',
  ]);
  const user = options.user ?? userOf(req);
  // All this is read before the session is renewed, which empties it.
  const pending = readPending(req, options);
  const before = pending ?? readLogin(req);
  const returnTo = safeReturnTo(readState(req).returnTo);
  // What an anonymous visitor's session held is not carried into a login; a step-up is the same login, and changes nothing for the app.
  const [appData, { isRotationOffered }] =
    pending === null ? [appDataOf(req), readState(req)] : [{}, {}];
  if (before === null || user === null || !isSameUser(before.userId, idOf(user))) {
    throw new BackupCodeError(
      'no_pending_login',
      'This session has no pending login of this user, or it is too old: begin again with the first factor.',
    );
  }
  const completed = isWithoutSecond(options, pending)
    ? before
    : withFactor(before, factorShown(req, options, pending), now());
  try {
    // Passport 0.5 and older do not renew the session in logIn, so it is done here for all; later ones do it once more.
    await regenerate(req);
    await logIn(req, user);
    if (!hasSessionLogin(req))
      throw new Error(
        'Passport put no login into the session: is passport.session() mounted, and does serializeUser give a value?',
      );
    Object.assign(sessionOf(req), appData);
    writeState(req, { login: toStored(completed), isRotationOffered });
    await save(req);
  } catch (error) {
    // A login whose record could not be saved is none. Its id was not yet sent to anybody.
    await abandonLogin(req);
    throw new BackupCodeError(
      'login_unfinished',
      'The factor was right, but the session could not be made, so nobody is logged in. A backup code that was given is spent; the next one works.',
      { cause: error },
    );
  }
  return { returnTo, methods: completed.methods, amr: completed.amr, acr: completed.acr };
}

function isWithoutSecond(
  { secondFactor, method, amr }: CompleteLoginOptions,
  pending: LoginRecord | null,
): boolean {
  const word: unknown = secondFactor;
  if (word === undefined) return false;
  if (
    (word !== 'not_enrolled' && word !== 'included') ||
    method !== undefined ||
    amr !== undefined ||
    pending === null
  ) {
    throw new BackupCodeError(
      'invalid_option',
      `secondFactor may only be 'not_enrolled' or 'included', for a pending login, and without method and amr, but was ${describe(word)}.`,
    );
  }
  if (word === 'included' && pending.acr !== 'aal2') {
    throw new BackupCodeError(
      'invalid_option',
      "secondFactor: 'included' was said of a pending login that showed one kind of factor. Ask for a second one.",
    );
  }
  return true;
}

/** The factor that this request verified. */
function factorShown(
  req: Request,
  options: CompleteLoginOptions,
  pending: LoginRecord | null,
): { method: string; amr: readonly string[] } {
  const info: unknown = Reflect.get(req, 'authInfo');
  // What the strategy says goes first: on a route for both TOTP and backup codes only it knows which it was.
  const [method, amr] =
    dig(info, 'method') === undefined
      ? [options.method, options.amr]
      : [dig(info, 'method'), dig(info, 'amr')];
  if (typeof method !== 'string' || !isNames([method]) || !isNames(amr)) {
    throw new BackupCodeError(
      'invalid_option',
      "completeLogin was not told which factor was shown: the strategy's info has no { method, amr }. Give it { method: 'totp', amr: ['otp'] }, or { secondFactor: 'not_enrolled' } for an account that has none.",
    );
  }
  if (pending?.methods.includes(method) === true) {
    throw new BackupCodeError(
      'invalid_option',
      `The factor that began this login ("${method}") cannot complete it as well.`,
    );
  }
  return { method, amr };
}

/** Added, or its time renewed. */
function withFactor(
  before: LoginRecord,
  { method, amr }: { method: string; amr: readonly string[] },
  at: number,
): LoginRecord {
  const others = before.factors.filter((factor) => factor.method !== method);
  return recordOf(before.userId, [...others, { method, amr, at }], [...before.amr, ...amr]);
}
