// Decides which users may open a page: users who logged in with the factors that their account
// requires. Some pages also require a recent second factor.
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
   * Logged in. If the account has a second factor, a login by password alone is not enough, even if
   * it was made before the factor was added.
   */
  readonly signedIn: RequestHandler;
  /**
   * Logged in. If the account has a second factor, it also needs backup codes that work. A user
   * with old codes is reminded once in each login.
   */
  readonly enrolled: readonly [RequestHandler, RequestHandler];
  /** An administrator with a second factor. To all other users the page does not exist. */
  readonly admin: readonly [RequestHandler, RequestHandler];
  /**
   * Logged in, with a second factor or a backup code shown within five minutes. Accounts without a
   * second factor pass.
   */
  readonly fresh: readonly [RequestHandler, RequestHandler];
  /** Whether the account is an administrator's, even if it has no second factor yet. */
  isAdmin(account: Account): boolean;
}

const FRESH_SECONDS = 300;

/** Redirects logged-in users away from the pages to log in and to sign up. */
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
  // One fresh factor is enough: a user who shows the app's code again need not type the password
  // again.
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

/** The account of the logged-in user. Call it only behind a guard. */
export function getAccount(req: Request): Account {
  const account = findSignedInAccount(req);
  if (account === null) throw new Error('this route has no guard');
  return account;
}
