// What the routes work with. Made once by createApp.
import type { RequestHandler } from 'express';
import type { BackupCodes } from 'passport-backup-code';
import type { Authenticators } from './authenticators';
import type { Guards } from './guards';
import type { Authenticator } from './passport';
import type { Users } from './users';

export interface Services {
  readonly users: Users;
  readonly authenticators: Authenticators;
  readonly backupCodes: BackupCodes;
  readonly passport: Authenticator;
  readonly guards: Guards;
  /** Counts posts to the forms that take a password or a code, by address. */
  readonly limitSignIn: RequestHandler;
  readonly cookieName: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
