// What `pendingLogin` found in this request. The id of the login makes the same code, sent again
// for it, the same consumption. Kept beside the request and not on it: code that logs or serialises
// a request does not find it.
import { userSubject, type UserId } from '../stores/subject';

/** A pending login by its id. */
export interface NamedLogin {
  readonly userId: UserId;
  readonly loginId: string;
}

const namedLogins = new WeakMap<object, NamedLogin>();
const explanations = new WeakMap<object, () => void>();

export function rememberPendingLogin(req: object, login: NamedLogin): void {
  namedLogins.set(req, login);
}

/** @param warn warns of what the integrator probably forgot. Called only if a code was sent */
export function rememberMissingLogin(req: object, warn: () => void): void {
  explanations.set(req, warn);
}

export function hasPendingLogin(req: object): boolean {
  return namedLogins.has(req);
}

/** Returns the warning about the missing login; `undefined` if `pendingLogin` did not miss one. */
export function findExplanation(req: object): (() => void) | undefined {
  return explanations.get(req);
}

/** The id of the pending login that was read in this request, if it is that of this user. */
export function findPendingLoginId(req: object, userId: UserId): string | undefined {
  const login = namedLogins.get(req);
  if (login === undefined) return undefined;
  const isOfUser = userSubject(login.userId).userId === userSubject(userId).userId;
  return isOfUser ? login.loginId : undefined;
}
