// What the routes work with. Made once by createApp.
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
   * For mail that a request waits for, or that must not lie in the database, like a link to log in
   * with.
   */
  readonly mailer: Mailer;
  /**
   * Tells owners of audit events by itself, whoever caused them; to be poked where something else
   * was put into the queue.
   */
  readonly noticeLoop: NoticeLoop;
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
