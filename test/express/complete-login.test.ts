import type { NextFunction, Request, Response } from 'express';
import {
  beginLogin,
  completeLogin,
  type BeginLoginOptions,
  type CompleteLoginOptions,
} from '../../lib/express';
import type { Browser } from './browser';
import { express4, express5, LoginSite, type LoginSiteOptions } from './login-site';

let site: LoginSite;
let browser: Browser;

async function open(options: LoginSiteOptions = {}): Promise<void> {
  site = await LoginSite.open(options);
  browser = site.browser();
}

afterEach(() => site.shut());

describe.each([
  ['4', express4],
  ['5', express5],
])('the second step of a login on Express %s', (_version, express) => {
  beforeEach(() => open({ express }));

  test('the second factor completes the login, and the session remembers the user', async () => {
    await browser.post('/login', { user: 'ada', returnTo: '/inbox?page=2' });
    const { status, body } = await browser.post('/login/backup-code', { code: 'valid' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      user: 'ada',
      isAuthenticated: true,
      pending: null,
      returnTo: '/inbox?page=2',
      methods: ['pwd', 'backup-code'],
      amr: ['pwd', 'otp', 'mfa'],
      acr: 'aal2',
    });
    expect((await browser.get('/whoami')).body).toMatchObject({
      user: 'ada',
      isAuthenticated: true,
      pending: null,
    });
  });

  test('an invalid second factor leaves the pending login as it was', async () => {
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'invalid' })).status).toBe(401);
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      user: 'ada',
    });
  });

  test('a second factor without a pending login gives an error to the error handler', async () => {
    expect(
      (await browser.post('/login/backup-code', { code: 'valid', asUser: 'ada' })).body,
    ).toMatchObject({ error: 'no_pending_login' });
  });
});

describe('the record of a completed login', () => {
  test('a completed login is saved with the user id, every factor and its time', async () => {
    await open();
    await browser.post('/login', { user: 'ada' });
    site.passSeconds(20);
    await browser.post('/login/backup-code', { code: 'valid' });
    const [stored] = Object.values(await site.store.contents());
    expect(stored!['passport-backup-code']).toEqual({
      login: {
        userId: 'ada',
        methods: ['pwd', 'backup-code'],
        amr: ['pwd', 'otp', 'mfa'],
        acr: 'aal2',
        factors: [
          { method: 'pwd', amr: ['pwd'], at: site.clock - 20_000 },
          { method: 'backup-code', amr: ['otp'], at: site.clock },
        ],
      },
    });
  });

  test('two factors of one kind are not multi-factor', async () => {
    await open({ begin: { amr: ['otp'], methods: ['totp'] } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      methods: ['totp', 'backup-code'],
      amr: ['otp'],
      acr: 'aal1',
    });
  });

  test('a security key that is unlocked by a PIN counts as two kinds', async () => {
    await open({ begin: { amr: ['hwk', 'pin'], methods: ['passkey'] } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      methods: ['passkey', 'backup-code'],
      amr: ['hwk', 'pin', 'otp', 'mfa'],
      acr: 'aal2',
    });
  });

  test('the app may name the factor if the strategy does not', async () => {
    await open({ complete: { method: 'totp', amr: ['otp'] } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/unnamed', { code: 'valid' })).body).toMatchObject({
      methods: ['pwd', 'totp'],
    });
  });

  test('the app cannot record a backup code as TOTP: the strategy names the factor', async () => {
    await open({ complete: { method: 'totp', amr: ['otp'] } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      methods: ['pwd', 'backup-code'],
    });
  });
});

describe('a login with the first factor alone', () => {
  test('a first factor alone completes a login only if the app says not_enrolled', async () => {
    await open();
    const { body } = await browser.post('/login/password-only', { user: 'ada' });
    expect(body).toMatchObject({
      user: 'ada',
      isAuthenticated: true,
      returnTo: null,
      methods: ['pwd'],
      amr: ['pwd'],
      acr: 'aal1',
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });

  test('a login is not completed if strategy and app do not name the factor', async () => {
    await open();
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/unnamed', { code: 'valid' })).body).toMatchObject({
      error: 'invalid_option',
      message: expect.stringContaining('secondFactor'),
      user: null,
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
  });

  test('the first factor, shown twice, does not complete a login', async () => {
    await open();
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/pwd', { code: 'valid' })).body).toMatchObject({
      error: 'invalid_option',
      message: expect.stringContaining('"pwd"'),
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
  });

  test('not_enrolled needs a pending login', async () => {
    await open({ complete: { secondFactor: 'not_enrolled' } });
    expect(
      (await browser.post('/login/backup-code', { code: 'valid', asUser: 'ada' })).body,
    ).toMatchObject({ error: 'no_pending_login' });
    await browser.post('/login/password-only', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      error: 'invalid_option',
    });
  });

  test('secondFactor can only be not_enrolled, and only without method and amr', async () => {
    await open({ complete: { secondFactor: 'none' as 'not_enrolled' } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/unnamed', { code: 'valid' })).body).toMatchObject({
      error: 'invalid_option',
    });
    await site.shut();
    await open({ complete: { secondFactor: 'not_enrolled', method: 'totp', amr: ['otp'] } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/unnamed', { code: 'valid' })).body).toMatchObject({
      error: 'invalid_option',
    });
  });
});

describe("completeLogin(req, { secondFactor: 'not_enrolled' })", () => {
  /** A site whose /alone begins a login and completes it, and whose /later only completes it. */
  async function openWith({
    begin = {},
    complete = {},
  }: {
    begin?: BeginLoginOptions;
    complete?: CompleteLoginOptions | ((site: LoginSite) => CompleteLoginOptions);
  } = {}): Promise<void> {
    await open({
      routes: (app, opened) => {
        const { now, users } = opened;
        const finish = (req: Request, res: Response, next: NextFunction): void => {
          const options = typeof complete === 'function' ? complete(opened) : complete;
          completeLogin(req, { now, ...options }).then((done) => res.json(done), next);
        };
        app.post('/alone', (req, res, next) => {
          beginLogin(req, users['ada'] as Express.User, { now, ...begin }).then(
            () => finish(req, res, next),
            next,
          );
        });
        app.post('/later', finish);
      },
    });
  }
  const whoami = async (): Promise<unknown> => (await browser.get('/whoami')).body;

  test('not_enrolled logs in the user given to beginLogin in the same request', async () => {
    await openWith({ complete: { secondFactor: 'not_enrolled' } });
    expect(await browser.post('/alone')).toMatchObject({
      status: 200,
      body: { methods: ['pwd'], amr: ['pwd'], acr: 'aal1', returnTo: null },
    });
    expect(await whoami()).toMatchObject({ user: 'ada', isAuthenticated: true, pending: null });
  });

  test('not_enrolled compares the user id that beginLogin read', async () => {
    await openWith({
      begin: { userId: () => 'ada@example.org' },
      complete: { secondFactor: 'not_enrolled' },
    });
    expect((await browser.post('/alone')).status).toBe(200);
    expect(await whoami()).toMatchObject({ user: 'ada', isAuthenticated: true });
  });

  test('a later request that names the user can log the user in with not_enrolled', async () => {
    await openWith({
      complete: ({ users }) => ({
        user: users['ada'],
        secondFactor: 'not_enrolled',
      }),
    });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/later')).status).toBe(200);
    expect(await whoami()).toMatchObject({ user: 'ada', isAuthenticated: true, pending: null });
  });

  test('a later request that names no user logs no user in with not_enrolled', async () => {
    await openWith({ complete: { secondFactor: 'not_enrolled' } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/later')).body).toMatchObject({
      error: 'no_pending_login',
      message: expect.stringContaining('pass { user }'),
    });
    expect(await whoami()).toMatchObject({ user: null, pending: { userId: 'ada' } });
  });

  test('not_enrolled never logs in another user, in the same request or a later one', async () => {
    await openWith({
      complete: ({ users }) => ({
        user: users['bob'],
        secondFactor: 'not_enrolled',
      }),
    });
    for (const path of ['/alone', '/later']) {
      expect((await browser.post(path)).body).toMatchObject({ error: 'no_pending_login' });
      expect(await whoami()).toMatchObject({ user: null, pending: { userId: 'ada' } });
    }
  });

  test('without not_enrolled the first factor alone logs no user in', async () => {
    await openWith();
    expect((await browser.post('/alone')).body).toMatchObject({ error: 'no_pending_login' });
    expect(await whoami()).toMatchObject({ user: null, pending: { userId: 'ada' } });
  });
});

describe('mistakes in a call of completeLogin', () => {
  test.each<[string, object, RegExp]>([
    ['an unknown option', { totp: true }, /totp/],
    ['an age out of range', { maxAgeSeconds: 0 }, /maxAgeSeconds/],
    ['amr without a method', { amr: ['otp'] }, /does not know which factor/],
    ['a method without amr', { method: 'totp' }, /does not know which factor/],
  ])('completeLogin refuses %s and logs no user in', async (_what, complete, message) => {
    await open({ complete: complete });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/unnamed', { code: 'valid' })).body).toMatchObject({
      error: 'invalid_option',
      message: expect.stringMatching(message),
      user: null,
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
  });
});
