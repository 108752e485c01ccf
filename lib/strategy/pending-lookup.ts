// Which pending login the code of a request is for, so that the same code sent again for it is the
// same consumption. Kept beside the request and not on it: code that logs or serialises a request
// does not find it.
import { userSubject, type UserId } from '../stores/subject';

/** A pending login by its id. */
export interface NamedLogin {
  readonly userId: UserId;
  readonly loginId: string;
}

const namedLogins = new WeakMap<object, NamedLogin>();

export function rememberPendingLogin(req: object, login: NamedLogin): void {
  namedLogins.set(req, login);
}

/** The id of the pending login that was read in this request, if it is that of this user. */
export function findPendingLoginId(req: object, userId: UserId): string | undefined {
  const login = namedLogins.get(req);
  if (login === undefined) return undefined;
  const isOfUser = userSubject(login.userId).userId === userSubject(userId).userId;
  return isOfUser ? login.loginId : undefined;
}
