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
  /** The pending login that the code was for. */
  readonly loginId: string | undefined;
  /** Whether an earlier request consumed the code, for the same pending login. */
  readonly isRepeated: boolean;
  /** Before the code was consumed, in milliseconds of `performance.now()`. */
  readonly startedAt: number;
}

const unfinishedLogins = new WeakMap<object, UnfinishedLogin>();

export function rememberConsumed(req: object, login: UnfinishedLogin): void {
  unfinishedLogins.set(req, login);
}

export function findConsumed(req: object): UnfinishedLogin | null {
  return unfinishedLogins.get(req) ?? null;
}

/** The login succeeded. */
export function forgetConsumed(req: object): void {
  unfinishedLogins.delete(req);
}

/**
 * The login failed. If a code was consumed on this request, one `login_unfinished` event is
 * recorded. If an earlier request consumed it, that request records what became of the login. Never
 * fails: the caller reports why the login failed, and the consumption itself is in the audit trail.
 */
export async function recordUnfinished(req: object): Promise<void> {
  const login = unfinishedLogins.get(req);
  unfinishedLogins.delete(req);
  if (login === undefined || login.isRepeated) return;
  try {
    await login.backupCodes.recordUnfinishedLogin(login.userId, login.code, login.context);
  } catch {
    // See above.
  }
}
