// Completes a login with the factor that was just verified. Nothing else in this folder logs in.
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import { logDecision } from '../internal/decision-log';
import { isResponseSent, responseSentError } from '../internal/response-sent';
import { isRecovery } from '../strategy/recovery-login';
import { findConsumed, forgetConsumed, recordUnfinished } from '../strategy/unfinished-login';
import { findBegunLogin, type BegunLogin } from './begin-login';
import { carryKeptData, carryStepUp } from './carried-data';
import { endSessionId } from './ended-sessions';
import type { Assurance } from './factors';
import { withLoggedError } from './guard';
import {
  checkLoginOptions,
  isSameUser,
  type CheckedLoginOptions,
  type LoginOptions,
} from './login-options';
import { encodeRecord, makeRecord, readLogin } from './login-record';
import { logInWithMark } from './login-mark';
import { abandonLogin, readState, writeAppData, writeState } from './login-state';
import { getUser, setUser } from './passport-login';
import { readPending } from './pending-login';
import { claimLogin, isCompletedBefore, waitForFirstRequest } from './repeated-code';
import { safeReturnTo } from './return-to';
import { addShownFactor, findShownFactor, isFirstFactorEnough } from './shown-factor';
import { regenerateSession, saveSession } from './session';
import { warnIfNotAwaited, warnOfSecureCookie } from './session-mistakes';

/** What the user showed second. Most of it comes from the strategy. */
export interface CompleteLoginOptions extends LoginOptions {
  /**
   * The user who showed the factor.
   * @default the user that `passport.authenticate(name, { session: false })` put on the request;
   *   with `secondFactor`, otherwise the user given to `beginLogin` in this request
   */
  readonly user?: Express.User;
  /**
   * The name of the factor, if the strategy's `info` has no `{ method, amr }`. What `info` says
   * comes first: on a route for TOTP and backup codes only the strategy knows which one it was.
   */
  readonly method?: string;
  /** The authentication method references of `method`: RFC 8176, section 2. `['otp']` for TOTP. */
  readonly amr?: readonly string[];
  /**
   * Completes a pending login without a second factor; not together with `method` and `amr`.
   *
   * `'not_enrolled'`: the first factor alone is enough. Say so only after you looked the account up
   * *in this request* and found that it has no second factor. This word is what keeps a forgotten
   * second factor from letting users in.
   *
   * `'included'`: the first step showed two kinds of factor, such as a single sign-on that asserts
   * `mfa`, or a passkey unlocked by a PIN. Refused if it did not.
   */
  readonly secondFactor?: 'not_enrolled' | 'included';
  /**
   * For how many seconds after the first factor the login stays pending, from 1 to 3600. Give
   * `pendingLogin` the same.
   * @default 600
   */
  readonly maxAgeSeconds?: number;
}

/** The user is logged in. */
export interface CompletedLogin extends Assurance {
  /** Where to go: a path of this origin, or `null` if no page was asked for. */
  readonly returnTo: string | null;
}

/**
 * Completes the pending login of this session with the factor that was verified in this request.
 * Logs the user in under a new session id, and records the factors for `requireAssurance`.
 *
 * After a code was accepted on the `recovery` channel it needs no pending login: it logs that user
 * in, with one factor.
 *
 * A user who is already logged in steps up with the same call: the factor is added or its time is
 * renewed, and the session gets a new id and keeps what the app stored in it.
 *
 * Call it right after the code was consumed, with nothing in between: a consumed code cannot be
 * given back. If a backup code was consumed and this fails, the audit trail gets a
 * `login_unfinished` event.
 *
 * If the answer is lost, because a process died or a proxy repeats the request, the same code
 * completes the same pending login, once, after a wait of five seconds. In any other login the code
 * is spent. After a double click the second request finds no pending login: answer it with a 303.
 * The session that was replaced is not written again by this process.
 *
 * @example
 * ```ts
 * app.post(
 *   '/login/backup-code',
 *   passport.authenticate('backup-code', { session: false }),
 *   async (req, res) => {
 *     const { returnTo } = await completeLogin(req);
 *     res.redirect(303, returnTo ?? '/');
 *   },
 * );
 * ```
 *
 * @example An account without a second factor
 * ```ts
 * await beginLogin(req, user);
 * if (!(await users.hasSecondFactor(user))) {
 *   await completeLogin(req, { secondFactor: 'not_enrolled' });
 * }
 * ```
 *
 * @throws {BackupCodeError} `no_pending_login`: no pending login, one that is too old, or one of
 *   another user than that of this request;
 *   `login_unfinished`: the factor was valid, but the session could not be made (see `cause`);
 *   `invalid_option`; `invalid_user_id`; `session_unavailable`. After each of them `req.user` is
 *   empty, and this request has logged no user in
 */
export async function completeLogin(
  req: Request,
  options: CompleteLoginOptions = {},
): Promise<CompletedLogin> {
  try {
    const completed = await withLoggedError('completeLogin', complete(req, options));
    forgetConsumed(req);
    logDecision('completeLogin', `logged in, ${completed.acr}`);
    warnOfSecureCookie(req);
    warnIfNotAwaited(req, 'completeLogin');
    return completed;
  } catch (error) {
    setUser(req, null);
    await recordUnfinished(req);
    throw error;
  }
}

async function complete(req: Request, options: CompleteLoginOptions): Promise<CompletedLogin> {
  const { idOf, now } = checkLoginOptions(
    'completeLogin',
    ['user', 'method', 'amr', 'secondFactor', 'maxAgeSeconds'],
    options,
  );
  // All this is read before the session is renewed, which empties it.
  const isRecovered = isRecovery(req);
  const pending = isRecovered ? null : readPending(req, options);
  const before = isRecovered ? null : (pending ?? readLogin(req));
  const returnTo = safeReturnTo(readState(req).returnTo);
  const isStepUp = pending === null && !isRecovered;
  const carried = isStepUp ? carryStepUp(req) : carryKeptData(req);
  if (before === null && !isRecovered) {
    throw noPendingLogin(
      'This session has no pending login, or it is too old: begin again with the first factor. ' +
        'If there was one, Passport has replaced the session: write passport.authenticate(name, ' +
        '{ session: false }).',
    );
  }
  const shownBy = findUser(req, { ...options, idOf });
  if (shownBy === null) {
    throw noPendingLogin(
      'completeLogin found no user on this request. ' +
        (options.secondFactor === undefined
          ? 'Run passport.authenticate(name, { session: false }) before it, or pass { user }.'
          : 'Call it in the request of beginLogin, or pass { user }: the user of pendingLogin(req).'),
    );
  }
  if (before !== null && !isSameUser(before.userId, shownBy.userId)) {
    throw noPendingLogin(
      'The login of this session belongs to another user: begin again with the first factor.',
    );
  }
  const begun = before ?? { userId: shownBy.userId, factors: [], amr: [], startedAt: now() };
  const record = isFirstFactorEnough(options, pending)
    ? makeRecord(begun)
    : addShownFactor(begun, { ...findShownFactor(req, { options, pending }), at: now() });
  const consumed = findConsumed(req);
  if (consumed?.isRepeated === true) await waitForFirstRequest(req);
  assertAnswerable(req);
  try {
    // Passport 0.5 and older do not renew the session in logIn, so it is renewed here for every
    // version. Later ones do it once more.
    endSessionId(req);
    await regenerateSession(req);
    if (consumed !== null) await claimLogin(consumed);
    await logInWithMark(req, { user: shownBy.user, startedAt: begun.startedAt });
    writeAppData(req, carried.appData);
    writeState(req, { ...carried.state, login: encodeRecord(record) });
    await saveSession(req);
  } catch (error) {
    // A login whose record could not be saved does not count. No client knows its id yet.
    await abandonLogin(req);
    if (isCompletedBefore(error)) throw error;
    throw new BackupCodeError(
      'login_unfinished',
      'The factor was valid, but the session could not be made, so no user is logged in. ' +
        'A backup code that was given is spent; the next one works.',
      { cause: error },
    );
  }
  return { returnTo, methods: record.methods, amr: record.amr, acr: record.acr };
}

/**
 * The cookie of a session could no longer reach the browser. The session is left as it is: a
 * pending login can still be completed, with the same code.
 *
 * @throws {BackupCodeError} `login_unfinished`
 */
function assertAnswerable(req: Request): void {
  if (!isResponseSent(req.res)) return;
  throw new BackupCodeError(
    'login_unfinished',
    'The factor was valid, but the response was already sent, so no user is logged in. A backup ' +
      'code that was given completes this login as long as it is pending, and no other.',
    { cause: responseSentError() },
  );
}

/** The user who showed the factor; without one, the user whose login was begun in this request. */
function findUser(
  req: Request,
  {
    user: given,
    secondFactor,
    idOf,
  }: Pick<CompleteLoginOptions, 'user' | 'secondFactor'> & Pick<CheckedLoginOptions, 'idOf'>,
): BegunLogin | null {
  const user = given ?? getUser(req);
  if (user !== null) return { user, userId: idOf(user) };
  return secondFactor === undefined ? null : findBegunLogin(req);
}

function noPendingLogin(message: string): BackupCodeError {
  return new BackupCodeError('no_pending_login', message);
}
