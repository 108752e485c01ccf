// The canary on the web: no code is in what Passport, verify, sessions, error pages and clients get
// from the strategy.
import type { RequestHandler } from 'express';
import session, { MemoryStore as SessionStore } from 'express-session';
import { BackupCodeStrategy, formats, type BackupCodesOptions } from '../../lib';
import { Canary, printed } from '../helpers/canary';
import {
  makeService,
  ada,
  expressVersions,
  findUser,
  openTestApp,
  type ExpressModule,
  type TestApp,
  type Person,
  type Service,
} from '../strategy/test-app';
import { recordOutput } from './record-output';

const recorded: Record<
  | 'settlements'
  | 'errors'
  | 'objects'
  | 'events'
  | 'answers'
  | 'verify'
  | 'messages'
  | 'requests'
  | 'sessions'
  | 'pages'
  | 'output',
  unknown[]
> = {
  settlements: [],
  errors: [],
  objects: [],
  events: [],
  answers: [],
  verify: [],
  messages: [],
  requests: [],
  sessions: [],
  pages: [],
  output: [],
};
const canary = new Canary();
recordOutput({
  learn: (code) => canary.addCode(code, 'a code'),
  record: (place, value) => recorded[place].push(value),
});

const sinks = [process.stdout, process.stderr].map((stream) => jest.spyOn(stream, 'write'));
const logs = (['log', 'info', 'warn', 'error'] as const).map((level) =>
  jest.spyOn(console, level).mockImplementation(() => undefined),
);
for (const { mock } of [...sinks, ...logs]) recorded.output.push(mock.calls);

const asAda: RequestHandler = (req, _res, next) => {
  Reflect.set(req, 'user', ada);
  next();
};

/**
 * An app with sessions and both channels, with every way in which apps use Passport, and with
 * Express's own error page for developers.
 */
async function openApp(express: ExpressModule, { backupCodes }: Service): Promise<TestApp> {
  const store = new SessionStore();
  return openTestApp(express, (app, { passport }) => {
    app.set('env', 'development');
    app.use(session({ secret: 'test', resave: false, saveUninitialized: true, store }));
    passport.serializeUser((user, done) => done(null, (user as Person).id));
    app.use((_req, res, next) => {
      res.on('finish', () => recorded.sessions.push(Reflect.get(store, 'sessions')));
      next();
    });
    const verify = (
      user: Person,
      info: object,
      done: (error: unknown, user?: unknown, info?: object) => void,
    ): void => {
      recorded.verify.push([user, info]);
      done(null, user, { ...info, seen: true });
    };
    const messages = (code: string, info: object): string => {
      recorded.messages.push([code, info]);
      return `The message of ${code}.`;
    };
    passport.use(
      'second-factor',
      new BackupCodeStrategy<Person>({ backupCodes, messages }, verify),
    );
    passport.use('recovery', new BackupCodeStrategy<Person>({ findUser, backupCodes }));
    passport.use(
      'broken',
      new BackupCodeStrategy<Person>({ backupCodes, userId: () => ({}) as string }),
    );
    passport.use(
      'refusing',
      new BackupCodeStrategy<Person>({ backupCodes }, (_user, _info, done) =>
        done(null, false, 'not you'),
      ),
    );
    const keep: RequestHandler = (req, res) => {
      recorded.requests.push([req.user, req.authInfo]);
      res.json({ user: req.user, info: req.authInfo });
    };
    for (const name of ['second-factor', 'recovery', 'broken', 'refusing']) {
      app.post(`/${name}/plain`, asAda, passport.authenticate(name) as RequestHandler, keep);
      app.post(
        `/${name}/messages`,
        asAda,
        passport.authenticate(name, {
          failureMessage: true,
          successMessage: true,
          failureRedirect: '/again',
        }) as RequestHandler,
        keep,
      );
      app.post(
        `/${name}/thrown`,
        asAda,
        passport.authenticate(name, { failWithError: true }) as RequestHandler,
        keep,
      );
      app.post(`/${name}/callback`, asAda, (req, res, next) => {
        (
          passport.authenticate(name, (error: unknown, ...answer: unknown[]) =>
            error ? next(error) : res.json(answer),
          ) as RequestHandler
        )(req, res, next);
      });
    }
    app.use((error: unknown, _req: unknown, _res: unknown, next: (error: unknown) => void) => {
      recorded.errors.push(error);
      next(error);
    });
  });
}

/** What is typed. The canary learns each issued code before it is typed. */
const CASES: Readonly<
  Record<
    string,
    {
      options?: Partial<BackupCodesOptions>;
      prepare?: (service: Service, codes: readonly string[]) => unknown;
      type: (codes: readonly string[]) => unknown;
    }
  >
> = {
  'that is valid': { type: ([code]) => code },
  'that is typed in another way': {
    type: ([code = '']) => code.toLowerCase().replaceAll('-', '\u2003'),
  },
  'that is mistyped': { type: ([code = '']) => code.slice(0, -1) },
  'of too many symbols': { type: ([code]) => `${code}A` },
  'in a list': { type: (codes) => codes },
  'in an object': { type: ([code]) => ({ [String(code)]: code }) },
  'that was used before': {
    prepare: ({ backupCodes }, [code]) => backupCodes.consume('ada', code),
    type: ([code]) => code,
  },
  'that has expired': {
    prepare: ({ clock }) => (clock.now += 366 * 86_400_000),
    type: ([code]) => code,
  },
  'of a revoked set': {
    prepare: ({ backupCodes }) => backupCodes.revoke('ada'),
    type: ([code]) => code,
  },
  'that comes before a wait is over': {
    options: { attempts: { free: 1 } },
    prepare: async ({ backupCodes }) =>
      Promise.all(
        (['recovery', 'second_factor'] as const).map((channel) =>
          backupCodes.consume('ada', 'AAAA-AAAA-AAAA-AAAA', { channel }),
        ),
      ),
    type: ([code]) => code,
  },
  'of an attempt whose risk is denied': {
    options: { assessRisk: () => 'deny' },
    type: ([code]) => code,
  },
  'of an attempt whose risk needs another check': {
    options: { assessRisk: () => 'step_up' },
    type: ([code]) => code,
  },
  'that is replaced by another': { options: { replaceConsumed: true }, type: ([code]) => code },
  'while the store fails': {
    prepare: ({ store }) =>
      (store.takeAttempt = () => Promise.reject(new Error('the store is down'))),
    type: ([code]) => code,
  },
  'while the hasher fails': {
    prepare: ({ hasher }) => (hasher.hash = () => Promise.reject(new Error('out of memory'))),
    type: ([code]) => code,
  },
};

const WAYS = ['plain', 'messages', 'thrown', 'callback'];
const PATHS = [
  ...['second-factor', 'recovery'].flatMap((name) => WAYS.map((way) => `/${name}/${way}`)),
  '/broken/plain',
  '/refusing/plain',
];
const statuses = new Set<number>();

describe.each(expressVersions)('on %s', (_name, express) => {
  it.each(Object.entries(CASES))(
    'A code that is %s is sent on both channels, in every way',
    async (_what, { options, prepare, type }) => {
      for (const path of PATHS) {
        const service = makeService({ format: formats.recovery, ...options });
        const codes = await service.issue();
        await prepare?.(service, codes);
        const app = await openApp(express, service);
        const { status, headers, text } = await app.post(path, {
          username: 'ada',
          code: type(codes),
        });
        statuses.add(status);
        recorded.pages.push([status, [...headers], text]);
      }
    },
  );
});

describe('afterwards', () => {
  it('Every kind of answer was given, and sessions have the messages for the user', () => {
    expect([...statuses].sort()).toEqual([200, 302, 400, 401, 403, 429, 500]);
    expect(printed(recorded.sessions)).toContain(
      'That backup code is not valid. Please try another one.',
    );
  });

  it.each(Object.keys(recorded) as (keyof typeof recorded)[])('The %s contain no code', (place) => {
    expect(recorded[place].length).toBeGreaterThan(0);
    expect(recorded[place].flatMap((value) => canary.findIn(printed(value)))).toEqual([]);
  });
});
