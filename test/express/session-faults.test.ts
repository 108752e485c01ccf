import type { Request } from 'express';
import { Site, type Browser } from './login-site';

let site: Site;
let browser: Browser;

beforeEach(async () => {
  site = await Site.open();
  browser = site.browser();
});

afterEach(() => site.shut());

async function expectNobody(who: Browser): Promise<void> {
  expect((await who.get('/whoami')).body).toMatchObject({ user: null, isAuthenticated: false });
}

/** Lets the first, the second, ... write of a request fail, each in a browser of its own, until there is no such write. */
async function atEveryWrite(
  prepare: () => Promise<unknown>,
  request: () => Promise<void>,
): Promise<number> {
  for (let n = 1; n < 20; n += 1) {
    await site.store.empty();
    browser = site.browser();
    await prepare();
    site.store.failAtWrite(n);
    await request();
    if (!site.store.recover()) return n - 1;
  }
  throw new Error('there is no end of writes');
}

describe('where the session store fails', () => {
  test('at any write of a first factor, no login is begun', async () => {
    const prepare = (): Promise<unknown> =>
      browser.post('/note', { note: 'there is a session before' });
    const writes = await atEveryWrite(prepare, async () => {
      const { status, body } = await browser.post('/login', { user: 'ada' });
      await expectNobody(browser);
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

  test('at any write of a second factor, nobody is logged in, and the person is told that the code is spent', async () => {
    const failures: unknown[] = [];
    const writes = await atEveryWrite(
      () => browser.post('/login', { user: 'ada' }),
      async () => {
        const old = browser.copy();
        const { status, body } = await browser.post('/login/backup-code', { code: 'right' });
        if (status === 200) {
          // Only what express-session writes once more at the end, when the login is kept already.
          expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
          return;
        }
        failures.push(body);
        await expectNobody(browser);
        await expectNobody(old);
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

  test('at any write of a step-up, the factor counts for nothing', async () => {
    const failures: unknown[] = [];
    const writes = await atEveryWrite(
      () => browser.post('/login/without', { user: 'ada' }),
      async () => {
        const { status, body } = await browser.post('/login/totp', { code: 'right' });
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

describe('where serializeUser fails', () => {
  test('nobody is logged in, and the person can go on', async () => {
    await browser.post('/login', { user: 'ada' });
    site.serialize.fails = true;
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      error: 'login_unfinished',
      cause: 'serializeUser failed',
      user: null,
    });
    await expectNobody(browser);
    site.serialize.fails = false;
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      user: 'ada',
    });
  });
});

describe('where Passport does less than Passport 0.7', () => {
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

  test('and does not renew the session in logIn (0.5 and older), the session is renewed all the same', async () => {
    passportLogIn((req, user, done) => {
      Reflect.set(req.session, 'passport', { user: user.id });
      done();
    });
    await browser.post('/login', { user: 'ada' });
    const pending = browser.copy();
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      user: 'ada',
    });
    expect(browser.cookie).not.toBe(pending.cookie);
    expect((await pending.get('/whoami')).body).toMatchObject({ user: null, pending: null });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });

  test('and puts nobody into the session, that is not taken for a login', async () => {
    passportLogIn((_req, _user, done) => done());
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      error: 'login_unfinished',
      cause: expect.stringMatching(/serializeUser/),
      user: null,
    });
  });
});

describe('where a session regenerates in no way of express-session', () => {
  test('a fault leaves nobody logged in all the same', async () => {
    await site.shut();
    const state: Record<string, unknown> = {
      cookie: {},
      passport: { user: 'ada' },
      'passport-backup-code': {
        login: {
          userId: 'ada',
          factors: [{ method: 'pwd', amr: ['pwd'], at: Date.UTC(2026, 10, 21) }],
          amr: ['pwd'],
        },
      },
    };
    Object.defineProperty(state, 'regenerate', {
      value: () => {
        throw new Error('cannot regenerate');
      },
    });
    Object.defineProperty(state, 'save', { value: (done: () => void) => done() });
    site = await Site.open({
      sessions: (req, _res, next) => {
        Reflect.set(req, 'session', state);
        next();
      },
    });
    browser = site.browser();
    expect((await browser.post('/login/totp', { code: 'right' })).body).toMatchObject({
      error: 'login_unfinished',
      cause: 'cannot regenerate',
    });
    expect(Object.keys(state)).toEqual(['cookie']);
  });
});
