// A code that was sent again for the pending login that it was consumed for. A proxy repeated the
// request, the user clicked twice, or the process that consumed the code died before it answered.
// The login is completed once: by the first request, or by one that claims it later.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request } from 'express';
import { asError, BackupCodeError } from '../errors';
import type { UnfinishedLogin } from '../strategy/unfinished-login';
import { endSessionId } from './ended-sessions';
import { readState, STATE_KEY } from './login-state';
import { getSession, readPath } from './session';

/**
 * For how long the request that consumed the code may complete the login without a claim. Each
 * request measures its own time, so no clocks are compared.
 */
const FIRST_REQUEST_MS = 4000;
/** How long a repeated one waits before it claims. A session store may be behind by the rest. */
const REPEATED_REQUEST_MS = 5000;
const POLL_MS = 100;

/**
 * Waits until the first request has had its time. Its last step removes the pending login from the
 * session store.
 *
 * @throws {BackupCodeError} `no_pending_login`: the first request completed the login
 */
export async function waitForFirstRequest(req: Request): Promise<void> {
  const until = performance.now() + REPEATED_REQUEST_MS;
  for (;;) {
    const isOver = performance.now() >= until;
    if (!(await isStillPending(req))) {
      // With `resave`, this request would write the pending login back when it ends.
      endSessionId(req);
      throw completedBefore();
    }
    if (isOver) return;
    await sleep(POLL_MS);
  }
}

/**
 * Claims the login, unless this is the first request and still has its time. Call it after the
 * session was renewed: a request that waits for this one must not find the pending login any more.
 *
 * @throws {BackupCodeError} `no_pending_login`: another request claimed the login
 */
export async function claimLogin({
  backupCodes,
  userId,
  code,
  context,
  loginId,
  isRepeated,
  startedAt,
}: UnfinishedLogin): Promise<void> {
  if (loginId === undefined) return;
  if (!isRepeated && performance.now() - startedAt < FIRST_REQUEST_MS) return;
  const isClaimed = await backupCodes.resumeLogin(userId, code, { ...context, loginId });
  if (!isClaimed) throw completedBefore();
}

/** Whether the session store still has this pending login. */
async function isStillPending(req: Request): Promise<boolean> {
  const { loginId } = readState(req);
  const stored = await readStoredSession(req);
  return readPath(stored, STATE_KEY, 'loginId') === loginId;
}

function readStoredSession(req: Request): Promise<unknown> {
  const store: unknown = Reflect.get(req, 'sessionStore');
  const get = readPath(store, 'get');
  const id = readPath(getSession(req), 'id');
  // Without a store that can be asked, a repeated code is a spent one.
  if (typeof get !== 'function') return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    get.call(store, id, (error: unknown, session: unknown) => {
      if (error === undefined || error === null) resolve(session);
      // As express-session reads it: a store of files has no such session.
      else if (readPath(error, 'code') === 'ENOENT') resolve(null);
      else reject(asError(error));
    });
  });
}

export function isCompletedBefore(error: unknown): boolean {
  return error instanceof BackupCodeError && error.code === 'no_pending_login';
}

function completedBefore(): BackupCodeError {
  return new BackupCodeError(
    'no_pending_login',
    'The login that this code was consumed for was completed by another request.',
  );
}
