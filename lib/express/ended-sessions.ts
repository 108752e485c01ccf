// Keeps a session whose login has ended from coming back. express-session loads a session when a
// request begins and may write it when the request ends. A slow request would write back the login
// that was ended meanwhile, under the id that was replaced.
import type { Request } from 'express';
import { getSession, readPath } from './session';

/** For how long a slow request may still hold the session. */
const KEPT_FOR_MS = 3_600_000;

/** The ids of ended sessions, with the time when they may be forgotten, oldest first. */
type EndedIds = Map<string, number>;

const endedByStore = new WeakMap<object, EndedIds>();

/**
 * Has the store of the session refuse to write it from now on, in this process. Call it right
 * before the session gets a new id.
 */
export function endSessionId(req: Request): void {
  const store: unknown = Reflect.get(req, 'sessionStore');
  const id = readPath(getSession(req), 'id');
  if (typeof store !== 'object' || store === null || typeof id !== 'string') return;
  const ended = endedByStore.get(store) ?? watchStore(store);
  const now = performance.now();
  for (const [old, until] of ended) {
    if (until > now) break;
    ended.delete(old);
  }
  ended.set(id, now + KEPT_FOR_MS);
}

/** Every session of the app goes through `set` of its store: there is no other place to refuse. */
function watchStore(store: object): EndedIds {
  const ended: EndedIds = new Map();
  endedByStore.set(store, ended);
  const write: unknown = Reflect.get(store, 'set');
  if (typeof write !== 'function') return ended;
  Reflect.set(store, 'set', function set(this: unknown, ...args: unknown[]): unknown {
    const [id, , done] = args;
    if (typeof id !== 'string' || !ended.has(id))
      return Reflect.apply(write, this, args) as unknown;
    // The slow request is answered as if its session had been stored.
    if (typeof done === 'function') setImmediate(done as () => void);
    return undefined;
  });
  return ended;
}
