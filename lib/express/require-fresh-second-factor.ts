// A guard that asks for a second factor that was shown just now.
import type { RequestHandler } from 'express';
import { wholeNumber } from '../internal/validate';
import {
  ASSURANCE_GUARD_OPTIONS,
  makeAssuranceGuard,
  MAX_AGE_SECONDS,
  type AssuranceGuardOptions,
} from './assurance-guard';
import { listKinds, type Factor } from './factors';
import { checkLoginOptions } from './login-options';

/** How fresh the second factor must be, and where to send a user who has not shown it. */
export interface FreshSecondFactorOptions extends AssuranceGuardOptions {
  /**
   * How many seconds ago the second factor may have been shown, from 1 to 31536000.
   * @default 300
   */
  readonly withinSeconds?: number;
}

/**
 * Makes a guard that lets a request through only if a second factor, such as TOTP or a backup code,
 * was shown recently enough. Put it in front of what is sensitive: new codes, a new e-mail address,
 * a payment. A password never counts, however fresh it is, and does not have to be typed again.
 *
 * It answers as `requireAssurance({ factors: 1, except: ['pwd'], maxAgeSeconds, stepUpUrl })` does:
 * with a 303 to `stepUpUrl`, from which `completeLogin` leads back, or with the 401 of RFC 9470,
 * section 3.
 *
 * @example
 * ```ts
 * app.post(
 *   '/account/email',
 *   requireFreshSecondFactor({ withinSeconds: 300, stepUpUrl: '/login/step-up' }),
 *   changeEmail,
 * );
 * ```
 *
 * @throws {BackupCodeError} `invalid_option`, when the guard is made. When it runs it passes
 *   `session_unavailable`, `invalid_user_id`, `invalid_result` (of `read` and `notBefore`),
 *   `response_sent`, and what `read` and `notBefore` throw to `next`
 */
export function requireFreshSecondFactor(options: FreshSecondFactorOptions = {}): RequestHandler {
  const ownOptions = [...ASSURANCE_GUARD_OPTIONS, 'withinSeconds'];
  const login = checkLoginOptions('requireFreshSecondFactor', ownOptions, options);
  const maxAgeSeconds = wholeNumber('withinSeconds', options.withinSeconds, {
    min: 1,
    max: MAX_AGE_SECONDS,
    fallback: 300,
  });
  // By kind and not by the name `pwd`: an app may call its password "password", and a single
  // sign-on may have asserted a password and nothing else.
  const counts = (factor: Factor): boolean =>
    listKinds([factor]).some((kind) => kind !== 'knowledge');
  const rule = { name: 'requireFreshSecondFactor', requiredKinds: 1, maxAgeSeconds, counts };
  return makeAssuranceGuard(rule, { ...options, ...login });
}
