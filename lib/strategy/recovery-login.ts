// Whether a code was accepted on the `recovery` channel in this request. Such a login has no
// pending login that it could complete. Kept beside the request and not on it.

const recoveryLogins = new WeakSet<object>();

export function rememberRecovery(req: object): void {
  recoveryLogins.add(req);
}

export function isRecovery(req: object): boolean {
  return recoveryLogins.has(req);
}
