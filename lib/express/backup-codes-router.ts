// A router for a person's own backup codes, as JSON: status, issue, stage, activate, revoke. Changes nothing before the guard has let the
// request on, nothing that another site could have asked for, and shows codes in the one answer that made them.
import type { Request, RequestHandler, Response } from 'express';
import type { BackupCodes } from '../service/backup-codes';
import type { Context } from '../audit/context';
import { asError, BackupCodeError } from '../errors';
import { assertMethods, assertOptions, describe, optionalFunction } from '../internal/validate';
import { requestContext } from '../strategy/request-context';
import type { UserId } from '../stores/subject';
import { requireAssurance } from './require-assurance';
import { isUserId } from './login-options';
import { readJsonBody } from './json-body';
import { dig, userOf } from './session';

/** Whose codes, behind which guard. */
export interface BackupCodesRouterOptions {
  readonly backupCodes: Pick<BackupCodes, 'status' | 'issue' | 'stage' | 'activate' | 'revoke'>;
  /** Whose codes; `null` or `undefined` where nobody is logged in. May be asynchronous. Default `req.user.id`. */
  readonly userId?: (
    req: Request,
  ) => UserId | null | undefined | Promise<UserId | null | undefined>;
  /**
   * Runs before every change, and answers where it does not let the request on. Default
   * `requireAssurance({ factors: 2, maxAgeSeconds: 300 })`: both factors shown within five minutes. Put CSRF tokens here, if your app
   * has them.
   */
  readonly guard?: RequestHandler;
  /** What audit events tell of the request. Default: address, user agent and `req.id`. */
  readonly context?: (req: Request) => Context;
}

/** Stable words in the `code` of an answer that refuses. The guard has its own: `insufficient_user_authentication`, by default. */
export type RouterErrorCode = keyof typeof REFUSALS;

/** Decided, but not yet sent. */
interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a route is given: a request that may be answered. */
interface Call {
  readonly backupCodes: BackupCodesRouterOptions['backupCodes'];
  readonly userId: UserId;
  readonly context: Context;
  /** Empty where nothing is changed. */
  readonly body: object;
}

type Route = (call: Call) => Promise<Answer>;

/** `BackupCodes` waits as long for its turn before it says that it is busy. */
const RETRY_AFTER_SECONDS = 5;

const REFUSALS = {
  invalid_body: [400, 'The body must be a JSON object; {} where there is nothing to say.'],
  login_required: [401, 'Please sign in first.'],
  cross_site_request: [403, 'This can only be asked for by a page of this origin.'],
  method_not_allowed: [405, 'This method does nothing here.'],
  not_staged: [409, 'There is no staged set of this id, or not any more: make a new one.'],
  body_too_large: [413, 'The body is too large.'],
  unsupported_media_type: [415, 'The body must be sent as application/json.'],
  busy: [503, 'The service is busy. Please try again in a few seconds.'],
} as const satisfies Readonly<Record<string, readonly [status: number, message: string]>>;

const getStatus: Route = async ({ backupCodes, userId }) => ({
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

/** A second click, or one after an answer that was lost, finds the set working and hears the same as the first. */
const activate: Route = async ({ backupCodes, userId, context, body }) => {
  const setId: unknown = Object.hasOwn(body, 'setId') ? Reflect.get(body, 'setId') : undefined;
  if (typeof setId !== 'string')
    return refusal(
      'invalid_body',
      'The body must be { "setId": … }, with the id of the set that was staged.',
    );
  const isWorking =
    (await backupCodes.activate(userId, setId, context)) ||
    (await backupCodes.status(userId))?.setId === setId;
  return isWorking ? { status: 200, body: { setId } } : refusal('not_staged');
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

/**
 * The routes `GET /`, `POST /`, `POST /stage`, `POST /activate` and `DELETE /`, for `app.use('/account/backup-codes', …)` behind the
 * session and Passport. `backupCodesOpenApi` describes them. What is unexpected goes to the error handling of the app.
 *
 * It is one handler and no `express.Router`, so that this folder loads no Express: the app's own, 4 or 5, is the only one.
 *
 * @throws {BackupCodeError} `invalid_option`, when the router is made
 */
export function backupCodesRouter(options: BackupCodesRouterOptions): RequestHandler {
  assertOptions('backupCodesRouter', options, ['backupCodes', 'userId', 'guard', 'context']);
  const { backupCodes } = options;
  assertMethods('backupCodes', backupCodes, ['status', 'issue', 'stage', 'activate', 'revoke']);
  const userIdOf = optionalFunction('userId', options.userId) ?? passportUserId;
  const guard =
    optionalFunction('guard', options.guard) ??
    requireAssurance({ factors: 2, maxAgeSeconds: 300 });
  const contextOf = optionalFunction('context', options.context) ?? requestContext;

  /** What is wrong with the request comes before who sent it; the body is read last, and of nobody whom the guard stops. */
  async function decide(
    req: Request,
    res: Response,
    routes: ReadonlyMap<string, Route>,
  ): Promise<Answer> {
    const route = routes.get(req.method);
    if (route === undefined)
      return {
        ...refusal('method_not_allowed'),
        headers: { Allow: [...routes.keys()].join(', ') },
      };
    const isChange = route !== getStatus;
    if (isChange && isFromElsewhere(req)) return refusal('cross_site_request');
    if (isChange && !isJson(req)) return refusal('unsupported_media_type');
    const userId = await userIdOf(req);
    // RFC 9110, section 15.5.2, wants a challenge; RFC 6750, section 3.1, no error code where nobody tried to log in.
    if (userId === null || userId === undefined)
      return { ...refusal('login_required'), headers: { 'WWW-Authenticate': 'Bearer' } };
    if (isChange) await pass(guard, req, res);
    const body = isChange ? await readJsonBody(req) : {};
    return typeof body === 'string'
      ? refusal(body)
      : route({ backupCodes, userId, context: contextOf(req), body });
  }

  return function backupCodesRouterHandler(req, res, next): void {
    const routes = ROUTES.get(req.path.replace(/(?<=.)\/$/, ''));
    if (routes === undefined) {
      next();
      return;
    }
    res.set('Cache-Control', 'no-store');
    decide(req, res, routes)
      .catch(busyAnswer)
      .then(
        (answer) => send(res, answer),
        (thrown: unknown) => next(asError(thrown)),
      );
  };
}

/** Not by `res.json`: its ETag would be a quick hash of the codes, in a header that logs may keep. */
function send(res: Response, { status, body, headers = {} }: Answer): void {
  res
    .status(status)
    .set({ ...headers, 'Content-Type': 'application/json; charset=utf-8' })
    .end(JSON.stringify(body));
}

function refusal(code: RouterErrorCode, message?: string): Answer {
  const [status, usualMessage] = REFUSALS[code];
  return { status, body: { code, message: message ?? usualMessage } };
}

function busyAnswer(thrown: unknown): Answer {
  if (dig(thrown, 'name') !== 'BackupCodeError' || dig(thrown, 'code') !== 'busy')
    throw asError(thrown);
  const { status, body } = refusal('busy');
  return {
    status,
    body: { ...body, retryAfterSeconds: RETRY_AFTER_SECONDS },
    headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
  };
}

/**
 * Whether a browser says that no page of this origin asks. `none`, an address typed or a bookmark, is refused too: none of these makes
 * such a request. Browsers that say nothing are held off by the content type, for which another site must ask first (and is not answered).
 */
function isFromElsewhere(req: Request): boolean {
  const site = req.headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin';
}

function isJson(req: Request): boolean {
  return /^application\/json\s*(?:;|$)/i.test(req.headers['content-type'] ?? '');
}

/**
 * Resolves where the guard lets the request on, once however often it says so; rejects with what it gave `next` or threw. Where it
 * answers by itself nothing more happens here.
 */
function pass(guard: RequestHandler, req: Request, res: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (given?: unknown): void => (given ? reject(asError(given)) : resolve());
    // An asynchronous guard may reject, which Express 4 would not see.
    Promise.resolve(guard(req, res, next)).catch((thrown: unknown) => reject(asError(thrown)));
  });
}

function passportUserId(req: Request): UserId | null {
  const user = userOf(req);
  if (user === null) return null;
  const id = dig(user, 'id');
  if (isUserId(id)) return id;
  throw new BackupCodeError(
    'invalid_user_id',
    `req.user.id must be a string of 1 to 255 characters, a safe integer or a bigint, but was ${describe(id)}. Where the id is elsewhere, say so: userId: (req) => ...`,
  );
}
