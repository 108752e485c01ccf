// Real Express and real Passport around a strategy, driven over HTTP. After each test it checks
// that every request was settled once, never by pass(), and that no answer had a challenge.
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { Express, NextFunction, Request, RequestHandler, Response } from 'express';
import express5 from 'express';
import { Authenticator, type AuthenticateOptions } from 'passport';
import type { Strategy } from 'passport-strategy';
import {
  BackupCodes,
  BackupCodeStrategy,
  MemoryStore,
  type AttemptRequest,
  type AttemptResult,
  type BackupCodesOptions,
  type ConsumeRequest,
  type Consumption,
  type GiveBackRequest,
  type Ticket,
  type Verify,
} from '../../lib';
import { userSubject, type Subject } from '../../lib/stores/subject';
import { countingHasher, type CountingHasher } from '../helpers/counting-hasher';

const express4 = jest.requireActual<typeof express5>('express4');

export type ExpressModule = typeof express5;

/** For `describe.each`. */
export const expressVersions: [string, ExpressModule][] = [
  ['Express 4', express4],
  ['Express 5', express5],
];

export interface Person {
  readonly id: string;
}

export const ada: Person = { id: 'ada' };
export const people: Readonly<Record<string, Person>> = { ada, bob: { id: 'bob' } };
export const findUser = (username: string): Person | null =>
  Object.hasOwn(people, username) ? (people[username] ?? null) : null;

/** A service with a counting hasher and a clock that the test sets. */
export interface Service {
  readonly backupCodes: BackupCodes;
  readonly store: MemoryStore;
  readonly hasher: CountingHasher;
  readonly clock: { now: number };
  /** Issues a set, and resets the hash counter. */
  issue(userId?: string): Promise<string[]>;
  /** Attempts counted for the user, on both channels together. */
  countAttempts(userId?: string): Promise<number>;
}

/** Also tells the attempts on recovery, which no method of a store reads. */
class CountingStore extends MemoryStore {
  readonly recoveryAttempts = new Map<string, number>();

  override async takeAttempt(request: AttemptRequest): Promise<AttemptResult> {
    const result = await super.takeAttempt(request);
    if (result.ok) this.#setCount(request.subject, result.ticket, result.ticket.attempt);
    return result;
  }

  override async giveBack(request: GiveBackRequest): Promise<void> {
    await super.giveBack(request);
    this.#setCount(request.subject, request.ticket, request.ticket.attempt - 1);
  }

  override async consume(request: ConsumeRequest): Promise<Consumption> {
    const result = await super.consume(request);
    if (result.outcome === 'consumed' && request.channel === 'recovery') {
      for (const counter of this.recoveryAttempts.keys()) {
        if (counter.startsWith(request.subject.key)) this.recoveryAttempts.delete(counter);
      }
    }
    return result;
  }

  #setCount({ key }: Subject, { channel, network }: Ticket, attempts: number): void {
    if (channel === 'recovery') this.recoveryAttempts.set(`${key} ${network}`, attempts);
  }
}

export function makeService(options: Partial<BackupCodesOptions> = {}): Service {
  const hasher = countingHasher();
  const store = new CountingStore();
  const clock = { now: Date.UTC(2026, 10, 21) };
  const backupCodes = new BackupCodes({ store, hasher, now: () => clock.now, ...options });
  return {
    backupCodes,
    store,
    hasher,
    clock,
    issue: async (userId = 'ada') => {
      const { codes } = await backupCodes.issue(userId);
      hasher.count = 0;
      return codes;
    },
    countAttempts: async (userId = 'ada') => {
      const { key } = userSubject(userId);
      const counts = [...store.recoveryAttempts].filter(([counter]) => counter.startsWith(key));
      const secondFactor = (await store.find(userSubject(userId)))?.secondFactor.attempts ?? 0;
      return counts.reduce((sum, [, attempts]) => sum + attempts, secondFactor);
    },
  };
}

/** An HTTP response with its body. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The text as JSON, or `undefined` if it is not JSON. */
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface TestApp {
  readonly passport: InstanceType<typeof Authenticator>;
  /** The errors that reached Express's error handler. */
  readonly errors: unknown[];
  /** The address of the server. */
  readonly origin: string;
  send(path: string, init?: RequestInit): Promise<Answer>;
  /** As JSON. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** As a plain HTML form. */
  postForm(path: string, body: Record<string, string>): Promise<Answer>;
}

const servers: Server[] = [];
const settlements: string[][] = [];

afterEach(() => {
  const settled = settlements.splice(0);
  expect(settled.filter((actions) => actions.length !== 1 || actions[0] === 'pass')).toEqual([]);
});

afterAll(async () => {
  await Promise.all(
    servers.splice(0).map(
      (server) =>
        new Promise((resolve) => {
          server.close(resolve);
          server.closeAllConnections();
        }),
    ),
  );
});

/** Passport, parsers of JSON and forms, what `mount` adds, and an error handler. */
export async function openTestApp(
  express: ExpressModule,
  mount: (app: Express, host: TestApp) => void,
  {
    userProperty = 'user',
    parsers = [express.json({ limit: '2mb' }), express.urlencoded({ extended: false })],
  }: { userProperty?: string; parsers?: RequestHandler[] } = {},
): Promise<TestApp> {
  const passport = new Authenticator();
  const app = express();
  const server = app.listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const send: TestApp['send'] = async (path, init) => {
    const response = await fetch(origin + path, {
      signal: AbortSignal.timeout(5000),
      redirect: 'manual',
      ...init,
    });
    const text = await response.text();
    expect(response.headers.get('www-authenticate')).toBeNull();
    return { status: response.status, headers: response.headers, text, body: parsed(text) };
  };
  const host: TestApp = {
    passport,
    origin,
    send,
    errors: [],
    post: (path, body, headers) =>
      send(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    postForm: (path, body) => send(path, { method: 'POST', body: new URLSearchParams(body) }),
  };
  for (const parser of parsers) app.use(parser);
  app.use(passport.initialize({ userProperty }));
  mount(app, host);
  app.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
    host.errors.push(error);
    if (res.headersSent) {
      next(error);
      return;
    }
    const { status = 500 } = error as { status?: number };
    res
      .status(status)
      .json({ handledError: error instanceof Error ? error.message : String(error) });
  });
  return host;
}

/** One strategy at two routes: /login as most apps use it, and /callback with a custom callback. */
export async function openLoginApp(
  express: ExpressModule,
  strategy: Strategy,
  {
    user = ada,
    options = {},
    userProperty = 'user',
  }: { user?: Person | null; options?: AuthenticateOptions; userProperty?: string } = {},
): Promise<TestApp> {
  return openTestApp(
    express,
    (app, { passport }) => {
      passport.use('backup-code', watchActions(strategy));
      app.use((req, _res, next) => {
        if (user !== null) Reflect.set(req, userProperty, user);
        next();
      });
      const authenticate = passport.authenticate('backup-code', {
        session: false,
        ...options,
      }) as RequestHandler;
      app.all('/login', authenticate, (req, res) =>
        res.json({ user: Reflect.get(req, userProperty), info: req.authInfo }),
      );
      app.all('/callback', (req, res, next) => {
        const answer = (error: unknown, found: unknown, info: unknown, status: unknown): void => {
          if (error) next(error);
          else res.status(typeof status === 'number' ? status : 200).json({ user: found, info });
        };
        (passport.authenticate('backup-code', answer) as RequestHandler)(req, res, next);
      });
    },
    { userProperty },
  );
}

/** Records by which of Passport's actions each request was settled, and how often. */
export function watchActions<S extends Strategy>(strategy: S): S {
  const authenticate = strategy.authenticate;
  strategy.authenticate = function (this: S, req, options) {
    const actions: string[] = [];
    settlements.push(actions);
    for (const name of ['success', 'fail', 'error', 'pass', 'redirect'] as const) {
      const action = this[name] as (...args: unknown[]) => void;
      Reflect.set(this, name, (...args: unknown[]) => {
        actions.push(name);
        action(...args);
      });
    }
    authenticate.call(this, req, options);
  };
  return strategy;
}

/** A strategy on one of the two channels. */
export function makeStrategy(
  backupCodes: BackupCodes,
  channel: 'second_factor' | 'recovery',
  verify?: Verify<Person>,
): BackupCodeStrategy<Person> {
  const userOption =
    channel === 'recovery'
      ? { findUser }
      : { currentUser: (req: Request) => req.user as Person | undefined };
  return new BackupCodeStrategy<Person>({ ...userOption, backupCodes }, verify);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
