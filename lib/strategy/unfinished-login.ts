// Which code was consumed on a request, so that a login that fails afterwards is in the audit
// trail. Kept beside the request and not on it: code that logs or serialises a request does not
// find it.
import type { Context } from '../audit/context';
import type { BackupCodes, ConsumedCode } from '../service/backup-codes';
import type { UserId } from '../stores/subject';

/** A login after a code was consumed, as the audit trail records it if the login fails. */
export interface UnfinishedLogin {
  readonly backupCodes: BackupCodes;
  readonly userId: UserId;
  readonly code: ConsumedCode;
  readonly context: Context;
}

const unfinishedLogins = new WeakMap<object, UnfinishedLogin>();

export function rememberConsumed(req: object, login: UnfinishedLogin): void {
  unfinishedLogins.set(req, login);
}

/** The login succeeded. */
export function forgetConsumed(req: object): void {
  unfinishedLogins.delete(req);
}

/**
 * The login failed. If a code was consumed on this request, one `login_unfinished` event is
 * recorded. Never fails: the caller reports why the login failed, and the consumption itself is in
 * the audit trail.
 */
export async function recordUnfinished(req: object): Promise<void> {
  const login = unfinishedLogins.get(req);
  unfinishedLogins.delete(req);
  try {
    await login?.backupCodes.recordUnfinishedLogin(login.userId, login.code, login.context);
  } catch {
    // See above.
  }
}
