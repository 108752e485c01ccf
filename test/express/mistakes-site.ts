// A small app as a newcomer writes it, whole or with one mistake. Each app has its own copy of the
// package, so that what is said once for each process is said once for each app.
import type { AddressInfo } from 'node:net';
import express, {
  type Express,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import session from 'express-session';
import { Authenticator } from 'passport';
import { Strategy as LocalStrategy } from 'passport-local';
import type * as Core from '../../lib';
import type * as Login from '../../lib/express';
import { countingHasher } from '../helpers/counting-hasher';
import { Browser, type Answer } from './browser';

export type Package = typeof Core & typeof Login;

/** What an app is made of. A mistake replaces or leaves out one of these. */
export interface AppParts {
  readonly parsers: readonly RequestHandler[];
  readonly cookie: session.CookieOptions;
  readonly readsSession: boolean;
  /** Registers the strategy. */
  readonly register: (app: AppContext) => void;
  /** The handlers of `POST /login`. */
  readonly login: (app: AppContext) => readonly RequestHandler[];
  /** The handlers of `POST /login/backup-code`. */
  readonly code: (app: AppContext) => readonly RequestHandler[];
  /** More routes. */
  readonly routes: (express: Express, app: AppContext) => void;
  readonly service: Partial<Core.BackupCodesOptions>;
}

export interface AppContext {
  readonly passport: ReturnType<typeof makePassport>;
  readonly lib: Package;
  readonly backupCodes: Core.BackupCodes;
  readonly currentUser: (req: Request) => Express.User | null;
}

export interface OpenApp {
  readonly browser: Browser;
  readonly backupCodes: Core.BackupCodes;
  readonly codes: readonly string[];
  /** Sends the password, and then a code, as most tests do. */
  logIn(body?: object): Promise<Answer>;
}

const ada = { id: 'ada' } as Express.User;

/** The app of the quick start. */
const QUICK_START: AppParts = {
  parsers: [express.json()],
  cookie: {},
  readsSession: true,
  register: ({ passport, lib, backupCodes, currentUser }) => {
    passport.use(new lib.BackupCodeStrategy({ backupCodes, currentUser }));
  },
  login: ({ passport, lib }) => [
    passport.authenticate('local', { session: false }) as RequestHandler,
    async (req, res) => {
      await lib.beginLogin(req, req.user);
      res.json({});
    },
  ],
  code: ({ passport, lib }) => [
    passport.authenticate('backup-code', { session: false }) as RequestHandler,
    async (req, res) => {
      res.json(await lib.completeLogin(req));
    },
  ],
  routes: () => undefined,
  service: {},
};

const closings: (() => Promise<void>)[] = [];

export async function shutApps(): Promise<void> {
  await Promise.all(closings.splice(0).map((close) => close()));
}

export async function openApp(change: Partial<AppParts> = {}): Promise<OpenApp> {
  jest.resetModules();
  const lib: Package = {
    ...jest.requireActual<typeof Core>('../../lib'),
    ...jest.requireActual<typeof Login>('../../lib/express'),
  };
  const parts = { ...QUICK_START, ...change };
  const backupCodes = new lib.BackupCodes({
    store: new lib.MemoryStore(),
    hasher: countingHasher(),
    ...parts.service,
  });
  const { codes } = await backupCodes.issue('ada');
  const server = makeApp(parts, { lib, backupCodes }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closings.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const browser = new Browser(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const logIn = async (body: object = { code: codes[0] }): Promise<Answer> => {
    await browser.post('/login', { username: 'ada', password: 'correct' });
    return browser.post('/login/backup-code', body);
  };
  return { browser, backupCodes, codes, logIn };
}

function makePassport() {
  return new Authenticator();
}

function makeApp(
  parts: AppParts,
  { lib, backupCodes }: Pick<AppContext, 'lib' | 'backupCodes'>,
): Express {
  const passport = makePassport();
  passport.serializeUser((user, done) => done(null, (user as { id: string }).id));
  passport.deserializeUser((id, done) => done(null, { id }));
  passport.use(new LocalStrategy((_name, _password, done) => done(null, ada)));
  const context: AppContext = {
    passport,
    lib,
    backupCodes,
    currentUser: (req) => (lib.pendingLogin(req) === null ? null : ada),
  };
  parts.register(context);
  const app = express();
  const { cookie } = parts;
  app.use(session({ secret: 'test', resave: false, saveUninitialized: false, cookie }));
  for (const parser of parts.parsers) app.use(parser);
  if (parts.readsSession) app.use(passport.session());
  // The password is always read: a missing parser is about the code.
  app.post('/login', express.json(), ...parts.login(context));
  app.post('/login/backup-code', ...parts.code(context));
  parts.routes(app, context);
  app.get('/app', lib.requireAssurance({ loginUrl: '/login' }), (_req, res) => res.json('in'));
  app.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) next(error);
    else res.status(500).json({ message: error instanceof Error ? error.message : String(error) });
  });
  return app;
}
