// The router over HTTP: on a site where users log in, with the default guard, and on a bare app
// where every request may change Ada's codes.
import type { AddressInfo } from 'node:net';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { BackupCodeStrategy, type BackupCodesOptions } from '../../lib';
import {
  backupCodesRouter,
  completeLogin,
  pendingLogin,
  type BackupCodesRouterOptions,
} from '../../lib/express';
import { openService, type Service } from '../helpers/service';
import { memory } from '../helpers/stores';
import type { Browser } from './browser';
import { express4, express5, LoginSite } from './login-site';

export const expresses = [
  ['Express 4', express4],
  ['Express 5', express5],
] as const;
export const BASE = '/account/backup-codes';

export interface RouterAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface RouterRequest {
  /** Sent as JSON, unless it is a string. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a request to the router. `at` is a method and a path, such as `POST /stage`. */
export async function ask(
  { origin, cookie }: Pick<Browser, 'origin' | 'cookie'>,
  at: string,
  { body, headers }: RouterRequest = {},
): Promise<RouterAnswer> {
  const [method = '', path = ''] = at.split(' ');
  const init: RequestInit = {
    method,
    redirect: 'manual',
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(cookie !== undefined && { cookie }),
      ...headers,
    },
  };
  if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(origin + BASE + (path === '/' ? '' : path), init);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body:
      response.headers.get('content-type')?.includes('json') && text !== ''
        ? JSON.parse(text)
        : undefined,
  };
}

/** A site where users log in with a password and a real code. */
export interface CodeSite extends Service {
  readonly site: LoginSite;
  /** A browser of a user, Ada by default, who has just shown a password and a TOTP. */
  loggedIn(name?: string): Promise<Browser>;
  /** A browser of Ada, who has shown both six minutes ago. */
  loggedInSixMinutesAgo(): Promise<Browser>;
  shut(): Promise<void>;
}

export async function openCodeSite(
  express: typeof express5,
  options: {
    service?: Partial<BackupCodesOptions>;
    router?: Partial<BackupCodesRouterOptions>;
  } = {},
): Promise<CodeSite> {
  const service = await openService(memory.open, options.service);
  const { backupCodes } = service;
  const site = await LoginSite.open({
    express,
    routes: (app, { passport, users, now }) => {
      passport.use(
        'code',
        new BackupCodeStrategy({
          backupCodes,
          currentUser: (req) => users[String(pendingLogin(req, { now })?.userId)],
        }),
      );
      app.post(
        '/login/code',
        passport.authenticate('code', { session: false }) as RequestHandler,
        (req, res, next) => {
          completeLogin(req, { now }).then((done) => res.json(done), next);
        },
      );
      app.use(BASE, backupCodesRouter({ backupCodes, ...options.router }));
    },
  });
  const logIn = async (name: string): Promise<Browser> => {
    const browser = site.browser();
    await browser.post('/login', { user: name });
    expect((await browser.post('/login/totp', { code: 'valid' })).status).toBe(200);
    return browser;
  };
  // The guard of the router uses the clock of the machine.
  site.clock = Date.now();
  return {
    ...service,
    site,
    loggedIn: (name = 'ada') => logIn(name),
    loggedInSixMinutesAgo: async () => {
      site.passSeconds(-360);
      const browser = await logIn('ada');
      site.passSeconds(360);
      return browser;
    },
    shut: () => site.shut(),
  };
}

/** An app without sessions: every request is Ada's and may change her codes. */
export interface BareApp extends Service {
  readonly origin: string;
  shut(): Promise<void>;
}

export interface BareOptions {
  readonly before?: readonly RequestHandler[];
  readonly router?: Partial<BackupCodesRouterOptions>;
  readonly service?: Partial<BackupCodesOptions>;
}

export async function openBareApp(
  express: typeof express5,
  { before = [], router, service: serviceOptions }: BareOptions = {},
): Promise<BareApp> {
  const service = await openService(memory.open, serviceOptions);
  const app = express();
  app.use(...(before.length > 0 ? before : [letThrough]));
  app.use(
    BASE,
    backupCodesRouter({
      backupCodes: service.backupCodes,
      userId: () => 'ada',
      guard: letThrough,
      ...router,
    }),
  );
  const answerError: ErrorRequestHandler = (
    error: Error & { status?: number },
    _req,
    res,
    next,
  ) => {
    if (res.headersSent) next(error);
    else res.status(error.status ?? 500).json({ error: error.message });
  };
  app.use(answerError);
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    ...service,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    shut: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const letThrough: RequestHandler = (_req, _res, next) => next();
