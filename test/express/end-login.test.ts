import type { Request } from 'express';
import { endLogin, requireAssurance } from '../../lib/express';
import type { Browser } from './browser';
import { express4, express5, LoginSite, type LoginSiteOptions } from './login-site';

let site: LoginSite;
let browser: Browser;

async function open(options: LoginSiteOptions = {}): Promise<void> {
  site = await LoginSite.open({
    ...options,
    routes: (app, { now, users }) => {
      app.get('/vault', requireAssurance({ now }), (_req, res) => res.json('in'));
      app.post('/end', (req, res, next) => {
        endLogin(req).then(() => res.json({ user: req.user ?? null }), next);
      });
      app.post('/destroy-and-end', (req, res, next) => {
        req.session.destroy(() => {
          endLogin(req).then(() => res.json({ user: req.user ?? null }), next);
        });
      });
      app.post('/plain-login', (req, res, next) => {
        req.logIn(
          users['ada'] as Express.User,
          { keepSessionInfo: true, session: true },
          (error) => (error ? next(error) : res.json({})),
        );
      });
    },
  });
  browser = site.browser();
}

async function logIn(): Promise<void> {
  await browser.post('/login', { user: 'ada' });
  await browser.post('/login/totp', { code: 'valid' });
  expect((await browser.get('/vault')).body).toBe('in');
}

afterEach(() => site.shut());

test.each([
  ['4', express4],
  ['5', express5],
])(
  'endLogin logs the user out and leaves nothing in the store (Express %s)',
  async (_v, express) => {
    await open({ express });
    await logIn();
    await browser.post('/note', { note: 'in the cart' });
    const before = browser.copy();
    expect((await browser.post('/end')).body).toEqual({ user: null });
    for (const visitor of [browser, before]) {
      expect((await visitor.get('/whoami')).body).toMatchObject({ user: null, note: null });
      expect((await visitor.get('/vault')).status).toBe(401);
    }
    expect(JSON.stringify(await site.store.contents())).not.toMatch(/ada|cart/);
  },
);

test('a plain login after endLogin has no record of factors', async () => {
  await open();
  await logIn();
  await browser.post('/end');
  await browser.post('/plain-login');
  expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  expect((await browser.get('/vault')).status).toBe(401);
});

test('endLogin ends a pending login, and does nothing for a visitor', async () => {
  await open();
  await browser.post('/login', { user: 'ada' });
  expect((await browser.post('/end')).status).toBe(200);
  expect((await browser.get('/whoami')).body).toMatchObject({ pending: null });
  const stored = await site.store.contents();
  expect(JSON.stringify(stored)).not.toContain('ada');
  expect((await site.browser().post('/end')).status).toBe(200);
  expect(await site.store.contents()).toEqual(stored);
});

test('endLogin accepts a session that was destroyed in the same request', async () => {
  await open();
  await logIn();
  expect((await browser.post('/destroy-and-end')).body).toEqual({ user: null });
  expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
});

test('if a write of the store fails, endLogin says so, and the request has no user', async () => {
  await open();
  for (const write of [1, 2]) {
    await logIn();
    const before = browser.copy();
    site.store.failAtWrite(write);
    expect((await browser.post('/end')).body).toMatchObject({
      error: 'session_unavailable',
      cause: 'the store is down',
      user: null,
    });
    site.store.recover();
    expect((await before.get('/whoami')).body).toMatchObject({ user: null });
  }
});

test('endLogin needs a session', async () => {
  await open();
  const request = Object.create(express5.request) as Request;
  await expect(endLogin(request)).rejects.toMatchObject({ code: 'session_unavailable' });
});
