// The services that the routes use. createApp creates them once.
import type { RequestHandler } from 'express';
import type { BackupCodes } from 'passport-backup-code';
import type { Authenticators } from '../factors/authenticators';
import type { SecondFactors } from '../factors/second-factors';
import type { SecurityKeys } from '../factors/security-keys';
import type { Guards } from '../login/guards';
import type { Authenticator } from '../login/passport';
import type { Places } from '../login/places';
import type { Users } from '../login/users';
import type { Emails } from '../notices/account-emails';
import type { Mailer } from '../notices/mailer';
import type { NoticeLoop } from '../notices/notice-loop';
import type { Vault } from '../vault/vault';

export interface Services {
  readonly users: Users;
  readonly authenticators: Authenticators;
  readonly securityKeys: SecurityKeys;
  readonly secondFactors: SecondFactors;
  readonly backupCodes: BackupCodes;
  readonly emails: Emails;
  /**
   * For mail that a request waits for, or that must not be stored in the database, such as a login
   * link.
   */
  readonly mailer: Mailer;
  /** Notifies owners of audit events by itself. Wake it after other mail was queued. */
  readonly noticeLoop: NoticeLoop;
  readonly places: Places;
  readonly vault: Vault;
  readonly passport: Authenticator;
  readonly guards: Guards;
  /** Limits posts to the forms that take a password or a code, by address. */
  readonly limitSignIn: RequestHandler;
  readonly cookieName: string;
  /** The start of every link in mail, without a trailing slash. */
  readonly publicUrl: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
