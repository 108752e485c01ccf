// A login that waits for its second factor: for which user, and what was shown so far.
import type { Request } from 'express';
import { checkedClock } from '../internal/clock';
import { assertOptions, optionalFunction, wholeNumber } from '../internal/validate';
import type { UserId } from '../stores/subject';
import { rememberMissingLogin, rememberPendingLogin } from '../strategy/pending-lookup';
import { isFresh } from './factors';
import { decodeRecord, type StoredLogin } from './login-record';
import { readState } from './login-state';
import { warnOfMissingLogin } from './session-mistakes';

/**
 * A login that waits for its second factor. This is not a logged-in user: load the account again,
 * and do nothing in its name.
 */
export interface PendingLogin {
  /** The id of the user who showed the first factor. */
  readonly userId: UserId;
  /** The names of the methods shown so far, such as `['pwd']`. */
  readonly methods: readonly string[];
  /** The same as authentication method references: RFC 8176, section 2. */
  readonly amr: readonly string[];
  /** When the first factor was verified, in milliseconds since 1970. */
  readonly startedAt: number;
}

/** Options of `pendingLogin`. */
export interface PendingLoginOptions {
  /**
   * For how many seconds after the first factor the login stays pending, from 1 to 3600. Give
   * `completeLogin` the same.
   * @default 600
   */
  readonly maxAgeSeconds?: number;
  /**
   * The clock, in milliseconds since 1970; for tests.
   * @default Date.now
   */
  readonly now?: () => number;
}

/**
 * Returns the pending login of this session. It is `null` if no login was begun, if it is too old,
 * or if its record cannot be read.
 *
 * @example
 * ```ts
 * new BackupCodeStrategy({
 *   backupCodes,
 *   currentUser: async (req) => {
 *     const pending = pendingLogin(req);
 *     return pending && users.byId(pending.userId);
 *   },
 * });
 * ```
 *
 * @throws {BackupCodeError} `session_unavailable`: the request has no session that can be renewed;
 *   `invalid_option`
 */
export function pendingLogin(req: Request, options: PendingLoginOptions = {}): PendingLogin | null {
  const given: unknown = options;
  assertOptions('pendingLogin', given, ['maxAgeSeconds', 'now']);
  const pending = readPending(req, options);
  if (pending === null) {
    rememberMissingLogin(req, () => warnOfMissingLogin(req));
    return null;
  }
  const { loginId } = readState(req);
  if (typeof loginId === 'string') rememberPendingLogin(req, { userId: pending.userId, loginId });
  return {
    userId: pending.userId,
    methods: pending.methods,
    amr: pending.amr,
    startedAt: pending.startedAt,
  };
}

/** Returns the whole record of the pending login, or `null`. */
export function readPending(req: Request, options: PendingLoginOptions): StoredLogin | null {
  const limits = { min: 1, max: 3600, fallback: 600 };
  const maxAgeSeconds = wholeNumber('maxAgeSeconds', options.maxAgeSeconds, limits);
  const clock = checkedClock(optionalFunction('now', options.now));
  const pending = decodeRecord(readState(req).pending);
  if (pending === null) return null;
  const startedAt = Math.min(...pending.factors.map(({ at }) => at));
  return isFresh(startedAt, { maxAgeSeconds, now: clock() }) ? { ...pending, startedAt } : null;
}
