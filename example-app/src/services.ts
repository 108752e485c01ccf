// What the routes work with. Made once by createApp.
import type { RequestHandler } from 'express';
import type { BackupCodes } from 'passport-backup-code';
import type { Authenticators } from './authenticators';
import type { Emails } from './emails';
import type { Guards } from './guards';
import type { Mailer } from './mail';
import type { Notices } from './notices/notices';
import type { Authenticator } from './passport';
import type { Places } from './places';
import type { SecondFactors } from './second-factors';
import type { SecurityKeys } from './security-keys';
import type { Users } from './users';
import type { Vault } from './vault';

export interface Services {
  readonly users: Users;
  readonly authenticators: Authenticators;
  readonly securityKeys: SecurityKeys;
  readonly secondFactors: SecondFactors;
  readonly backupCodes: BackupCodes;
  readonly emails: Emails;
  /** For mail that a request waits for, or that must not lie in the database, like a link to log in with. */
  readonly mailer: Mailer;
  /** Tells owners of audit events by itself, whoever caused them; to be poked where something else was put into the queue. */
  readonly notices: Notices;
  readonly places: Places;
  readonly vault: Vault;
  readonly passport: Authenticator;
  readonly guards: Guards;
  /** Counts posts to the forms that take a password or a code, by address. */
  readonly limitSignIn: RequestHandler;
  readonly cookieName: string;
  /** Where links in mail lead, without a slash at its end. */
  readonly publicUrl: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
