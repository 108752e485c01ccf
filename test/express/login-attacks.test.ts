// What an attacker tries on a login of two steps, and requests that overlap.
import { endLogin } from '../../lib/express';
import type { Browser } from './browser';
import { LoginSite, type LoginSiteOptions } from './login-site';

let site: LoginSite;
let browser: Browser;

async function open(options: LoginSiteOptions = {}): Promise<void> {
  site = await LoginSite.open(options);
  browser = site.browser();
}

afterEach(() => site.shut());

describe('attacks on a login', () => {
  beforeEach(() => open());

  test('the session id changes at every step, and an earlier id gives no access', async () => {
    await browser.post('/note', { note: 'planted' });
    const planted = browser.copy();
    await browser.post('/login', { user: 'ada' });
    const pending = browser.copy();
    await browser.post('/login/backup-code', { code: 'valid' });
    expect(new Set([planted.cookie, pending.cookie, browser.cookie]).size).toBe(3);
    expect((await planted.get('/whoami')).body).toMatchObject({
      user: null,
      pending: null,
      note: null,
    });
    expect((await pending.get('/whoami')).body).toMatchObject({ user: null, pending: null });
    expect(Object.keys(await site.store.contents())).toHaveLength(1);
  });

  test('what an attacker puts into the session does not become part of the login', async () => {
    await browser.post('/note', { note: 'planted' });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.get('/whoami')).body.note).toBeNull();
    await browser.post('/note', { note: 'planted again' });
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body.note).toBeNull();
  });

  test("the second factor of one user does not complete another user's pending login", async () => {
    await browser.post('/login', { user: 'ada' });
    expect(
      (await browser.post('/login/backup-code', { code: 'valid', asUser: 'bob' })).body,
    ).toMatchObject({ error: 'no_pending_login', user: null });
    expect((await browser.get('/whoami')).body).toMatchObject({
      user: null,
      isAuthenticated: false,
    });
  });

  test('a second factor without a first one logs no user in', async () => {
    expect(
      (await browser.post('/login/totp', { code: 'valid', asUser: 'ada' })).body,
    ).toMatchObject({
      error: 'no_pending_login',
      user: null,
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
  });

  test('a pending login can be completed only once', async () => {
    await browser.post('/login', { user: 'ada' });
    const tab = browser.copy();
    await browser.post('/login/backup-code', { code: 'valid' });
    expect(
      (await tab.post('/login/backup-code', { code: 'valid', asUser: 'ada' })).body,
    ).toMatchObject({ error: 'no_pending_login' });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });
});

describe('two requests at once on one pending login', () => {
  beforeEach(() => open());

  /** Lets all requests pass the session middleware before the first one is answered. */
  function together(count: number): void {
    let arrived = 0;
    let release: () => void;
    const all = new Promise<void>((resolve) => (release = resolve));
    site.beforeAnswer = () => {
      arrived += 1;
      if (arrived === count) release();
      return all;
    };
  }

  test('two valid factors at once log the same user in, each in a session of its own', async () => {
    await browser.post('/login', { user: 'ada' });
    const tabs = [browser.copy(), browser.copy()];
    together(2);
    const answers = await Promise.all(
      tabs.map((tab) => tab.post('/login/totp', { code: 'valid' })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(tabs[0]!.cookie).not.toBe(tabs[1]!.cookie);
    for (const tab of tabs)
      expect((await tab.get('/whoami')).body).toMatchObject({ user: 'ada', pending: null });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null, pending: null });
  });

  test('an invalid factor, answered last, does not bring the pending login back', async () => {
    await browser.post('/login', { user: 'ada' });
    const old = browser.copy();
    const tab = browser.copy();
    let answered: () => void;
    const first = new Promise<void>((resolve) => (answered = resolve));
    site.beforeAnswer = (code) => (code === 'invalid' ? first : Promise.resolve());
    const second = tab.post('/login/totp', { code: 'invalid' });
    await browser.post('/login/totp', { code: 'valid' });
    answered!();
    expect((await second).status).toBe(401);
    expect(tab.cookie).toBe(old.cookie);
    expect((await old.get('/whoami')).body).toMatchObject({ user: null, pending: null });
    expect(Object.keys(await site.store.contents())).toHaveLength(1);
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });

  test.each<[string, (tab: Browser) => Promise<unknown>]>([
    ['a step-up', (tab) => tab.post('/login/backup-code', { code: 'valid' })],
    ['a new login', (tab) => tab.post('/login', { user: 'ada' })],
    ['endLogin', (tab) => tab.post('/end')],
  ])('a slow request does not restore the login that was ended by %s', async (_what, end) => {
    await site.shut();
    let answer: () => void;
    let arrive: () => void;
    const ended = new Promise<void>((resolve) => (answer = resolve));
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    await open({
      routes: (app) => {
        app.get('/slow', (req, res) => {
          arrive();
          void ended.then(() => {
            Reflect.set(req.session, 'note', 'slow');
            res.json({});
          });
        });
        app.post('/end', (req, res, next) => {
          endLogin(req).then(() => res.json({}), next);
        });
      },
    });
    await browser.post('/login', { user: 'ada' });
    await browser.post('/login/totp', { code: 'valid' });
    const old = browser.copy();
    const slow = old.copy().get('/slow');
    await arrived;
    expect(await end(browser)).toMatchObject({ status: 200 });
    answer!();
    expect((await slow).status).toBe(200);
    expect((await old.get('/whoami')).body).toMatchObject({ user: null, isAuthenticated: false });
    expect(Object.keys(await site.store.contents())).not.toContain(
      decodeURIComponent(old.cookie!).slice('connect.sid=s:'.length).split('.')[0],
    );
    await browser.post('/login', { user: 'ada' });
    await browser.post('/login/totp', { code: 'valid' });
    await browser.post('/note', { note: 'kept' });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada', note: 'kept' });
  });

  test('a slow request does not restore the pending login', async () => {
    await site.shut();
    let answered: () => void;
    const first = new Promise<void>((resolve) => (answered = resolve));
    await open({
      routes: (app) =>
        app.get('/slow', (req, res) => {
          void first.then(() => {
            Reflect.set(req.session, 'note', 'slow');
            res.json({});
          });
        }),
    });
    await browser.post('/login', { user: 'ada' });
    const old = browser.copy();
    const slow = old.get('/slow');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await browser.post('/login/totp', { code: 'valid' });
    answered!();
    await slow;
    expect((await old.get('/whoami')).body).toMatchObject({
      user: null,
      isAuthenticated: false,
      pending: null,
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });
});
