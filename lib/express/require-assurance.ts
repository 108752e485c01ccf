// A guard that asks for kinds of factor, shown recently enough.
import type { RequestHandler } from 'express';
import { wholeNumber } from '../internal/validate';
import {
  ASSURANCE_GUARD_OPTIONS,
  makeAssuranceGuard,
  MAX_AGE_SECONDS,
  type AssuranceGuardOptions,
} from './assurance-guard';
import { assertMethodNames } from './factors';
import { checkLoginOptions } from './login-options';

/** How many kinds of factor, how fresh, and where to send a user who has not shown them. */
export interface AssuranceOptions extends AssuranceGuardOptions {
  /**
   * How many different kinds of factor: what the user knows, has, is. TOTP and a backup code are
   * one kind. 1 or 2.
   * @default 2
   */
  readonly factors?: 1 | 2;
  /**
   * How many seconds ago each of them may have been shown, from 1 to 31536000. A fresh password
   * does not make an old second factor fresh.
   * @default no limit: any time in this session
   */
  readonly maxAgeSeconds?: number;
  /**
   * Methods that do not count. By default a fresh backup code may make new codes: without that, a
   * lost phone would be a dead end.
   * @default []
   */
  readonly except?: readonly string[];
}

/**
 * Makes a guard that lets a request through only if enough kinds of factor were shown, recently
 * enough. A browser gets a 303 to the page that asks for them, and `completeLogin` leads it back.
 * A client that does not ask for HTML, and every client if no page is given, gets a 401 with the
 * challenge of RFC 9470, section 3. A user who is not logged in never gets through.
 *
 * For a fresh second factor, `requireFreshSecondFactor` is shorter.
 *
 * @example
 * ```ts
 * app.use('/app', requireAssurance({ loginUrl: '/login' })); // two kinds of factor
 * app.post('/keys', requireAssurance({ maxAgeSeconds: 300, except: ['sms'] }), addKey);
 * ```
 *
 * @throws {BackupCodeError} `invalid_option`, when the guard is made. When it runs it passes
 *   `session_unavailable`, `invalid_user_id`, `invalid_result` (of `read` and `notBefore`),
 *   `response_sent`, and what `read` and `notBefore` throw to `next`
 */
export function requireAssurance(options: AssuranceOptions = {}): RequestHandler {
  const ownOptions = [...ASSURANCE_GUARD_OPTIONS, 'factors', 'maxAgeSeconds', 'except'];
  const login = checkLoginOptions('requireAssurance', ownOptions, options);
  const requiredKinds = wholeNumber('factors', options.factors, { min: 1, max: 2, fallback: 2 });
  const maxAgeSeconds = wholeNumber('maxAgeSeconds', options.maxAgeSeconds, {
    min: 1,
    max: MAX_AGE_SECONDS,
    fallback: Infinity,
  });
  const { except = [] } = options;
  if (!Array.isArray(except) || except.length > 0) assertMethodNames('except', except);
  return makeAssuranceGuard(
    {
      name: 'requireAssurance',
      requiredKinds,
      maxAgeSeconds,
      counts: ({ method }) => !except.includes(method),
    },
    { ...options, ...login },
  );
}
