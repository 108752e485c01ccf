// The end of a session: half a day after its login. express-session alone would let it go on for as
// long as it is used.
import type { RequestHandler } from 'express';
import { findSignedInAccount } from '../login/passport';
import { SESSION_SECONDS } from './session-cookie';

declare module 'express-session' {
  interface SessionData {
    /** Milliseconds since 1970. A step-up leaves it as it is. */
    loggedInAt?: number;
  }
}

/** Mounted behind Passport. Whoever's time is over is a visitor from here on. */
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
