// A small site on real Express, Passport and express-session. Its factors are stand-ins: the code
// "valid" is valid. These tests are about what becomes of a login, not about codes.
import type { AddressInfo } from 'node:net';
import type { Express, NextFunction, Request, Response } from 'express';
import express5 from 'express';
import session from 'express-session';
import { Authenticator } from 'passport';
import { Strategy } from 'passport-strategy';
import {
  beginLogin,
  completeLogin,
  pendingLogin,
  type BeginLoginOptions,
  type CompleteLoginOptions,
} from '../../lib/express';
import { BackupCodeError } from '../../lib/errors';
import type { UserId } from '../../lib/stores/subject';
import { Browser } from './browser';
import { FaultySessionStore } from './faulty-session-store';

export const express4 = jest.requireActual<typeof express5>('express4');
export { express5 };

/** The `Accept` header of a browser that opens a page. */
export const HTML = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
};

export interface SiteUser {
  readonly id: UserId;
}

/**
 * Accepts the code "valid" for the user of the pending login, or for the user who is logged in. A
 * request may name another user in `asUser`.
 */
class StandInStrategy extends Strategy {
  readonly site: LoginSite;
  readonly info: object;

  constructor(site: LoginSite, info: object) {
    super();
    this.site = site;
    this.info = info;
  }

  override authenticate(req: Request): void {
    const { code = '' } = req.body as { code?: string };
    const user = this.userOf(req);
    this.site.beforeAnswer(code).then(
      () => {
        if (code === 'valid' && user) this.success(user, this.info);
        else this.fail(401);
      },
      (error: unknown) => this.error(error as Error),
    );
  }

  private userOf(req: Request): Express.User | undefined {
    const { asUser } = req.body as { asUser?: string };
    if (asUser !== undefined) return this.site.users[asUser];
    const pending = pendingLogin(req, { now: this.site.now });
    return pending ? this.site.userById(pending.userId) : req.user;
  }
}

export interface LoginSiteOptions {
  readonly express?: typeof express5;
  readonly userProperty?: string;
  readonly begin?: Partial<BeginLoginOptions>;
  readonly complete?: CompleteLoginOptions;
  readonly sessionOptions?: Partial<session.SessionOptions>;
  /** Replaces express-session. */
  readonly sessions?: (req: Request, res: Response, next: NextFunction) => void;
  readonly routes?: (app: Express, site: LoginSite) => void;
}

export class LoginSite {
  readonly users: Record<string, SiteUser> = {
    ada: { id: 'ada' },
    bob: { id: 'bob' },
    seven: { id: 7 },
    zero: { id: 0 },
    big: { id: 12345678901234567890n },
    withoutId: {} as SiteUser,
  };
  readonly store = new FaultySessionStore();
  readonly passport = new Authenticator();
  readonly serialize = { fails: false };
  clock = Date.UTC(2026, 10, 21);
  readonly now = (): number => this.clock;
  /** What a strategy waits for before it answers, by the code it was given. */
  beforeAnswer: (code: string) => Promise<void> = () => Promise.resolve();
  #origin = '';
  #trustProxy: () => void = () => undefined;
  #close: () => Promise<void> = () => Promise.resolve();

  static async open(options: LoginSiteOptions = {}): Promise<LoginSite> {
    const site = new LoginSite();
    const server = site.#app(options).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    site.#origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    site.#close = () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    return site;
  }

  shut(): Promise<void> {
    return this.#close();
  }

  browser(): Browser {
    return new Browser(this.#origin);
  }

  userById(id: unknown): SiteUser | undefined {
    return Object.values(this.users).find((user) => String(user.id) === String(id));
  }

  /** Express believes the headers X-Forwarded-… of every request. */
  trustProxy(): void {
    this.#trustProxy();
  }

  passSeconds(seconds: number): void {
    this.clock += seconds * 1000;
  }

  #app(options: LoginSiteOptions): Express {
    const { express = express5, userProperty = 'user' } = options;
    const app = express();
    this.#trustProxy = () => app.set('trust proxy', true);
    app.use(options.sessions ?? this.#sessions(options));
    app.use(express.json());
    this.#configurePassport();
    app.use(this.passport.initialize({ userProperty }));
    app.use(this.passport.session());
    this.#addLogin(app, options);
    app.post('/note', (req, res) => {
      Reflect.set(req.session, 'note', (req.body as { note: unknown }).note);
      res.json({});
    });
    app.get('/whoami', (req, res) => res.json(this.#whoami(req, userProperty)));
    options.routes?.(app, this);
    app.use((error: unknown, req: Request, res: Response, next: NextFunction) => {
      if (res.headersSent) next(error);
      else res.status(500).json({ ...describeError(error), user: userOf(req, userProperty) });
    });
    return app;
  }

  #sessions({ sessionOptions }: LoginSiteOptions): ReturnType<typeof session> {
    return session({
      secret: 'test',
      resave: false,
      saveUninitialized: false,
      store: this.store,
      ...sessionOptions,
    });
  }

  #configurePassport(): void {
    const { passport } = this;
    passport.serializeUser((user, done) =>
      this.serialize.fails
        ? done(new Error('serializeUser failed'))
        : done(null, String((user as SiteUser).id)),
    );
    passport.deserializeUser((id, done) =>
      done(null, (this.userById(id) ?? false) as Express.User),
    );
    passport.use('backup-code', new StandInStrategy(this, { method: 'backup-code', amr: ['otp'] }));
    passport.use('totp', new StandInStrategy(this, { method: 'totp', amr: ['otp'] }));
    passport.use('unnamed', new StandInStrategy(this, {}));
    passport.use('pwd', new StandInStrategy(this, { method: 'pwd', amr: ['pwd'] }));
  }

  #addLogin(app: Express, { begin, complete, userProperty = 'user' }: LoginSiteOptions): void {
    const { passport, now } = this;
    app.post('/login', (req, res, next) => {
      const { user, returnTo } = req.body as { user: string; returnTo?: unknown };
      beginLogin(req, this.users[user], {
        amr: ['pwd'],
        now,
        ...(returnTo === undefined ? {} : { returnTo }),
        ...begin,
      }).then(() => res.json(this.#whoami(req, userProperty)), next);
    });
    for (const strategy of ['backup-code', 'totp', 'unnamed', 'pwd']) {
      app.post(
        `/login/${strategy}`,
        passport.authenticate(strategy, { session: false }),
        (req, res, next) => {
          completeLogin(req, { now, ...complete }).then(
            (done) => res.json({ ...done, ...this.#whoami(req, userProperty) }),
            next,
          );
        },
      );
    }
    app.post('/login/password-only', (req, res, next) => {
      const user = this.users[(req.body as { user: string }).user] as Express.User;
      beginLogin(req, user, { amr: ['pwd'], now })
        .then(() => completeLogin(req, { secondFactor: 'not_enrolled', now }))
        .then((done) => res.json({ ...done, ...this.#whoami(req, userProperty) }), next);
    });
  }

  #whoami(req: Request, userProperty: string): object {
    const pending = pendingLogin(req, { now: this.now });
    const user = userOf(req, userProperty);
    return {
      user: user ? String(user.id) : null,
      isAuthenticated: req.isAuthenticated(),
      pending: pending && {
        ...pending,
        userId: String(pending.userId),
        idType: typeof pending.userId,
      },
      note: Reflect.get(req.session, 'note') ?? null,
    };
  }
}

function userOf(req: Request, userProperty: string): SiteUser | null {
  return (Reflect.get(req, userProperty) as SiteUser | null | undefined) ?? null;
}

function describeError(error: unknown): object {
  return {
    error: error instanceof BackupCodeError ? error.code : undefined,
    message: error instanceof Error ? error.message : String(error),
    cause: error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined,
  };
}
