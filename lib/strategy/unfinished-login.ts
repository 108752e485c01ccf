// On which request a code was consumed, so that a login that fails afterwards is not lost from the audit trail. Kept beside
// the request and not on it: nothing that logs or serialises a request finds it.

const unfinished = new WeakMap<object, () => Promise<void>>();

/** @param record writes the event, if it comes to that */
export function rememberConsumed(req: object, record: () => Promise<void>): void {
  unfinished.set(req, record);
}

/** The login is made: there is nothing to record any more. */
export function forgetConsumed(req: object): void {
  unfinished.delete(req);
}

/** The login has failed after a code was consumed on this request, if one was. Recorded once; never fails. */
export async function recordUnfinished(req: object): Promise<void> {
  const record = unfinished.get(req);
  unfinished.delete(req);
  try {
    await record?.();
  } catch {
    // What made the login fail is what the caller hears of; the consumption itself is in the trail.
  }
}
