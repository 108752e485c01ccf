import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { beginLogin } from '../../lib/express';
import type { Browser } from './browser';
import { LoginSite } from './login-site';

let site: LoginSite;
let browser: Browser;

beforeEach(async () => {
  site = await LoginSite.open();
  browser = site.browser();
});

afterEach(() => site.shut());

async function expectLoggedOut(visitor: Browser): Promise<void> {
  expect((await visitor.get('/whoami')).body).toMatchObject({ user: null, isAuthenticated: false });
}

/** Lets the first write of a request fail, then the second, and so on, until each has failed. */
async function atEveryWrite(
  prepare: () => Promise<unknown>,
  request: () => Promise<void>,
): Promise<number> {
  for (let n = 1; n < 20; n += 1) {
    await site.store.removeAll();
    browser = site.browser();
    await prepare();
    site.store.failAtWrite(n);
    await request();
    if (!site.store.recover()) return n - 1;
  }
  throw new Error('the writes do not end');
}

describe('a session store that fails', () => {
  test('if any write of the first step fails, no login is begun', async () => {
    const prepare = (): Promise<unknown> =>
      browser.post('/note', { note: 'there is a session before' });
    const writes = await atEveryWrite(prepare, async () => {
      const { status, body } = await browser.post('/login', { user: 'ada' });
      await expectLoggedOut(browser);
      if (status === 200) return;
      expect(body).toMatchObject({
        error: 'session_unavailable',
        cause: 'the store is down',
        user: null,
      });
      expect((await browser.get('/whoami')).body).toMatchObject({ pending: null });
    });
    expect(writes).toBeGreaterThanOrEqual(2);
  });

  test('if any write of the second step fails, no user is logged in', async () => {
    const failures: unknown[] = [];
    const writes = await atEveryWrite(
      () => browser.post('/login', { user: 'ada' }),
      async () => {
        const old = browser.copy();
        const { status, body } = await browser.post('/login/backup-code', { code: 'valid' });
        if (status === 200) {
          // express-session writes once more at the end, after the login was saved.
          expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
          return;
        }
        failures.push(body);
        await expectLoggedOut(browser);
        await expectLoggedOut(old);
      },
    );
    expect([failures.length, writes >= 3]).toEqual([writes - 1, true]);
    for (const body of failures)
      expect(body).toMatchObject({
        error: 'login_unfinished',
        cause: 'the store is down',
        message: expect.stringMatching(/spent; the next one works/),
        user: null,
      });
  });

  test('if any write of a step-up fails, the factor does not count', async () => {
    const failures: unknown[] = [];
    const writes = await atEveryWrite(
      () => browser.post('/login/password-only', { user: 'ada' }),
      async () => {
        const { status, body } = await browser.post('/login/totp', { code: 'valid' });
        if (status === 200) {
          expect(
            Object.values(await site.store.contents()).filter((session) =>
              JSON.stringify(session).includes('totp'),
            ),
          ).toHaveLength(1);
          return;
        }
        failures.push(body);
        for (const session of Object.values(await site.store.contents()))
          expect(JSON.stringify(session)).not.toContain('totp');
      },
    );
    expect([failures.length, writes >= 3]).toEqual([writes - 1, true]);
    for (const body of failures)
      expect(body).toMatchObject({ error: 'login_unfinished', user: null });
  });
});

describe('a session that the app destroyed', () => {
  test('a login begins in a new session if the app just destroyed the old one', async () => {
    await site.shut();
    site = await LoginSite.open({
      routes: (app, { users, now }) =>
        app.post('/fresh-login', (req, res, next) => {
          req.session.destroy(() => {
            beginLogin(req, users['ada'] as Express.User, { now }).then(() => res.json({}), next);
          });
        }),
    });
    browser = site.browser();
    await browser.post('/note', { note: 'old' });
    const old = browser.copy();
    expect((await browser.post('/fresh-login')).status).toBe(200);
    expect(browser.cookie).not.toBe(old.cookie);
    expect((await browser.post('/login/totp', { code: 'valid' })).body).toMatchObject({
      user: 'ada',
      note: null,
    });
    expect((await old.get('/whoami')).body).toMatchObject({ user: null, note: null });
  });

  test('a login begins in a new session if another request destroyed the old one', async () => {
    await browser.post('/note', { note: 'old' });
    await site.store.removeAll();
    expect((await browser.post('/login', { user: 'ada' })).status).toBe(200);
    expect((await browser.post('/login/totp', { code: 'valid' })).body).toMatchObject({
      user: 'ada',
    });
  });
});

describe('serializeUser that fails', () => {
  test('if serializeUser fails, no user is logged in, and the user can try again', async () => {
    await browser.post('/login', { user: 'ada' });
    site.serialize.fails = true;
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      error: 'login_unfinished',
      cause: 'serializeUser failed',
      user: null,
    });
    await expectLoggedOut(browser);
    site.serialize.fails = false;
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      user: 'ada',
    });
  });
});

describe('a Passport that does less than Passport 0.7', () => {
  function passportLogIn(
    logIn: (req: Request, user: { id: unknown }, done: () => void) => void,
  ): void {
    Reflect.set(
      Reflect.get(site.passport, '_sm'),
      'logIn',
      (req: Request, user: { id: unknown }, _options: object, done: () => void) =>
        logIn(req, user, done),
    );
  }

  test('the session is renewed even if logIn of an older Passport does not do it', async () => {
    passportLogIn((req, user, done) => {
      Reflect.set(req.session, 'passport', { user: user.id });
      done();
    });
    await browser.post('/login', { user: 'ada' });
    const pending = browser.copy();
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      user: 'ada',
    });
    expect(browser.cookie).not.toBe(pending.cookie);
    expect((await pending.get('/whoami')).body).toMatchObject({ user: null, pending: null });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });

  test('a logIn that puts no user into the session does not count as a login', async () => {
    passportLogIn((_req, _user, done) => done());
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      error: 'login_unfinished',
      cause: expect.stringMatching(/serializeUser/),
      user: null,
    });
  });
});

describe('a session that fails in another way than express-session', () => {
  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('cannot regenerate');
      },
    ],
    ['rejects and does not call back', () => Promise.reject(new Error('cannot regenerate'))],
  ])(
    'a session that cannot regenerate keeps no login: regenerate %s',
    async (_what, regenerate) => {
      await site.shut();
      const state: Record<string, unknown> = {
        cookie: {},
        passport: {
          user: 'ada',
          mark: {
            session: createHash('sha256').update('fixed').digest('hex'),
            startedAt: Date.UTC(2026, 10, 21),
            isBehindUser: true,
          },
        },
        'passport-backup-code': {
          login: {
            userId: 'ada',
            factors: [{ method: 'pwd', amr: ['pwd'], at: Date.UTC(2026, 10, 21) }],
            amr: ['pwd'],
          },
        },
      };
      Object.defineProperty(state, 'id', { value: 'fixed' });
      Object.defineProperty(state, 'regenerate', { value: regenerate });
      Object.defineProperty(state, 'save', { value: (done: () => void) => done() });
      site = await LoginSite.open({
        sessions: (req, _res, next) => {
          Reflect.set(req, 'session', state);
          next();
        },
      });
      browser = site.browser();
      expect((await browser.post('/login/totp', { code: 'valid' })).body).toMatchObject({
        error: 'login_unfinished',
        cause: 'cannot regenerate',
      });
      expect(Object.keys(state)).toEqual(['cookie']);
    },
  );
});
