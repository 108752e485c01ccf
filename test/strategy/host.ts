// Real Express and real Passport around a strategy, driven over HTTP. Watches that every request is settled exactly
// once, that nothing is ever passed through, and that no answer carries a challenge of Passport's.
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
  type BackupCodesOptions,
  type Verify,
} from '../../lib';
import { userSubject } from '../../lib/stores/subject';
import { countingHasher, type CountingHasher } from '../helpers/counting-hasher';

const express4 = jest.requireActual<typeof express5>('express4');

export type ExpressModule = typeof express5;

/** For `describe.each`. */
export const expresses: [string, ExpressModule][] = [
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

/** A service on a counted hash and a clock that stands still. */
export interface Service {
  readonly backupCodes: BackupCodes;
  readonly store: MemoryStore;
  readonly hasher: CountingHasher;
  readonly clock: { now: number };
  /** Issues a set, and forgets what that cost. */
  issue(userId?: string): Promise<string[]>;
  /** Attempts charged to the user, on both channels. */
  charged(userId?: string): Promise<number>;
}

export function service(options: Partial<BackupCodesOptions> = {}): Service {
  const [hasher, store, clock] = [
    countingHasher(),
    new MemoryStore(),
    { now: Date.UTC(2026, 10, 21) },
  ];
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
    charged: async (userId = 'ada') => {
      const channels = (await store.find(userSubject(userId)))?.channels;
      return channels === undefined
        ? 0
        : channels['second_factor'].attempts + channels.recovery.attempts;
    },
  };
}

/** An answer, read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The text as JSON; `undefined` where it is none. */
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface Host {
  readonly passport: InstanceType<typeof Authenticator>;
  /** What reached Express's error handler. */
  readonly errors: unknown[];
  /** Where the server listens. */
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

/** Passport, parsers of JSON and forms, whatever `mount` adds, and an error handler that tells what reached it. */
export async function openHost(
  express: ExpressModule,
  mount: (app: Express, host: Host) => void,
  {
    userProperty = 'user',
    parsers = [express.json({ limit: '2mb' }), express.urlencoded({ extended: false })],
  }: { userProperty?: string; parsers?: RequestHandler[] } = {},
): Promise<Host> {
  const passport = new Authenticator();
  const app = express();
  const server = app.listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const send: Host['send'] = async (path, init) => {
    const response = await fetch(origin + path, {
      signal: AbortSignal.timeout(5000),
      redirect: 'manual',
      ...init,
    });
    const text = await response.text();
    expect(response.headers.get('www-authenticate')).toBeNull();
    return { status: response.status, headers: response.headers, text, body: parsed(text) };
  };
  const host: Host = {
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

/** One strategy at three routes: /login as most use it, /callback with a custom callback, /open with a handler that tells whether it was reached. */
export async function openSite(
  express: ExpressModule,
  strategy: Strategy,
  {
    user = ada,
    options = {},
    userProperty = 'user',
  }: { user?: Person | null; options?: AuthenticateOptions; userProperty?: string } = {},
): Promise<Host> {
  return openHost(
    express,
    (app, { passport }) => {
      passport.use('backup-code', watch(strategy));
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

/** A strategy of which every request is noted: by which of Passport's actions it was settled, and how often. */
export function watch<S extends Strategy>(strategy: S): S {
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

/** The strategy behind a first factor, or with `findUser` alone, over one service. */
export function strategyOf(
  backupCodes: BackupCodes,
  channel: 'second_factor' | 'recovery',
  verify?: Verify<Person>,
): BackupCodeStrategy<Person> {
  const who =
    channel === 'recovery'
      ? { findUser }
      : { currentUser: (req: Request) => req.user as Person | undefined };
  return new BackupCodeStrategy<Person>({ ...who, backupCodes }, verify);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
