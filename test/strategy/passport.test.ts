// The strategy with Passport's options, beside other strategies, and with simultaneous requests.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Express, Request, RequestHandler, Response } from 'express';
import session from 'express-session';
import { Strategy } from 'passport-strategy';
import { BackupCodeStrategy, formats } from '../../lib';
import {
  ada,
  expressVersions,
  findUser,
  openTestApp,
  openLoginApp,
  people,
  makeService,
  makeStrategy,
  watchActions,
  type TestApp,
  type Person,
} from './test-app';

/** A strategy that lets in bob if the body has its word, and fails otherwise. */
class WordStrategy extends Strategy {
  constructor(private readonly word: string) {
    super();
  }

  override authenticate(req: Request): void {
    if ((req.body as { word?: string }).word === this.word)
      this.success(people['bob']!, { method: 'word' });
    else this.fail({ message: 'no word' }, 418);
  }
}

const asUser =
  (person: Person): RequestHandler =>
  (req, _res, next) => {
    Reflect.set(req, 'user', person);
    next();
  };

describe.each(expressVersions)('on %s', (_name, express) => {
  it('failWithError gives Express an error of the same status without details', async () => {
    const { backupCodes, issue } = makeService();
    await issue();
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }), {
      options: { failWithError: true },
    });
    expect(await site.post('/login', { code: 'AAAA-AAAA' })).toMatchObject({
      status: 401,
      body: { handledError: 'Unauthorized' },
    });
    expect(await site.post('/login', {})).toMatchObject({
      status: 400,
      body: { handledError: 'Bad Request' },
    });
  });

  it('failureRedirect redirects to a page at once, without Retry-After', async () => {
    const { backupCodes, issue } = makeService({ attempts: { free: 1 } });
    await issue();
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }), {
      options: { failureRedirect: '/again' },
    });
    const invalid = await site.post('/login', { code: 'AAAA-AAAA' });
    const early = await site.post('/login', { code: 'AAAA-AAAA' });
    expect([
      invalid.status,
      invalid.headers.get('location'),
      invalid.headers.get('retry-after'),
    ]).toEqual([302, '/again', null]);
    expect([early.status, early.headers.get('location'), early.headers.get('retry-after')]).toEqual(
      [302, '/again', null],
    );
  });

  it.each([
    ['failureMessage', 'AAAA-AAAA', ['That backup code is not valid. Please try another one.']],
    ['successMessage', null, []],
  ])(
    '%s: true puts the message for the user into the session, and no code',
    async (option, wrong, messages) => {
      const { backupCodes, issue } = makeService();
      const [code] = await issue();
      let sessionData = '';
      const site = await openTestApp(express, (app, { passport }) => {
        app.use(session({ secret: 'test', resave: false, saveUninitialized: false }), asUser(ada));
        app.use((req, res, next) => {
          res.on('finish', () => (sessionData = JSON.stringify(req.session)));
          next();
        });
        passport.use(watchActions(new BackupCodeStrategy({ backupCodes })));
        app.post(
          '/login',
          passport.authenticate('backup-code', {
            session: false,
            [option]: true,
          }) as RequestHandler,
          (_req, res) => res.json({}),
        );
      });
      await site.post('/login', { code: wrong ?? code });
      const data = JSON.parse(sessionData) as { messages?: unknown[] };
      expect((data.messages ?? []).filter((message) => typeof message === 'string')).toEqual(
        messages,
      );
      expect(sessionData).not.toContain(code);
    },
  );

  it('failureFlash: true flashes the message for the user as an error', async () => {
    const { backupCodes, issue } = makeService({ attempts: { free: 1 } });
    await issue();
    const flashed: unknown[] = [];
    const site = await openTestApp(express, (app, { passport }) => {
      app.use(asUser(ada), (req, _res, next) => {
        Reflect.set(req, 'flash', (...message: unknown[]) => flashed.push(message));
        next();
      });
      passport.use(watchActions(new BackupCodeStrategy({ backupCodes })));
      app.post(
        '/login',
        passport.authenticate('backup-code', {
          session: false,
          failureFlash: true,
          failureRedirect: '/again',
        }) as RequestHandler,
      );
    });
    expect((await site.post('/login', { code: 'AAAA-AAAA' })).headers.get('location')).toBe(
      '/again',
    );
    await site.post('/login', { code: 'AAAA-AAAA' });
    expect(flashed).toEqual([
      ['error', 'That backup code is not valid. Please try another one.'],
      ['error', 'Too many attempts. Please wait 60 seconds before you try again.'],
    ]);
  });

  it('failureFlash: true flashes what messages returns, in the language of the app', async () => {
    const { backupCodes, issue } = makeService({ attempts: { free: 1 } });
    await issue();
    const flashed: unknown[] = [];
    const site = await openTestApp(express, (app, { passport }) => {
      app.use(asUser(ada), (req, _res, next) => {
        Reflect.set(req, 'flash', (...message: unknown[]) => flashed.push(message));
        next();
      });
      const messages = (code: string, { retryAfterSeconds }: { retryAfterSeconds?: number }) =>
        `${code}: ${retryAfterSeconds ?? 'keine'} Sekunden`;
      passport.use(watchActions(new BackupCodeStrategy({ backupCodes, messages })));
      app.post(
        '/login',
        passport.authenticate('backup-code', {
          session: false,
          failureFlash: true,
          failureRedirect: '/again',
        }) as RequestHandler,
      );
    });
    for (let attempt = 0; attempt < 2; attempt += 1)
      await site.post('/login', { code: 'AAAA-AAAA' });
    expect(flashed).toEqual([
      ['error', 'invalid_code: keine Sekunden'],
      ['error', 'too_many_attempts: 60 Sekunden'],
    ]);
  });

  it('session: false logs no user in; without it Passport does, as with any strategy', async () => {
    const { backupCodes, issue } = makeService({ format: formats.recovery });
    const codes = await issue();
    const site = await openTestApp(express, (app, { passport }) => {
      passport.serializeUser((user, done) => done(null, (user as Person).id));
      passport.deserializeUser((id, done) => done(null, findUser(String(id)) ?? false));
      app.use(
        session({ secret: 'test', resave: false, saveUninitialized: false }),
        passport.session() as RequestHandler,
      );
      passport.use(watchActions(makeStrategy(backupCodes, 'recovery')));
      const whoami = (req: Request, res: Response): unknown => res.json({ user: req.user ?? null });
      app.post(
        '/once',
        passport.authenticate('backup-code', { session: false }) as RequestHandler,
        whoami,
      );
      app.post('/login', passport.authenticate('backup-code') as RequestHandler, whoami);
      app.get('/whoami', whoami);
    });
    const after = async (path: string, code: string): Promise<unknown> => {
      const answer = await site.post(path, { username: 'ada', code });
      expect(answer.body).toEqual({ user: ada });
      const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
      return (await site.send('/whoami', { headers: { cookie } })).body;
    };
    expect(await after('/once', codes[0]!)).toEqual({ user: null });
    expect(await after('/login', codes[1]!)).toEqual({ user: ada });
  });

  it('assignProperty does not change req.user', async () => {
    const { backupCodes, issue } = makeService({ format: formats.recovery });
    const [code] = await issue('bob');
    const site = await openTestApp(express, (app, { passport }) => {
      passport.use(watchActions(makeStrategy(backupCodes, 'recovery')));
      app.post(
        '/confirm',
        asUser(ada),
        passport.authenticate('backup-code', {
          assignProperty: 'second',
        } as object) as RequestHandler,
        (req, res) => {
          res.json({ user: req.user, second: Reflect.get(req, 'second'), info: req.authInfo });
        },
      );
    });
    expect((await site.post('/confirm', { username: 'bob', code })).body).toMatchObject({
      user: ada,
      second: people['bob'],
      info: { method: 'backup-code' },
    });
  });

  it('the user is read from the property that the app chose, and not from req.user', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const site = await openTestApp(
      express,
      (app, { passport }) => {
        passport.use(watchActions(new BackupCodeStrategy({ backupCodes })));
        app.post(
          '/login',
          asUser(ada),
          passport.authenticate('backup-code', { session: false }) as RequestHandler,
          (_req, res) => res.json({}),
        );
      },
      { userProperty: 'account' },
    );
    expect((await site.post('/login', { code })).status).toBe(401);
    expect((await backupCodes.status('ada'))?.remaining).toBe(10);
  });

  describe('in an array with another strategy', () => {
    async function open(
      order: readonly string[],
    ): Promise<{ site: TestApp; code: string; hashes: () => number }> {
      const { backupCodes, issue, hasher } = makeService();
      const [code] = await issue();
      const site = await openTestApp(express, (app, { passport }) => {
        passport.use('word', new WordStrategy('please'));
        passport.use('backup-code', watchActions(new BackupCodeStrategy({ backupCodes })));
        app.post(
          '/login',
          asUser(ada),
          passport.authenticate([...order], { session: false }) as RequestHandler,
          (req, res) => res.json({ user: req.user, info: req.authInfo }),
        );
      });
      return { site, code: code!, hashes: () => hasher.count };
    }

    it('the other strategy is tried after an invalid code', async () => {
      const { site } = await open(['backup-code', 'word']);
      expect((await site.post('/login', { code: 'AAAA-AAAA', word: 'please' })).body).toEqual({
        user: people['bob'],
        info: { method: 'word' },
      });
    });

    it('a valid code is enough after the other strategy failed', async () => {
      const { site, code } = await open(['word', 'backup-code']);
      expect((await site.post('/login', { code })).body).toMatchObject({
        user: ada,
        info: { method: 'backup-code' },
      });
    });

    it('no hash is spent if the other strategy let a user in before', async () => {
      const { site, code, hashes } = await open(['word', 'backup-code']);
      await site.post('/login', { code, word: 'please' });
      expect(hashes()).toBe(0);
    });

    it('the first failure gives the status if both strategies fail', async () => {
      expect(
        (await (await open(['backup-code', 'word'])).site.post('/login', { code: 'AAAA-AAAA' }))
          .status,
      ).toBe(401);
      expect(
        (await (await open(['word', 'backup-code'])).site.post('/login', { code: 'AAAA-AAAA' }))
          .status,
      ).toBe(418);
    });

    it('a custom callback gets both failures', async () => {
      const { backupCodes } = makeService();
      const site = await openTestApp(express, (app, { passport }) => {
        passport.use('word', new WordStrategy('please'));
        passport.use('backup-code', watchActions(new BackupCodeStrategy({ backupCodes })));
        app.post('/login', asUser(ada), (req, res, next) => {
          const answer = (_error: unknown, user: unknown, info: unknown, status: unknown): void => {
            res.json({ user, info, status });
          };
          (passport.authenticate(['backup-code', 'word'], answer) as RequestHandler)(
            req,
            res,
            next,
          );
        });
      });
      expect((await site.post('/login', {})).body).toEqual({
        user: false,
        info: [expect.objectContaining({ code: 'malformed' }), { message: 'no word' }],
        status: [400, 418],
      });
    });
  });

  it('two backup-code strategies with two names serve both channels of one service', async () => {
    const { backupCodes, issue } = makeService({ format: formats.recovery });
    const codes = await issue();
    const site = await openTestApp(express, (app, { passport }) => {
      passport.use('second-factor', watchActions(makeStrategy(backupCodes, 'second_factor')));
      passport.use('recovery', watchActions(makeStrategy(backupCodes, 'recovery')));
      app.post(
        '/second-factor',
        asUser(ada),
        passport.authenticate('second-factor', { session: false }) as RequestHandler,
        (req, res) => res.json(req.user),
      );
      app.post(
        '/recovery',
        passport.authenticate('recovery', { session: false }) as RequestHandler,
        (req, res) => res.json(req.user),
      );
    });
    expect((await site.post('/second-factor', { code: codes[0] })).body).toEqual(ada);
    expect((await site.post('/recovery', { username: 'ada', code: codes[0] })).status).toBe(401);
    expect((await site.post('/recovery', { username: 'ada', code: codes[1] })).body).toEqual(ada);
  });

  it('an attacker who knows a user name cannot lock the channel after the password', async () => {
    const { backupCodes, issue } = makeService({ format: formats.recovery, attempts: { free: 2 } });
    const [code] = await issue();
    const site = await openTestApp(express, (app, { passport }) => {
      passport.use('second-factor', watchActions(makeStrategy(backupCodes, 'second_factor')));
      passport.use('recovery', watchActions(makeStrategy(backupCodes, 'recovery')));
      app.post(
        '/second-factor',
        asUser(ada),
        passport.authenticate('second-factor', { session: false }) as RequestHandler,
        (req, res) => res.json(req.user),
      );
      app.post(
        '/recovery',
        passport.authenticate('recovery', { session: false }) as RequestHandler,
        (req, res) => res.json(req.user),
      );
    });
    for (let i = 0; i < 5; i += 1)
      await site.post('/recovery', { username: 'ada', code: 'AAAA-AAAA-AAAA-AAAA' });
    expect((await site.post('/recovery', { username: 'ada', code })).status).toBe(429);
    expect((await site.post('/second-factor', { code })).status).toBe(200);
  });

  it.each(['registered by name', 'given to authenticate(), and so shared by all requests'])(
    'a strategy %s answers each of two simultaneous requests with its own user',
    async (how) => {
      const arrivals: Record<string, () => void> = {};
      const gates: Record<string, Promise<void>> = {};
      for (const id of ['ada', 'bob'])
        gates[id] = new Promise((resolve) => (arrivals[id] = resolve));
      const consuming: string[] = [];
      let bothIn: () => void = () => undefined;
      const both = new Promise<void>((resolve) => (bothIn = resolve));
      const strategy = new BackupCodeStrategy<Person>({
        findUser: async (username) => findUser(username),
        format: 'any',
        consumeCode: async (user, code) => {
          if (consuming.push(user.id) === 2) bothIn();
          await gates[user.id];
          return code === `code of ${user.id}`;
        },
      });
      const site = await openTestApp(express, (app, { passport }) => {
        passport.use('backup-code', watchActions(strategy));
        const given = how.startsWith('given') ? strategy : 'backup-code';
        app.post(
          '/login',
          passport.authenticate(given, { session: false }) as RequestHandler,
          (req, res) => res.json(req.user),
        );
      });

      const first = site.post('/login', { username: 'ada', code: 'code of ada' });
      const second = site.post('/login', { username: 'bob', code: 'stolen' });
      await both;
      arrivals['bob']!();
      expect((await second).status).toBe(401);
      arrivals['ada']!();
      expect((await first).body).toEqual(ada);
    },
  );

  it('a shared instance answers each of fifty requests at once with its own user', async () => {
    const strategy = watchActions(
      new BackupCodeStrategy<Person>({
        findUser: (username) => new Promise((resolve) => setImmediate(resolve, { id: username })),
        format: 'any',
        consumeCode: (user, code) =>
          new Promise((resolve) => setImmediate(resolve, code === user.id)),
      }),
    );
    const site = await openTestApp(express, (app, { passport }) => {
      app.post(
        '/login',
        passport.authenticate(strategy, { session: false }) as RequestHandler,
        (req, res) => res.json(req.user),
      );
    });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        site.post('/login', { username: `u${n}`, code: n % 2 === 0 ? `u${n}` : 'wrong' }),
      ),
    );
    expect(
      answers.map(({ status, body }) => (status === 200 ? (body as Person).id : status)),
    ).toEqual(Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? `u${n}` : 401)));
  });

  it('a handler that throws after the strategy is an error, and the code stays spent', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const site = await openTestApp(express, (app: Express, { passport }) => {
      passport.use(watchActions(new BackupCodeStrategy({ backupCodes })));
      app.post(
        '/login',
        asUser(ada),
        passport.authenticate('backup-code', { session: false }) as RequestHandler,
        () => {
          throw new Error('the page is broken');
        },
      );
    });
    expect((await site.post('/login', { code })).body).toEqual({
      handledError: 'the page is broken',
    });
    expect((await backupCodes.status('ada'))?.remaining).toBe(9);
  });
});

it('a custom callback that throws is not called again, and the process survives', async () => {
  const script = `
    const { BackupCodeStrategy } = require('./lib');
    const settled = [];
    const strategy = Object.create(new BackupCodeStrategy({ consumeCode: () => true }));
    strategy.success = () => {
      settled.push('success');
      throw new Error('the callback is broken');
    };
    strategy.fail = () => settled.push('fail');
    strategy.error = () => settled.push('error');
    process.on('unhandledRejection', () => settled.push('unhandledRejection'));
    process.on('exit', () => console.log(settled.join()));
    strategy.authenticate({ user: { id: 'ada' }, headers: {}, body: { code: 'ABCD-EFGH' } });
  `;
  const root = join(__dirname, '../..');
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--require', './test/helpers/run-typescript.js', '-e', script],
    { cwd: root },
  );
  expect(stdout.trim()).toBe('success');
  expect(stderr).toContain('BACKUP_CODE_CALLBACK');
});
