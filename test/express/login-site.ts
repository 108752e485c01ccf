// A small site on real Express, Passport and express-session, and browsers that visit it. Factors are stand-ins: what is
// tested here is what becomes of a login, not whether a code was right.
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

export const express4 = jest.requireActual<typeof express5>('express4');
export { express5 };

export interface Person {
  readonly id: UserId;
}

/** A MemoryStore whose nth write from now on can be made to fail. */
export class FaultyStore extends session.MemoryStore {
  private writesUntilFault = Infinity;

  failAtWrite(n: number): void {
    this.writesUntilFault = n;
  }

  /** Whether a fault was reached; and no more of them. */
  recover(): boolean {
    const wasReached = this.writesUntilFault <= 0;
    this.writesUntilFault = Infinity;
    return wasReached;
  }

  private isFaulty(): boolean {
    this.writesUntilFault -= 1;
    return this.writesUntilFault === 0;
  }

  override set(sid: string, data: session.SessionData, done?: (error?: unknown) => void): void {
    if (this.isFaulty()) setImmediate(() => done?.(new Error('the store is down')));
    else super.set(sid, data, done);
  }

  override destroy(sid: string, done?: (error?: unknown) => void): void {
    if (this.isFaulty()) setImmediate(() => done?.(new Error('the store is down')));
    else super.destroy(sid, done);
  }

  empty(): Promise<void> {
    return new Promise((resolve) => this.clear(() => resolve()));
  }

  /** The ids and contents of all sessions. */
  contents(): Promise<Record<string, session.SessionData & Record<string, unknown>>> {
    return new Promise((resolve) => this.all((_error, all) => resolve({ ...all } as never)));
  }
}

/** Accepts the code "right" of whoever is to be checked: of the pending login, or of the user who is logged in. */
class StandIn extends Strategy {
  constructor(
    private readonly site: Site,
    private readonly info: object,
  ) {
    super();
  }

  override authenticate(req: Request): void {
    const { code, of } = req.body as { code?: string; of?: string };
    const pending = pendingLogin(req, { now: this.site.now });
    const user =
      of === undefined
        ? pending
          ? this.site.userById(pending.userId)
          : req.user
        : this.site.people[of];
    this.site.meanwhile(code ?? '').then(
      () => {
        if (code?.startsWith('right') && user) this.success(user, this.info);
        else this.fail(401);
      },
      (error: unknown) => this.error(error as Error),
    );
  }
}

export interface SiteOptions {
  readonly express?: typeof express5;
  readonly userProperty?: string;
  readonly begin?: Partial<BeginLoginOptions>;
  readonly complete?: CompleteLoginOptions;
  readonly sessionOptions?: Partial<session.SessionOptions>;
  /** Instead of express-session. */
  readonly sessions?: (req: Request, res: Response, next: NextFunction) => void;
  readonly routes?: (app: Express, site: Site) => void;
}

export class Site {
  readonly people: Record<string, Person> = {
    ada: { id: 'ada' },
    bob: { id: 'bob' },
    seven: { id: 7 },
    zero: { id: 0 },
    big: { id: 12345678901234567890n },
    nobody: {} as Person,
  };
  readonly store = new FaultyStore();
  readonly passport = new Authenticator();
  readonly serialize = { fails: false };
  clock = Date.UTC(2026, 10, 21);
  readonly now = (): number => this.clock;
  /** What a strategy waits for before it answers, by the code it was given. */
  meanwhile: (code: string) => Promise<void> = () => Promise.resolve();
  private origin = '';
  private close: () => Promise<void> = () => Promise.resolve();

  static async open(options: SiteOptions = {}): Promise<Site> {
    const site = new Site();
    const server = site.app(options).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    site.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    site.close = () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    return site;
  }

  shut(): Promise<void> {
    return this.close();
  }

  browser(): Browser {
    return new Browser(this.origin);
  }

  userById(id: unknown): Person | undefined {
    return Object.values(this.people).find((person) => String(person.id) === String(id));
  }

  passSeconds(seconds: number): void {
    this.clock += seconds * 1000;
  }

  private app(options: SiteOptions): Express {
    const { express = express5, userProperty = 'user' } = options;
    const { passport, now } = this;
    passport.serializeUser((user, done) =>
      this.serialize.fails
        ? done(new Error('serializeUser failed'))
        : done(null, String((user as Person).id)),
    );
    passport.deserializeUser((id, done) =>
      done(null, (this.userById(id) ?? false) as Express.User),
    );
    passport.use('backup-code', new StandIn(this, { method: 'backup-code', amr: ['otp'] }));
    passport.use('totp', new StandIn(this, { method: 'totp', amr: ['otp'] }));
    passport.use('silent', new StandIn(this, {}));
    passport.use('pwd', new StandIn(this, { method: 'pwd', amr: ['pwd'] }));

    const app = express();
    app.use(
      options.sessions ??
        session({
          secret: 'test',
          resave: false,
          saveUninitialized: false,
          store: this.store,
          ...options.sessionOptions,
        }),
    );
    app.use(express.json());
    app.use(passport.initialize({ userProperty }));
    app.use(passport.session());
    app.post('/login', (req, res, next) => {
      const { user, returnTo } = req.body as { user: string; returnTo?: unknown };
      beginLogin(req, this.people[user] as Express.User, {
        amr: ['pwd'],
        now,
        ...(returnTo === undefined ? {} : { returnTo }),
        ...options.begin,
      }).then(() => res.json(this.whoami(req, userProperty)), next);
    });
    for (const strategy of ['backup-code', 'totp', 'silent', 'pwd']) {
      app.post(
        `/login/${strategy}`,
        passport.authenticate(strategy, { session: false }),
        (req, res, next) => {
          completeLogin(req, { now, ...options.complete }).then(
            (done) => res.json({ ...done, ...this.whoami(req, userProperty) }),
            next,
          );
        },
      );
    }
    app.post('/login/without', (req, res, next) => {
      const user = this.people[(req.body as { user: string }).user] as Express.User;
      const begun = beginLogin(req, user, { amr: ['pwd'], now });
      begun
        .then(() => completeLogin(req, { user, secondFactor: 'not_enrolled', now }))
        .then((done) => res.json({ ...done, ...this.whoami(req, userProperty) }), next);
    });
    app.post('/note', (req, res) => {
      Reflect.set(req.session, 'note', (req.body as { note: unknown }).note);
      res.json({});
    });
    app.get('/whoami', (req, res) => res.json(this.whoami(req, userProperty)));
    options.routes?.(app, this);
    app.use((error: unknown, req: Request, res: Response, next: NextFunction) => {
      if (res.headersSent) {
        next(error);
        return;
      }
      const code = error instanceof BackupCodeError ? error.code : undefined;
      const cause =
        error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined;
      res.status(500).json({
        error: code,
        message: error instanceof Error ? error.message : String(error),
        cause,
        user: Reflect.get(req, userProperty) ?? null,
      });
    });
    return app;
  }

  private whoami(req: Request, userProperty: string): object {
    const pending = pendingLogin(req, { now: this.now });
    const user = Reflect.get(req, userProperty) as Person | null | undefined;
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

/** An answer, with its body read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReturnType<typeof JSON.parse>;
}

/** Keeps one cookie, as a browser does, and follows no redirect. */
export class Browser {
  constructor(
    readonly origin: string,
    public cookie?: string,
  ) {}

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.fetch(path, { method: 'GET', headers });
  }

  post(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.fetch(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  /** Another one that was handed this one's cookie: a second tab, or a thief. */
  copy(): Browser {
    return new Browser(this.origin, this.cookie);
  }

  private async fetch(
    path: string,
    init: { method: string; body?: string; headers: Record<string, string> },
  ): Promise<Answer> {
    const headers = {
      ...init.headers,
      ...(this.cookie === undefined ? {} : { cookie: this.cookie }),
    };
    const response = await fetch(this.origin + path, { ...init, headers, redirect: 'manual' });
    const [cookie] = response.headers.getSetCookie();
    if (cookie !== undefined) this.cookie = cookie.split(';')[0];
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text,
    };
  }
}
