// Recipes as a newcomer types them, each from the first request to a page behind a guard.
import type { RequestHandler } from 'express';
import { formats } from '../../lib';
import { HTML } from './login-site';
import { openApp, shutApps, type AppContext, type OpenApp } from './mistakes-site';

let warn: jest.SpyInstance;

beforeEach(() => {
  warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});
afterEach(async () => {
  await shutApps();
  expect(warn.mock.calls).toEqual([]);
  warn.mockRestore();
});

const PASSWORD = { username: 'ada', password: 'correct' };

/** Logs in with the password alone, as the README shows for an account without a second factor. */
const notEnrolled = ({ passport, lib }: AppContext): readonly RequestHandler[] => [
  passport.authenticate('local', { session: false }),
  async (req, res) => {
    await lib.beginLogin(req, req.user);
    await lib.completeLogin(req, { secondFactor: 'not_enrolled' });
    res.json({});
  },
];

test("completeLogin with secondFactor: 'not_enrolled' logs in after a password", async () => {
  const { browser } = await openApp({
    login: notEnrolled,
    routes: (app, { lib }) => {
      app.get('/one', lib.requireAssurance({ factors: 1 }), (_req, res) => res.json('in'));
    },
  });
  await browser.post('/login', PASSWORD);
  expect((await browser.get('/one')).body).toBe('in');
});

test("in a later request 'not_enrolled' needs the user, and the error says which", async () => {
  const { browser } = await openApp({
    routes: (app, { lib }) => {
      app.post('/skip', async (req, res) => {
        res.json(await lib.completeLogin(req, { secondFactor: 'not_enrolled' }));
      });
      app.post('/skip-user', async (req, res) => {
        const user = { id: String(lib.pendingLogin(req)?.userId) } as Express.User;
        res.json(await lib.completeLogin(req, { secondFactor: 'not_enrolled', user }));
      });
    },
  });
  await browser.post('/login', PASSWORD);
  expect((await browser.post('/skip')).body.message).toContain(
    'Call it in the request of beginLogin, or pass { user }: the user of pendingLogin(req).',
  );
  expect((await browser.post('/skip-user')).body).toMatchObject({ acr: 'aal1' });
});

describe('a recovery login', () => {
  const open = (): Promise<OpenApp> =>
    openApp({
      service: { format: formats.recovery },
      register: ({ passport, lib, backupCodes }) => {
        const findUser = (name: string): Express.User => ({ id: name });
        passport.use(new lib.BackupCodeStrategy({ backupCodes, findUser }));
      },
      routes: (app, { lib }) => {
        const guard = lib.requireAssurance({ factors: 1, stepUpUrl: '/login' });
        app.get('/one', guard, (req, res) => res.json(req.user));
      },
    });

  test('a recovery login reaches a page behind requireAssurance({ factors: 1 })', async () => {
    const { browser, codes } = await open();
    const wanted = await browser.get('/one', HTML);
    expect([wanted.status, wanted.headers.get('location')]).toEqual([303, '/login']);
    const body = { username: 'ada', code: codes[0] };
    expect((await browser.post('/login/backup-code', body)).body).toEqual({
      returnTo: null,
      methods: ['backup-code'],
      amr: ['otp'],
      acr: 'aal1',
    });
    expect((await browser.get('/one', HTML)).body).toEqual({ id: 'ada' });
    expect((await browser.get('/app', HTML)).status).toBe(401);
  });

  test('completeLogin without a code and without a pending login is refused', async () => {
    const { browser } = await openApp({
      routes: (app, { lib }) => {
        app.post('/complete', async (req, res) => {
          const user = { id: 'ada' } as Express.User;
          res.json(await lib.completeLogin(req, { user, method: 'backup-code', amr: ['otp'] }));
        });
      },
    });
    const answer = await browser.post('/complete');
    expect(answer.body.message).toContain('This session has no pending login');
  });

  test('a recovery login does not count the password of a pending login', async () => {
    const { browser, codes } = await open();
    await browser.post('/login', PASSWORD);
    const invalid = { username: 'ada', code: 'AAAA-AAAA-AAAA-AAAA' };
    expect((await browser.post('/login/backup-code', invalid)).status).toBe(401);
    await browser.post('/login/backup-code', { username: 'ada', code: codes[0] });
    expect((await browser.get('/one')).body).toEqual({ id: 'ada' });
    // The password of the pending login does not count: the code was sent on the other channel.
    expect((await browser.get('/app', HTML)).status).toBe(401);
  });
});

test('requireAssurance without a page answers a browser with a sentence, and no JSON', async () => {
  const { browser } = await openApp({
    routes: (app, { lib }) => {
      app.get('/bare', lib.requireAssurance(), (_req, res) => res.json('in'));
    },
  });
  const answer = await browser.get('/bare', HTML);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    401,
    'text/html; charset=utf-8',
  ]);
  expect(answer.body).toContain('<h1>Please sign in</h1>');
  expect(answer.headers.get('www-authenticate')).toContain('insufficient_user_authentication');
  expect((await browser.get('/bare')).body).toMatchObject({
    code: 'insufficient_user_authentication',
  });
});

describe('the first set, by the router with its default guard', () => {
  const open = async (login = notEnrolled): Promise<OpenApp> => {
    const app = await openApp({
      login,
      routes: (express, { lib, backupCodes }) => {
        express.use('/codes', lib.backupCodesRouter({ backupCodes }));
      },
    });
    await app.backupCodes.revoke('ada');
    return app;
  };

  test('the first set is made with one fresh factor, and the next one needs two', async () => {
    const { browser, backupCodes } = await open();
    await browser.post('/login', PASSWORD);
    expect((await browser.post('/codes')).status).toBe(201);
    expect(await backupCodes.status('ada')).toMatchObject({ remaining: 10 });
    const second = await browser.post('/codes');
    expect([second.status, second.body.factors]).toEqual([401, 2]);
  });

  test('the first set is staged and activated with one fresh factor', async () => {
    const { browser, backupCodes } = await open();
    await browser.post('/login', PASSWORD);
    const { setId } = (await browser.post('/codes/stage')).body as { setId: string };
    expect((await browser.post('/codes/activate', { setId })).status).toBe(200);
    expect(await backupCodes.status('ada')).toMatchObject({ setId });
  });

  test('after a login with two factors a fresh password alone makes no set, a fresh TOTP does', async () => {
    const sixMinutesAgo = Date.now() - 360_000;
    const old = { now: () => sixMinutesAgo };
    const { browser, backupCodes } = await openApp({
      login: ({ passport, lib }) => [
        passport.authenticate('local', { session: false }),
        async (req, res) => {
          const user = req.user!;
          await lib.beginLogin(req, user, old);
          await lib.completeLogin(req, { user, method: 'totp', amr: ['otp'], ...old });
          res.json({});
        },
      ],
      routes: (express, { lib, backupCodes: service }) => {
        express.post('/again/:method', async (req, res) => {
          const amr = req.params.method === 'totp' ? ['otp'] : ['pwd'];
          res.json(await lib.completeLogin(req, { method: req.params.method, amr }));
        });
        express.use('/codes', lib.backupCodesRouter({ backupCodes: service }));
      },
    });
    await backupCodes.forget('ada', { audit: 'erase' });
    await browser.post('/login', PASSWORD);
    expect((await browser.post('/again/pwd')).status).toBe(200);
    expect((await browser.post('/codes')).status).toBe(401);
    await browser.post('/login', PASSWORD);
    expect((await browser.post('/again/totp')).status).toBe(200);
    expect((await browser.post('/codes')).status).toBe(201);
  });

  test('the first set is not made without a login', async () => {
    const { browser } = await open();
    expect((await browser.post('/codes')).status).toBe(401);
  });
});

test('beginLogin without a user is an error that says what to write before it', async () => {
  const { browser } = await openApp({
    login: ({ lib }) => [
      async (req, res) => {
        await lib.beginLogin(req, req.user);
        res.json({});
      },
    ],
  });
  expect((await browser.post('/login', PASSWORD)).body.message).toContain(
    "but was given undefined. Write passport.authenticate('local', { session: false }) before it",
  );
});
