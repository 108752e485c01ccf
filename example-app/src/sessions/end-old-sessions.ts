// Ends a session half a day after its login. express-session alone would extend it as long as it is
// used.
import type { RequestHandler } from 'express';
import { findSignedInAccount } from '../login/passport';
import { SESSION_SECONDS } from './session-cookie';

declare module 'express-session' {
  interface SessionData {
    /** Milliseconds since 1970. A step-up does not change it. */
    loggedInAt?: number;
  }
}

/** Mount it after Passport. If the session is too old, the user is logged out. */
export function endOldSessions(now: () => number): RequestHandler {
  return (req, _res, next) => {
    if (findSignedInAccount(req) === null) {
      next();
      return;
    }
    req.session.loggedInAt ??= now();
    if (now() < req.session.loggedInAt + SESSION_SECONDS * 1000) next();
    else req.logout(next);
  };
}
