// The options that `passport.authenticate` was given, as far as they decide what Passport does
// after a code was accepted.
import type { Request } from 'express';
import type { Channel } from '../audit/context';
import { BackupCodeError } from '../errors';
import { hasPendingLogin } from './pending-lookup';

/** Of the options of `passport.authenticate`; Passport passes an empty object if it got none. */
export interface PassportOptions {
  /** Whether Passport logs the user in, in the session. Passport takes `undefined` for `true`. */
  readonly session?: boolean;
  /** Where to redirect after a failure. */
  readonly failureRedirect?: string;
  /** With this, as `passport.authorize` sets it, Passport logs no user in. */
  readonly assignProperty?: string;
}

/**
 * Refuses to continue if Passport would log the user of a pending login in. It would replace the
 * session, and with it the pending login: `completeLogin` could then not complete it, and no guard
 * would see a second factor. A strategy cannot see a callback of the app, with which Passport logs
 * no user in, so the option is needed there too.
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function assertNoPassportLogin(
  req: Request,
  { channel, passportOptions }: { channel: Channel; passportOptions: PassportOptions },
): void {
  const { session, assignProperty } = passportOptions;
  if (session === false || assignProperty !== undefined) return;
  if (channel === 'recovery' || !hasPendingLogin(req)) return;
  throw new BackupCodeError(
    'invalid_option',
    'This session has a pending login, and Passport would log its user in without completeLogin. ' +
      "No code was looked at. Write passport.authenticate('backup-code', { session: false }), " +
      'before a callback of your own too, and then await completeLogin(req).',
  );
}
