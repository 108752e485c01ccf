// Outcomes in Passport's terms, and the messages that users read. None says which code it was.
import type { Request } from 'express';
import type { Channel } from '../audit/context';
import type { Reason } from '../audit/events';
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';
import type { CheckedOptions } from './check-options';

/** In `req.authInfo`, and in `info` of a custom callback, after a code was consumed. */
export interface BackupCodeInfo {
  readonly method: 'backup-code';
  /** A one-time password (RFC 8176, section 2). Never a phishing-resistant method. */
  readonly amr: ['otp'];
  /**
   * Codes left in the set. This field and the next three are missing if the app's own `consumeCode`
   * did not return them.
   */
  readonly remaining?: number;
  /** Codes in the set, consumed ones included. */
  readonly total?: number;
  /** Whether `lowAt` codes or fewer are left, or consumed codes are no longer replaced. */
  readonly low?: boolean;
  /** When the set expires, in milliseconds since 1970. `null` if it never does. */
  readonly expiresAt?: number | null;
}

/** What went wrong, as a stable word for programs. One word for all codes that are not valid. */
export type BackupCodeFailureCode =
  /** 400: the code or the user name is missing, or is not one. Nothing was counted. */
  | 'malformed'
  /** 401: the code is wrong, used, expired or of another user, or the user does not exist. */
  | 'invalid_code'
  /** 401: `currentUser` found no user whose first factor was checked. */
  | 'login_required'
  /** 429: too many failed attempts. Without `retryAfterSeconds` the channel is locked. */
  | 'too_many_attempts'
  /** 403: `assessRisk` refused the attempt. 401: the verify callback refused the user. */
  | 'denied'
  /** 403: `assessRisk` asks for another check first. The code was not consumed. */
  | 'step_up_required'
  /** 503: too many slow hashes are waiting. Nothing was counted. */
  | 'busy';

/** In `info` of a custom callback, if the code was not accepted. Passport shows `message` only. */
export interface BackupCodeFailure {
  readonly code: BackupCodeFailureCode;
  /** For the user, in the language of the app if the option `messages` is set. */
  readonly message: string;
  /**
   * Whole seconds until another attempt makes sense. With `busy`, and with `too_many_attempts` if
   * waiting helps.
   */
  readonly retryAfterSeconds?: number;
}

/** One of Passport's actions, decided but not yet taken. */
export type Decision = Success | Failure;

export interface Success {
  readonly action: 'success';
  readonly user: unknown;
  readonly info: BackupCodeInfo;
}

export interface Failure {
  readonly action: 'fail';
  /** Never a string: Passport would write it into the header `WWW-Authenticate`. */
  readonly failure: object;
  readonly status: number;
  /** What the header `Retry-After` says, if the answer has one. */
  readonly retryAfterSeconds?: number | undefined;
  /** What the decision log says. Clients do not receive it. */
  readonly reason?: string | undefined;
}

/** A failure before it is translated. */
export interface Refusal {
  readonly code: BackupCodeFailureCode;
  readonly status: number;
  /** The text without the option `messages`. */
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

const LOCKED_MESSAGE =
  'Too many attempts: these backup codes no longer work. Sign in another way and make new ones.';

export const REFUSALS = {
  malformed: {
    code: 'malformed',
    status: 400,
    message: 'That does not look like a backup code. Please enter one code and try again.',
  },
  invalid_code: {
    code: 'invalid_code',
    status: 401,
    message: 'That backup code is not valid. Please try another one.',
  },
  login_required: { code: 'login_required', status: 401, message: 'Please sign in first.' },
  throttled: {
    code: 'too_many_attempts',
    status: 429,
    message: 'Too many attempts. Please wait before you try again.',
  },
  locked: {
    code: 'too_many_attempts',
    status: 429,
    message: LOCKED_MESSAGE,
  },
  denied: { code: 'denied', status: 403, message: 'This sign-in was refused.' },
  step_up: {
    code: 'step_up_required',
    status: 403,
    message: 'This sign-in needs another check first.',
  },
  busy: {
    code: 'busy',
    status: 503,
    message: 'The service is busy. Please try again in a few seconds.',
  },
} as const satisfies Readonly<Record<string, Refusal>>;

/**
 * What to answer to a code that was not consumed.
 *
 * @throws {BackupCodeError} `invalid_result` if it is not an outcome
 */
export function readRefusal(result: unknown, channel: Channel): Refusal {
  if (result === false) return REFUSALS.invalid_code;
  const refusal = isRefused(result) ? refusalOf(result.reason, channel) : null;
  if (refusal === null) {
    throw new BackupCodeError(
      'invalid_result',
      'consumeCode must return true, false, { ok: true } or { ok: false, reason }, ' +
        `but returned ${describeResult(result)}. ` +
        `Only true or { ok: true } means that the code was consumed.${hintAt(result)}`,
    );
  }
  const { retryAfterSeconds: seconds } = result as { retryAfterSeconds?: unknown };
  const isWait = refusal === REFUSALS.throttled || refusal === REFUSALS.busy;
  return isWait && typeof seconds === 'number' && seconds > 0 && seconds < Infinity
    ? { ...refusal, retryAfterSeconds: Math.ceil(seconds) }
    : refusal;
}

/**
 * On the `recovery` channel a refused risk is answered like an invalid code. `assessRisk` may
 * decide by the user, so any other answer could tell which users exist.
 */
function refusalOf(reason: unknown, channel: Channel): Refusal | null {
  switch (reason as Reason) {
    case 'malformed':
      return REFUSALS.malformed;
    case 'mismatch':
    case 'reused':
    case 'expired':
    case 'none':
    case 'unknown_user':
      return REFUSALS.invalid_code;
    case 'throttled':
      return REFUSALS.throttled;
    case 'locked':
      return REFUSALS.locked;
    case 'denied':
      return channel === 'recovery' ? REFUSALS.invalid_code : REFUSALS.denied;
    case 'step_up':
      return channel === 'recovery' ? REFUSALS.invalid_code : REFUSALS.step_up;
    case 'busy':
      return REFUSALS.busy;
    default:
      return null;
  }
}

function isRefused(result: unknown): result is { readonly ok: false; readonly reason?: unknown } {
  return typeof result === 'object' && result !== null && Reflect.get(result, 'ok') === false;
}

/** By its kind only: the value may be a secret. */
function describeResult(result: unknown): string {
  if (!isRefused(result)) return describe(result);
  return result.reason === undefined
    ? '{ ok: false } without a reason'
    : '{ ok: false } with an unknown reason';
}

function hintAt(result: unknown): string {
  if (result === undefined) {
    return ' It gets no callback: return the result, or a promise of it.';
  }
  return isRefused(result) ? " Give a reason, such as { ok: false, reason: 'mismatch' }." : '';
}

/** Makes the failure with its message. */
export function refuse(
  { messages }: Pick<CheckedOptions, 'messages'>,
  req: Request,
  { code, status, message, retryAfterSeconds }: Refusal,
): Failure {
  const info = Object.freeze({
    code,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
  const failure: BackupCodeFailure = {
    ...info,
    message:
      messages === undefined
        ? addWait(message, retryAfterSeconds)
        : checkMessage(messages(code, info, req)),
  };
  return { action: 'fail', failure, status, retryAfterSeconds, reason: code };
}

/** A flash message has only this text, so the text says how long to wait. */
function addWait(message: string, retryAfterSeconds: number | undefined): string {
  if (retryAfterSeconds === undefined || message !== REFUSALS.throttled.message) return message;
  const isShort = retryAfterSeconds <= 90;
  const amount = isShort ? retryAfterSeconds : Math.ceil(retryAfterSeconds / 60);
  const unit = `${isShort ? 'second' : 'minute'}${amount === 1 ? '' : 's'}`;
  return message.replace('wait', `wait ${amount} ${unit}`);
}

function checkMessage(message: unknown): string {
  if (typeof message === 'string' && message !== '') return message;
  // An async function is an error too. Without a handler its rejection would end the process.
  Promise.resolve(message).catch(() => undefined);
  throw new BackupCodeError(
    'invalid_result',
    'messages must return a string that is not empty, ' +
      `but returned ${message === '' ? 'an empty string' : describe(message)}.`,
  );
}

/** Only if the host shows its response on the request, as Express does. */
export function announceWait(req: Request, { retryAfterSeconds }: Failure): void {
  if (retryAfterSeconds === undefined) return;
  if (typeof req.res?.setHeader === 'function' && !req.res.headersSent)
    req.res.setHeader('Retry-After', String(retryAfterSeconds));
}
