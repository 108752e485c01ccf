// A login that waits for its second factor: who it is for and what was shown so far. It logs nobody in.
import type { Request } from 'express';
import { optionalFunction, assertOptions, wholeNumber } from '../internal/validate';
import type { UserId } from '../stores/subject';
import { isWithin } from './factors';
import { fromStored, type LoginRecord } from './login-record';
import { readState } from './session';

/** Somebody has shown a first factor. Not a user: load the account anew, and do nothing in its name. */
export interface PendingLogin {
  readonly userId: UserId;
  /** Names of the methods shown so far, such as `['pwd']`. */
  readonly methods: readonly string[];
  /** The same as authentication method references, RFC 8176, section 2. */
  readonly amr: readonly string[];
  /** When the first factor was verified, in milliseconds since 1970. */
  readonly startedAt: number;
}

/** How old a pending login may be. */
export interface PendingLoginOptions {
  /** How long after the first factor the second may follow. 1 to 3600, default 600. Give `completeLogin` the same. */
  readonly maxAgeSeconds?: number;
  /** The clock, in milliseconds since 1970; for tests. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * The pending login of this session, or `null`: none was begun, it is too old, or its record makes no sense.
 *
 * ```ts
 * currentUser: async (req) => { const pending = pendingLogin(req); return pending && users.byId(pending.userId); }
 * ```
 *
 * @throws {BackupCodeError} `session_unavailable`, `invalid_option`
 */
export function pendingLogin(req: Request, options: PendingLoginOptions = {}): PendingLogin | null {
  const given: unknown = options;
  assertOptions('pendingLogin', given, ['maxAgeSeconds', 'now']);
  const pending = readPending(req, options);
  return (
    pending && {
      userId: pending.userId,
      methods: pending.methods,
      amr: pending.amr,
      startedAt: startOf(pending),
    }
  );
}

export function readPending(
  req: Request,
  { maxAgeSeconds, now }: PendingLoginOptions,
): LoginRecord | null {
  const seconds = wholeNumber('maxAgeSeconds', maxAgeSeconds, { min: 1, max: 3600, fallback: 600 });
  const clock = optionalFunction('now', now) ?? Date.now;
  const pending = fromStored(readState(req).pending);
  return pending !== null && isWithin(startOf(pending), seconds, clock()) ? pending : null;
}

function startOf(pending: LoginRecord): number {
  return Math.min(...pending.factors.map(({ at }) => at));
}
