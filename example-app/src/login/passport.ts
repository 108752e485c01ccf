// The strategies (password, authenticator app, security key, backup code), and what a session
// stores about a user.
import type { Request } from 'express';
import passport from 'passport';
import { Strategy as LocalStrategy } from 'passport-local';
import { type BackupCodes, BackupCodeStrategy } from 'passport-backup-code';
import { pendingLogin } from 'passport-backup-code/express';
import type { Authenticators } from '../factors/authenticators';
import { SecurityKeyStrategy } from '../factors/security-key-strategy';
import type { SecurityKeys } from '../factors/security-keys';
import { TotpStrategy } from '../factors/totp-strategy';
import type { Account, Users } from './users';

/**
 * A Passport instance for one app. The default instance of the module is shared by the whole
 * process.
 */
export type Authenticator = passport.Authenticator;

export interface PassportOptions {
  readonly users: Users;
  readonly authenticators: Authenticators;
  readonly securityKeys: SecurityKeys;
  readonly backupCodes: BackupCodes;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function createPassport({
  users,
  authenticators,
  securityKeys,
  backupCodes,
  now,
}: PassportOptions): Authenticator {
  /**
   * The user whose second factor is requested: after the password step, or for a step-up of the
   * logged-in user.
   */
  const currentUser = async (req: Request): Promise<Account | null> => {
    const pending = pendingLogin(req, { now });
    return pending === null ? findSignedInAccount(req) : users.findById(String(pending.userId));
  };

  const instance = new passport.Passport();
  instance.use(
    new LocalStrategy((username, password, done) => {
      users.findByPassword(username, password).then(
        (account) => done(null, account ?? false, { message: 'Invalid user name or password.' }),
        (error: unknown) => done(error),
      );
    }),
  );
  instance.use(new TotpStrategy({ authenticators, currentUser }));
  instance.use(new SecurityKeyStrategy({ securityKeys, currentUser, now }));
  instance.use(
    new BackupCodeStrategy({ backupCodes, currentUser, userId: (account) => account.id }),
  );

  instance.serializeUser<string>((account, done) => done(null, (account as Account).id));
  instance.deserializeUser<string>((id, done) => {
    users.findById(id).then(
      (account) => done(null, account ?? false),
      (error: unknown) => done(error),
    );
  });
  return instance;
}

/**
 * The only place that casts Passport's untyped `req.user` to an account. `deserializeUser` above
 * put it there.
 */
export function findSignedInAccount(req: Request): Account | null {
  return req.isAuthenticated() ? (req.user as Account) : null;
}
