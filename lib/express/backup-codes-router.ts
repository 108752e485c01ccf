// A router for the user's own backup codes, as JSON. It changes nothing before the guard has let
// the request through, and nothing that a page of another origin could have asked for. Codes are in
// the one answer that made them.
import type { Request, RequestHandler, Response } from 'express';
import type { Context } from '../audit/context';
import { asError } from '../errors';
import { logDecision } from '../internal/decision-log';
import { assertResponseUnsent } from '../internal/response-sent';
import { assertMethods, assertOptions, optionalFunction } from '../internal/validate';
import type { UserId } from '../stores/subject';
import { requestContext } from '../strategy/request-context';
import { continueAfter, withLoggedError } from './guard';
import { readJsonBody } from './json-body';
import { checkUserId } from './login-options';
import { getUser } from './passport-login';
import { readPath } from './session';
import { checkOrigins, isFromElsewhere } from './request-origin';
import { warnOfMissingUser } from './session-mistakes';
import { answerBusy, refuse, sendAnswer, type RouterAnswer } from './router-answers';
import { chooseGuard } from './router-guard';
import { findRoutes, getStatus, type Route, type RouteRequest } from './router-routes';

const NAME = 'backupCodesRouter';

/** Whose codes they are, and what guards them. */
export interface BackupCodesRouterOptions {
  /** The service, or anything that has these methods. */
  readonly backupCodes: RouteRequest['backupCodes'];
  /**
   * Returns the id of the user whose codes they are, or a promise of it: a string of 1 to 255
   * characters, a safe integer or a bigint. `null` or `undefined` if no user is logged in.
   * @default (req) => req.user.id
   */
  readonly userId?: (
    req: Request,
  ) => UserId | null | undefined | Promise<UserId | null | undefined>;
  /**
   * A middleware that runs before every change, and answers the request itself if it does not let
   * it through. Check CSRF tokens here if your app does not check them everywhere.
   * @default both factors within five minutes: `requireAssurance({ factors: 2, maxAgeSeconds: 300
   * })`. While the user has no set, one factor is enough: the second one if this login showed two
   */
  readonly guard?: RequestHandler;
  /**
   * Returns what audit events record about the request.
   * @default the address, the user agent and `req.id`
   */
  readonly context?: (req: Request) => Context;
  /**
   * Other origins whose pages may change codes, such as a single-page app on a subdomain of its
   * own. The router sends no CORS headers: the app answers the preflight, with credentials, for the
   * same origins. Only a request with a cookie is checked, or one that a browser adds another login
   * to, such as `Authorization: Basic`. A bearer token needs no entry.
   * @default []: pages of this origin only
   * @throws {BackupCodeError} `invalid_option` if it is not an array of origins, each as a browser
   * sends it in the header `Origin`: without a path, and without a slash at its end
   * @example
   * ```ts
   * app.use('/codes', backupCodesRouter({ backupCodes, origins: ['https://app.example.com'] }));
   * ```
   */
  readonly origins?: readonly string[];
}

/**
 * Makes the routes `GET /`, `POST /`, `POST /stage`, `POST /activate` and `DELETE /`. Mount them
 * behind the session and Passport. `backupCodesOpenApi` describes them. Unexpected errors go to the
 * error handling of the app.
 *
 * This is one handler and not an `express.Router`, so it loads no Express: the app's own, 4 or 5,
 * is the only one.
 *
 * @example
 * ```ts
 * app.use('/account/backup-codes', backupCodesRouter({ backupCodes }));
 * ```
 *
 * @throws {BackupCodeError} `invalid_option`, when the router is made. When it runs it passes
 *   `invalid_user_id`, `session_unavailable`, `response_sent` and the errors of `backupCodes` to
 *   `next`
 */
export function backupCodesRouter(options: BackupCodesRouterOptions): RequestHandler {
  assertOptions(NAME, options, ['backupCodes', 'userId', 'guard', 'context', 'origins']);
  const { backupCodes } = options;
  assertMethods('backupCodes', backupCodes, ['status', 'issue', 'stage', 'activate', 'revoke']);
  const findUserId = optionalFunction('userId', options.userId) ?? passportUserId;
  const guard = optionalFunction('guard', options.guard);
  const origins = checkOrigins(options.origins);
  const contextOf = optionalFunction('context', options.context) ?? requestContext;

  /**
   * The order matters. The form of the request is checked before its user, and the body is read
   * last: not a byte of it is read for a user whom the guard stops.
   */
  async function decide(
    req: Request,
    res: Response,
    routes: ReadonlyMap<string, Route>,
  ): Promise<RouterAnswer> {
    const route = routes.get(req.method);
    if (route === undefined) {
      return { ...refuse('method_not_allowed'), headers: { Allow: [...routes.keys()].join(', ') } };
    }
    const isChange = route !== getStatus;
    if (isChange && isFromElsewhere(req, origins)) return refuse('cross_site_request');
    if (isChange && !isJson(req)) return refuse('unsupported_media_type');
    const userId = await findUserId(req);
    if (userId === null || userId === undefined) {
      // RFC 9110, section 15.5.2, requires a challenge. RFC 6750, section 3.1, wants no error code
      // in it if the client did not try to log in.
      return { ...refuse('login_required'), headers: { 'WWW-Authenticate': 'Bearer' } };
    }
    if (isChange) {
      await runGuard(guard ?? (await chooseGuard(req, { backupCodes, userId })), req, res);
    }
    const body = isChange ? await readJsonBody(req) : {};
    if (typeof body === 'string') return refuse(body);
    // A time-out, or a guard that forgot to return, has answered: nothing may change any more.
    assertResponseUnsent(res);
    return route({ backupCodes, userId, context: contextOf(req), body });
  }

  return function backupCodesRouterHandler(req, res, next): void {
    const routes = findRoutes(req.path);
    if (routes === undefined) {
      next();
      return;
    }
    continueAfter(answer(req, res, routes), next);
  };

  /** Resolves to false: the request is answered. */
  async function answer(
    req: Request,
    res: Response,
    routes: ReadonlyMap<string, Route>,
  ): Promise<false> {
    assertResponseUnsent(res);
    res.set('Cache-Control', 'no-store');
    const decided = await withLoggedError(NAME, decide(req, res, routes).catch(answerBusy));
    logDecision(NAME, `${req.method} ${decided.status}`);
    assertResponseUnsent(res);
    sendAnswer(res, decided);
    return false;
  }
}

function isJson(req: Request): boolean {
  return /^application\/json\s*(?:;|$)/i.test(req.headers['content-type'] ?? '');
}

/**
 * Resolves once if the guard lets the request through, however often it calls `next`. Rejects with
 * what it throws or gives to `next`. Stays pending if the guard answers the request itself.
 */
function runGuard(guard: RequestHandler, req: Request, res: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (given?: unknown): void => (given ? reject(asError(given)) : resolve());
    // An asynchronous guard may reject, which Express 4 does not see.
    Promise.resolve(guard(req, res, next)).catch((thrown: unknown) => reject(asError(thrown)));
  });
}

function passportUserId(req: Request): UserId | null {
  const user = getUser(req);
  if (user === null) warnOfMissingUser(req);
  return user === null ? null : checkUserId(readPath(user, 'id'), 'userId: (req) => ...');
}
