// The five things that `backupCodesRouter` does with the codes of one user.
import type { Context } from '../audit/context';
import type { BackupCodes } from '../service/backup-codes';
import type { UserId } from '../stores/subject';
import { refuse, type RouterAnswer } from './router-answers';

/** A request that passed every check. */
export interface RouteRequest {
  readonly backupCodes: Pick<BackupCodes, 'status' | 'issue' | 'stage' | 'activate' | 'revoke'>;
  readonly userId: UserId;
  readonly context: Context;
  /** The JSON object that was sent; empty for a request that changes nothing. */
  readonly body: object;
}

/** Does what was asked, and returns the answer. */
export type Route = (request: RouteRequest) => Promise<RouterAnswer>;

/** The only route that changes nothing. */
export const getStatus: Route = async ({ backupCodes, userId }) => ({
  status: 200,
  body: { set: await backupCodes.status(userId) },
});

const issue: Route = async ({ backupCodes, userId, context }) => ({
  status: 201,
  body: await backupCodes.issue(userId, context),
});

const stage: Route = async ({ backupCodes, userId, context }) => ({
  status: 201,
  body: await backupCodes.stage(userId, context),
});

const revoke: Route = async ({ backupCodes, userId, context }) => ({
  status: 200,
  body: { revoked: await backupCodes.revoke(userId, context) },
});

/**
 * A second click, or a repeat after a lost answer, finds the set activated and gets the same answer
 * as the first.
 */
const activate: Route = async ({ backupCodes, userId, context, body }) => {
  const setId: unknown = Object.hasOwn(body, 'setId') ? Reflect.get(body, 'setId') : undefined;
  if (typeof setId !== 'string') {
    return refuse('invalid_body', 'The body must be { "setId": … }, with the id of a staged set.');
  }
  const isActive =
    (await backupCodes.activate(userId, setId, context)) ||
    (await backupCodes.status(userId))?.setId === setId;
  return isActive ? { status: 200, body: { setId } } : refuse('not_staged');
};

const ROUTES: ReadonlyMap<string, ReadonlyMap<string, Route>> = new Map([
  [
    '/',
    new Map([
      ['GET', getStatus],
      ['HEAD', getStatus],
      ['POST', issue],
      ['DELETE', revoke],
    ]),
  ],
  ['/stage', new Map([['POST', stage]])],
  ['/activate', new Map([['POST', activate]])],
]);

/** Returns the routes of a path by method, or `undefined`. A slash at the end changes nothing. */
export function findRoutes(path: string): ReadonlyMap<string, Route> | undefined {
  return ROUTES.get(path.replace(/(?<=.)\/$/, ''));
}
