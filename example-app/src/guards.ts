// Who may open a page: whoever is logged in with all the factors their account has; for some pages, proven just now.
import type { Request, RequestHandler } from 'express';
import { requireAssurance } from 'passport-backup-code/express';
import type { Authenticators } from './authenticators';
import { signedInAccount } from './passport';
import type { Account } from './users';

export interface Guards {
  /** Logged in. Where there is an authenticator app a password alone is not enough, whenever the session was made. */
  readonly signedIn: RequestHandler;
  /** Logged in, and a second factor shown within five minutes, be it a backup code. Where there is none, none is asked for. */
  readonly fresh: readonly [RequestHandler, RequestHandler];
}

const FRESH_SECONDS = 300;

/** Logging in and signing up are for those who are not logged in. */
export const visitorsOnly: RequestHandler = (req, res, next) => {
  if (signedInAccount(req) === null) next();
  else res.redirect(303, '/account');
};

export function createGuards({ authenticators, now }: { authenticators: Authenticators; now: () => number }): Guards {
  const pages = { loginUrl: '/login', stepUpUrl: '/login/step-up', now };
  const oneFactor = requireAssurance({ ...pages, factors: 1 });
  const twoFactors = requireAssurance({ ...pages, factors: 2 });
  // Not two fresh factors: whoever shows the app's code again need not type the password again.
  const freshSecondFactor = requireAssurance({ ...pages, factors: 1, except: ['pwd'], maxAgeSeconds: FRESH_SECONDS });

  const whereEnrolled = (guard: RequestHandler): RequestHandler => async (req, res, next) => {
    const account = signedInAccount(req);
    const isEnrolled = account !== null && (await authenticators.has(account.id));
    return (isEnrolled ? guard : oneFactor)(req, res, next);
  };

  const signedIn = whereEnrolled(twoFactors);
  return { signedIn, fresh: [signedIn, whereEnrolled(freshSecondFactor)] };
}

/** Behind a guard somebody is logged in. */
export function accountOf(req: Request): Account {
  const account = signedInAccount(req);
  if (account === null) throw new Error('this route has no guard');
  return account;
}
