import { completeLogin, requireAssurance } from '../../lib/express';
import { Site, type Browser, type SiteOptions } from './login-site';

const HTML = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
let site: Site;
let browser: Browser;

async function open(options: SiteOptions = {}): Promise<void> {
  site = await Site.open(options);
  browser = site.browser();
}

async function logIn(user = 'ada', second = 'totp'): Promise<void> {
  await browser.post('/login', { user });
  expect((await browser.post(`/login/${second}`, { code: 'right' })).body).toMatchObject({ user });
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

describe('somebody who is logged in and shows a factor again', () => {
  test('has it added, with its time, under a new session id, and loses nothing that the app kept', async () => {
    await open();
    await logIn();
    await browser.post('/note', { note: 'in the cart' });
    const before = browser.copy();
    site.passSeconds(3600);
    const { body } = await browser.post('/login/backup-code', { code: 'right' });
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

  test('has its time renewed where it was shown before; the others stay as old as they are', async () => {
    await open();
    await logIn();
    site.passSeconds(100);
    await browser.post('/login/totp', { code: 'right' });
    site.passSeconds(100);
    await browser.post('/login/pwd', { code: 'right' });
    expect(await recorded()).toMatchObject({
      factors: [
        { method: 'totp', at: site.clock - 100_000 },
        { method: 'pwd', at: site.clock },
      ],
      amr: ['pwd', 'otp', 'mfa'],
    });
  });

  test('reaches two kinds after a login by one', async () => {
    await open();
    await browser.post('/login/without', { user: 'ada' });
    expect((await browser.post('/login/totp', { code: 'right' })).body).toMatchObject({
      methods: ['pwd', 'totp'],
      amr: ['pwd', 'otp', 'mfa'],
      acr: 'aal2',
    });
  });

  test('is led back to the page that asked for it, once', async () => {
    await open({
      routes: (app, { now }) =>
        app.get(
          '/codes',
          requireAssurance({
            factors: 1,
            except: ['pwd'],
            maxAgeSeconds: 300,
            stepUpUrl: '/step-up',
            now,
          }),
          (_req, res) => res.json('codes'),
        ),
    });
    await logIn();
    site.passSeconds(301);
    expect((await browser.get('/codes?all=1', HTML)).headers.get('location')).toBe('/step-up');
    expect((await browser.post('/login/totp', { code: 'right' })).body.returnTo).toBe(
      '/codes?all=1',
    );
    expect((await browser.get('/codes', HTML)).body).toBe('codes');
    expect((await browser.post('/login/totp', { code: 'right' })).body.returnTo).toBeNull();
  });

  test("shows their own: another person's is refused, and the session stays what it was", async () => {
    await open();
    await logIn();
    expect((await browser.post('/login/totp', { code: 'right', of: 'bob' })).body).toMatchObject({
      error: 'no_pending_login',
      user: null,
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });
});

describe('what is recorded of one login never speaks for another', () => {
  const guarded: SiteOptions = {
    routes: (app, { now, people, passport }) => {
      app.get('/vault', requireAssurance({ now }), (req, res) => res.json(req.user));
      app.post('/plain-login', (req, res, next) => {
        req.logIn(
          people[(req.body as { user: string }).user] as Express.User,
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

  test('not for the next user of the browser, even where the app carries the session over', async () => {
    await open(guarded);
    await logIn('ada');
    expect((await browser.get('/vault')).body).toMatchObject({ id: 'ada' });
    await browser.post('/plain-login', { user: 'bob' });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'bob' });
    expect((await browser.get('/vault')).status).toBe(401);
    expect((await browser.post('/login/totp', { code: 'right' })).body).toMatchObject({
      error: 'no_pending_login',
    });
  });

  test('not after a logout that keeps the session', async () => {
    await open(guarded);
    await logIn('ada');
    await browser.post('/logout');
    expect((await browser.get('/vault')).status).toBe(401);
    expect((await browser.post('/login/totp', { code: 'right', of: 'ada' })).body).toMatchObject({
      error: 'no_pending_login',
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
  });

  test('not for somebody whom a strategy put on the request without a session', async () => {
    await open(guarded);
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/token', { code: 'right' })).status).toBe(401);
  });

  test('somebody logged in in another way has nothing recorded, and cannot step up from nothing', async () => {
    await open(guarded);
    await browser.post('/plain-login', { user: 'ada' });
    expect((await browser.get('/vault')).status).toBe(401);
    expect((await browser.post('/login/totp', { code: 'right' })).body).toMatchObject({
      error: 'no_pending_login',
    });
  });
});

describe('with a custom callback', () => {
  test('the user and the factor are given by hand', async () => {
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
    expect((await browser.post('/callback', { code: 'right' })).body).toMatchObject({
      methods: ['pwd', 'backup-code'],
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });
});
