// Who may open a page: whoever is logged in with all the factors their account has; for some pages,
// proven just now.
import type { Request, RequestHandler } from 'express';
import type { BackupCodes } from 'passport-backup-code';
import {
  requireAssurance,
  requireEnrollment,
  requireFreshSecondFactor,
} from 'passport-backup-code/express';
import type { SecondFactors } from '../factors/second-factors';
import { findSignedInAccount } from './passport';
import { type Account, usernameKey } from './users';

export interface Guards {
  /**
   * Logged in. Where there is a second factor a password alone is not enough, whenever the session
   * was made.
   */
  readonly signedIn: RequestHandler;
  /**
   * Logged in, and with backup codes that work, where there is a factor that they stand behind; old
   * ones are mentioned once a login.
   */
  readonly enrolled: readonly [RequestHandler, RequestHandler];
  /**
   * An administrator, with a second factor. Nobody else who is logged in learns that there is a
   * page.
   */
  readonly admin: readonly [RequestHandler, RequestHandler];
  /**
   * Logged in, and a second factor shown within five minutes, be it a backup code. Where there is
   * none, none is asked for.
   */
  readonly fresh: readonly [RequestHandler, RequestHandler];
  /** Whether an account is an administrator's, with a second factor or yet without. */
  isAdmin(account: Account): boolean;
}

const FRESH_SECONDS = 300;

/** Logging in and signing up are for those who are not logged in. */
export const visitorsOnly: RequestHandler = (req, res, next) => {
  if (findSignedInAccount(req) === null) next();
  else res.redirect(303, '/account');
};

export interface GuardOptions {
  readonly secondFactors: SecondFactors;
  readonly backupCodes: BackupCodes;
  readonly admins: readonly string[];
  readonly now: () => number;
}

export function createGuards({ secondFactors, backupCodes, admins, now }: GuardOptions): Guards {
  const pages = { loginUrl: '/login', stepUpUrl: '/login/step-up', now };
  const oneFactor = requireAssurance({ ...pages, factors: 1 });
  const twoFactors = requireAssurance({ ...pages, factors: 2 });
  // Not two fresh factors: whoever shows the app's code again need not type the password again.
  const freshSecondFactor = requireFreshSecondFactor({ ...pages, withinSeconds: FRESH_SECONDS });

  const workingCodes = requireEnrollment({ backupCodes, enrollUrl: '/account/security' });
  const isEnrolled = async (req: Request): Promise<boolean> => {
    const account = findSignedInAccount(req);
    return account !== null && secondFactors.has(account.id);
  };
  const ifEnrolled =
    (guard: RequestHandler, otherwise = oneFactor): RequestHandler =>
    async (req, res, next) => {
      return ((await isEnrolled(req)) ? guard : otherwise)(req, res, next);
    };
  const signedIn = ifEnrolled(twoFactors);
  const isAdmin = ({ username }: Account): boolean => admins.includes(usernameKey(username));
  const adminOnly: RequestHandler = async (req, res, next) => {
    if (!isAdmin(getAccount(req))) next('route');
    else if (await isEnrolled(req)) next();
    else res.redirect(303, '/account/security');
  };
  return {
    signedIn,
    enrolled: [signedIn, ifEnrolled(workingCodes)],
    admin: [signedIn, adminOnly],
    fresh: [signedIn, ifEnrolled(freshSecondFactor)],
    isAdmin,
  };
}

/** Behind a guard somebody is logged in. */
export function getAccount(req: Request): Account {
  const account = findSignedInAccount(req);
  if (account === null) throw new Error('this route has no guard');
  return account;
}
