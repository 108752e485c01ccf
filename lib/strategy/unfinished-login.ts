// Which code was consumed on a request, so that a login that fails afterwards is in the audit
// trail. Kept beside the request and not on it: code that logs or serialises a request does not
// find it.
import type { Context } from '../audit/context';
import type { BackupCodes } from '../service/backup-codes';
import type { UserId } from '../stores/subject';

/** What the audit trail needs to know of a consumed code. */
export interface ConsumedCode {
  readonly backupCodes: BackupCodes;
  readonly userId: UserId;
  readonly code: { readonly setId: string; readonly codeId: string };
  readonly context: Context;
}

const consumedCodes = new WeakMap<object, ConsumedCode>();

export function rememberConsumed(req: object, consumed: ConsumedCode): void {
  consumedCodes.set(req, consumed);
}

/** The login succeeded. */
export function forgetConsumed(req: object): void {
  consumedCodes.delete(req);
}

/**
 * The login failed. If a code was consumed on this request, one `login_unfinished` event is
 * recorded. Never fails: the caller reports why the login failed, and the consumption itself is in
 * the audit trail.
 */
export async function recordUnfinished(req: object): Promise<void> {
  const consumed = consumedCodes.get(req);
  consumedCodes.delete(req);
  try {
    await consumed?.backupCodes.recordUnfinishedLogin(
      consumed.userId,
      consumed.code,
      consumed.context,
    );
  } catch {
    // See above.
  }
}
