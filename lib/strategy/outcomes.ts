// What the strategy answers: outcomes in Passport's terms, and the texts that people read. Never which user or code it was.
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import type { Reason } from '../audit/events';
import { describe } from '../internal/validate';

/** What a handler finds in `req.authInfo`, and a custom callback in `info`, after a code was consumed. */
export interface BackupCodeInfo {
  readonly method: 'backup-code';
  /** RFC 8176: a one-time password. Never a phishing-resistant method. */
  readonly amr: ['otp'];
  /** Codes left; with an own `consumeCode` only what it returned. The same holds for the rest. */
  readonly remaining?: number;
  readonly total?: number;
  readonly low?: boolean;
  readonly expiresAt?: number | null;
}

/** What a custom callback finds in `info`, and `failureMessage` in `message`, when nobody was let in. */
export interface BackupCodeFailure {
  readonly code:
    | 'malformed'
    | 'invalid_code'
    | 'login_required'
    | 'too_many_attempts'
    | 'denied'
    | 'step_up_required'
    | 'busy';
  /** For the person. The same for a wrong, reused and expired code, and for a user who does not exist. */
  readonly message: string;
  /** With `too_many_attempts`, unless only a new set helps, and with `busy`. */
  readonly retryAfterSeconds?: number;
}

/** One of Passport's actions, decided on but not yet taken. */
export type Decision =
  { readonly action: 'success'; readonly user: unknown; readonly info: unknown } | Failure;

/** Never a string challenge: Passport would put it into WWW-Authenticate. */
export interface Failure {
  readonly action: 'fail';
  readonly failure: object;
  readonly status: number;
}

const MESSAGES: Readonly<Record<BackupCodeFailure['code'], string>> = {
  malformed: 'That does not look like a backup code. Please check it and try again.',
  invalid_code: 'That backup code is not valid. Please try another one.',
  login_required: 'Please sign in first.',
  too_many_attempts: 'Too many attempts. Please wait before you try again.',
  denied: 'This sign-in was refused.',
  step_up_required: 'This sign-in needs another check first.',
  busy: 'The service is busy. Please try again in a few seconds.',
};

const LOCKED =
  'Too many attempts: these backup codes no longer work. Sign in another way and make new ones.';

/** What to answer, or `null` if the code was consumed. Only `true` and `{ ok: true }` mean that. */
export function readFailure(result: unknown, isAlone: boolean): Failure | null {
  if (result === true || hasOk(result, true)) return null;
  if (result === false) return fail('invalid_code', 401);
  if (hasOk(result, false)) {
    const { reason, retryAfterSeconds } = result as {
      reason?: unknown;
      retryAfterSeconds?: unknown;
    };
    const wait =
      Number.isFinite(retryAfterSeconds) && Number(retryAfterSeconds) > 0
        ? { retryAfterSeconds: Math.ceil(Number(retryAfterSeconds)) }
        : {};
    switch (reason as Reason) {
      case 'malformed':
        return fail('malformed', 400);
      case 'mismatch':
      case 'reused':
      case 'expired':
      case 'none':
      case 'unknown_user':
        return fail('invalid_code', 401);
      case 'throttled':
        return fail('too_many_attempts', 429, wait);
      case 'locked':
        return fail('too_many_attempts', 429, { message: LOCKED });
      case 'denied':
        return isAlone ? fail('invalid_code', 401) : fail('denied', 403);
      case 'step_up':
        return isAlone ? fail('invalid_code', 401) : fail('step_up_required', 403);
      case 'busy':
        return fail('busy', 503, wait);
    }
  }
  throw new BackupCodeError(
    'invalid_result',
    `consumeCode must return true, false or an outcome { ok, … }, but returned ${describe(result)}. Only true or { ok: true } means that the code was consumed.`,
  );
}

/** Copies what an outcome may tell; never a replacement code, which would end in a session or a log. */
export function readInfo(result: unknown): BackupCodeInfo {
  const { remaining, total, low, expiresAt } = (result === true ? {} : result) as Omit<
    BackupCodeInfo,
    'method' | 'amr'
  >;
  return {
    method: 'backup-code',
    amr: ['otp'],
    ...(remaining !== undefined && { remaining }),
    ...(total !== undefined && { total }),
    ...(low !== undefined && { low }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

function hasOk(result: unknown, ok: boolean): result is object {
  return typeof result === 'object' && result !== null && (result as { ok?: unknown }).ok === ok;
}

export function fail(
  code: BackupCodeFailure['code'],
  status: number,
  more: { message?: string; retryAfterSeconds?: number } = {},
): Failure {
  const failure: BackupCodeFailure = { code, message: MESSAGES[code], ...more };
  return { action: 'fail', failure, status };
}

/** Tells a waiting time in the header too, where the host shows its response (Express does). */
export function announce(req: Request, decision: Failure): Failure {
  const { retryAfterSeconds } = decision.failure as BackupCodeFailure;
  if (
    retryAfterSeconds !== undefined &&
    typeof req.res?.setHeader === 'function' &&
    !req.res.headersSent
  ) {
    req.res.setHeader('Retry-After', String(retryAfterSeconds));
  }
  return decision;
}
