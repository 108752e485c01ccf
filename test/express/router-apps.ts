// The router over HTTP: on a site where people log in, with its own guard, and on a bare app that lets everybody change what is Ada's.
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
import { express4, express5, Site, type Browser } from './login-site';

export const expresses = [
  ['Express 4', express4],
  ['Express 5', express5],
] as const;
export const BASE = '/account/backup-codes';

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface Question {
  /** As JSON, unless it is text already. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks the router, as JSON where there is a body. `at` is such as `POST /stage`. */
export async function ask(
  { origin, cookie }: Pick<Browser, 'origin' | 'cookie'>,
  at: string,
  { body, headers }: Question = {},
): Promise<Told> {
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

/** Where people log in with a password, and with a real code after it. */
export interface CodeSite extends Service {
  readonly site: Site;
  /** Ada, who has just shown a password and a TOTP. */
  loggedIn(name?: string): Promise<Browser>;
  /** Somebody who has shown both, but six minutes ago. */
  stale(): Promise<Browser>;
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
  const site = await Site.open({
    express,
    routes: (app, { passport, people, now }) => {
      passport.use(
        'code',
        new BackupCodeStrategy({
          backupCodes,
          currentUser: (req) => people[String(pendingLogin(req, { now })?.userId)],
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
    expect((await browser.post('/login/totp', { code: 'right' })).status).toBe(200);
    return browser;
  };
  // The guard of the router goes by the clock of the machine.
  site.clock = Date.now();
  return {
    ...service,
    site,
    loggedIn: (name = 'ada') => logIn(name),
    stale: async () => {
      site.passSeconds(-360);
      const browser = await logIn('ada');
      site.passSeconds(360);
      return browser;
    },
    shut: () => site.shut(),
  };
}

/** No session and no login: whatever comes is Ada's, and may change it. */
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
  app.use(...(before.length > 0 ? before : [letOn]));
  app.use(
    BASE,
    backupCodesRouter({
      backupCodes: service.backupCodes,
      userId: () => 'ada',
      guard: letOn,
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

export const letOn: RequestHandler = (_req, _res, next) => next();
