// Ends the login of a session.
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import { endSessionId } from './ended-sessions';
import { abandonLogin, hasLogin, removeLogin } from './login-state';
import { setUser } from './passport-login';
import { openSession, regenerateSession, saveSession } from './session';

/**
 * Logs the user of this session out: removes the Passport login, the record of factors and a
 * pending login, and gives the session a new id. Everything else in the session is dropped too.
 * Nothing changes for a visitor without a login.
 *
 * @example
 * ```ts
 * app.post('/logout', async (req, res) => {
 *   await endLogin(req);
 *   res.redirect(303, '/');
 * });
 * ```
 *
 * @throws {BackupCodeError} `session_unavailable`: the session is missing, or its store failed (see
 *   `cause`). This request and its session have no user then, but the store may still hold the old
 *   session
 */
export async function endLogin(req: Request): Promise<void> {
  const session = openSession(req);
  setUser(req, null);
  if (!hasLogin(req)) return;
  try {
    // In two steps: if the store cannot remove the old session, it holds no login any more.
    removeLogin(req, session);
    await saveSession(req);
    endSessionId(req);
    await regenerateSession(req);
  } catch (error) {
    await abandonLogin(req);
    throw new BackupCodeError(
      'session_unavailable',
      'The session could not be ended in its store, so its cookie may still log the user in.',
      { cause: error },
    );
  }
}
