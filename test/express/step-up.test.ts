import type { Request } from 'express';
import { completeLogin, requireAssurance, requireFreshSecondFactor } from '../../lib/express';
import type { Browser } from './browser';
import { HTML, LoginSite, type LoginSiteOptions, type SiteUser } from './login-site';

let site: LoginSite;
let browser: Browser;

async function open(options: LoginSiteOptions = {}): Promise<void> {
  site = await LoginSite.open(options);
  browser = site.browser();
}

async function logIn(user = 'ada', second = 'totp'): Promise<void> {
  await browser.post('/login', { user });
  expect((await browser.post(`/login/${second}`, { code: 'valid' })).body).toMatchObject({ user });
}

function recorded(): Promise<Record<string, unknown>> {
  return site.store
    .contents()
    .then(
      (all) =>
        (Object.values(all)[0]!['passport-backup-code'] as { login: Record<string, unknown> })
          .login,
    );
}

afterEach(() => site.shut());

describe('a user who is logged in and shows a factor again', () => {
  test('a step-up adds the factor, changes the session id and keeps app data', async () => {
    await open();
    await logIn();
    await browser.post('/note', { note: 'in the cart' });
    const before = browser.copy();
    site.passSeconds(3600);
    const { body } = await browser.post('/login/backup-code', { code: 'valid' });
    expect(body).toMatchObject({
      user: 'ada',
      isAuthenticated: true,
      note: 'in the cart',
      methods: ['pwd', 'totp', 'backup-code'],
      amr: ['pwd', 'otp', 'mfa'],
      acr: 'aal2',
      returnTo: null,
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada', note: 'in the cart' });
    expect(browser.cookie).not.toBe(before.cookie);
    expect((await before.get('/whoami')).body).toMatchObject({ user: null });
    expect(await recorded()).toMatchObject({
      factors: [
        { method: 'pwd', at: site.clock - 3_600_000 },
        { method: 'totp', at: site.clock - 3_600_000 },
        { method: 'backup-code', at: site.clock },
      ],
    });
  });

  test('a step-up renews the time of a factor that was shown before, and of no other', async () => {
    await open();
    await logIn();
    site.passSeconds(100);
    await browser.post('/login/totp', { code: 'valid' });
    site.passSeconds(100);
    await browser.post('/login/pwd', { code: 'valid' });
    expect(await recorded()).toMatchObject({
      factors: [
        { method: 'totp', at: site.clock - 100_000 },
        { method: 'pwd', at: site.clock },
      ],
      amr: ['pwd', 'otp', 'mfa'],
    });
  });

  test('a step-up adds a second kind of factor to a login with one kind', async () => {
    await open();
    await browser.post('/login/password-only', { user: 'ada' });
    expect((await browser.post('/login/totp', { code: 'valid' })).body).toMatchObject({
      methods: ['pwd', 'totp'],
      amr: ['pwd', 'otp', 'mfa'],
      acr: 'aal2',
    });
  });

  test('a step-up leads back to the page that asked for it, once', async () => {
    await open({
      routes: (app, { now }) =>
        app.get(
          '/codes',
          requireFreshSecondFactor({ withinSeconds: 300, stepUpUrl: '/step-up', now }),
          (_req, res) => res.json('codes'),
        ),
    });
    await logIn();
    site.passSeconds(301);
    expect((await browser.get('/codes?all=1', HTML)).headers.get('location')).toBe('/step-up');
    expect((await browser.post('/login/totp', { code: 'valid' })).body.returnTo).toBe(
      '/codes?all=1',
    );
    expect((await browser.get('/codes', HTML)).body).toBe('codes');
    expect((await browser.post('/login/totp', { code: 'valid' })).body.returnTo).toBeNull();
  });

  test("a step-up with another user's factor is refused and changes no session", async () => {
    await open();
    await logIn();
    expect(
      (await browser.post('/login/totp', { code: 'valid', asUser: 'bob' })).body,
    ).toMatchObject({
      error: 'no_pending_login',
      user: null,
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });
});

describe('the record of a login does not count for another login', () => {
  const guarded: LoginSiteOptions = {
    routes: (app, { now, users, passport }) => {
      app.get('/vault', requireAssurance({ now }), (req, res) => res.json(req.user));
      app.post('/plain-login', (req, res, next) => {
        req.logIn(
          users[(req.body as { user: string }).user] as Express.User,
          { keepSessionInfo: true, session: true },
          (error) => (error ? next(error) : res.json({})),
        );
      });
      app.post('/logout', (req, res, next) =>
        req.logout({ keepSessionInfo: true }, (error) => (error ? next(error) : res.json({}))),
      );
      app.post(
        '/token',
        passport.authenticate('totp', { session: false }),
        requireAssurance({ now }),
        (_req, res) => res.json({}),
      );
    },
  };

  test('the record does not count for the next user of a session that the app keeps', async () => {
    await open(guarded);
    await logIn('ada');
    expect((await browser.get('/vault')).body).toMatchObject({ id: 'ada' });
    await browser.post('/plain-login', { user: 'bob' });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'bob' });
    expect((await browser.get('/vault')).status).toBe(401);
    expect((await browser.post('/login/totp', { code: 'valid' })).body).toMatchObject({
      error: 'no_pending_login',
    });
  });

  test('the record does not count after a logout that keeps the session', async () => {
    await open(guarded);
    await logIn('ada');
    await browser.post('/logout');
    expect((await browser.get('/vault')).status).toBe(401);
    expect(
      (await browser.post('/login/totp', { code: 'valid', asUser: 'ada' })).body,
    ).toMatchObject({
      error: 'no_pending_login',
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
  });

  test('the record does not count for a plain login of the same user after a logout', async () => {
    await open(guarded);
    await logIn('ada');
    expect((await browser.get('/vault')).status).toBe(200);
    await browser.post('/logout');
    await browser.post('/plain-login', { user: 'ada' });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
    expect((await browser.get('/vault')).status).toBe(401);
    expect((await browser.post('/login/totp', { code: 'valid' })).body).toMatchObject({
      error: 'no_pending_login',
    });
  });

  test('the record does not count for a plain login of the same user in its session', async () => {
    await open(guarded);
    await logIn('ada');
    await browser.post('/plain-login', { user: 'ada' });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
    expect((await browser.get('/vault')).status).toBe(401);
  });

  test('the record does not count for a plain login after a logout of an older Passport', async () => {
    await open(guarded);
    const passportEntry = (req: Request): { user?: unknown } =>
      ((req.session as unknown as Record<string, object>)['passport'] ??= {});
    // As in Passport 0.5, which keeps the session and its id.
    Object.assign(Reflect.get(site.passport, '_sm'), {
      logIn: (req: Request, user: SiteUser, _options: object, done: () => void) => {
        passportEntry(req).user = user.id;
        done();
      },
      logOut: (req: Request, _options: object, done: () => void) => {
        delete passportEntry(req).user;
        done();
      },
    });
    await logIn('ada');
    expect((await browser.get('/vault')).status).toBe(200);
    await browser.post('/login/backup-code', { code: 'valid' });
    expect((await browser.get('/vault')).status).toBe(200);
    const { cookie } = browser;
    await browser.post('/logout');
    await browser.post('/plain-login', { user: 'ada' });
    expect(browser.cookie).toBe(cookie);
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
    expect((await browser.get('/vault')).status).toBe(401);
  });

  test('a new login after a logout that keeps the session has a record of its own', async () => {
    await open(guarded);
    await logIn('ada');
    await browser.post('/logout');
    await browser.post('/plain-login', { user: 'ada' });
    await logIn('ada');
    expect((await browser.get('/vault')).status).toBe(200);
  });

  test('the record does not count for a user who is not logged in to the session', async () => {
    await open(guarded);
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/token', { code: 'valid' })).status).toBe(401);
  });

  test('a user who logged in without completeLogin has no record and cannot step up', async () => {
    await open(guarded);
    await browser.post('/plain-login', { user: 'ada' });
    expect((await browser.get('/vault')).status).toBe(401);
    expect((await browser.post('/login/totp', { code: 'valid' })).body).toMatchObject({
      error: 'no_pending_login',
    });
  });
});

describe('a custom callback', () => {
  test('a custom callback gives completeLogin the user and the factor', async () => {
    await open({
      routes: (app, { passport, now }) =>
        app.post('/callback', (req, res, next) => {
          passport.authenticate(
            'backup-code',
            (
              error: unknown,
              user: Express.User | false,
              info: { method: string; amr: string[] },
            ) => {
              if (user === false) next(error);
              else
                completeLogin(req, { user, method: info.method, amr: info.amr, now }).then(
                  (done) => res.json(done),
                  next,
                );
            },
          )(req, res, next);
        }),
    });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/callback', { code: 'valid' })).body).toMatchObject({
      methods: ['pwd', 'backup-code'],
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });
});
