import type { Request } from 'express';
import { beginLogin, completeLogin, pendingLogin } from '../../lib/express';
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
])('the first step of a login on Express %s', (_version, express) => {
  beforeEach(() => open({ express }));

  test('after the first factor there is a pending login, and no user is logged in', async () => {
    const { body } = await browser.post('/login', { user: 'ada' });
    const expected = {
      user: null,
      isAuthenticated: false,
      pending: {
        userId: 'ada',
        idType: 'string',
        methods: ['pwd'],
        amr: ['pwd'],
        startedAt: site.clock,
      },
    };
    expect(body).toMatchObject(expected);
    expect((await browser.get('/whoami')).body).toMatchObject(expected);
  });

  test('a user without an id gives an error to the error handler', async () => {
    expect((await browser.post('/login', { user: 'withoutId' })).body).toMatchObject({
      error: 'invalid_user_id',
    });
  });
});

describe('the factor that is recorded', () => {
  test('without amr, the first factor is a password', async () => {
    await open({ begin: { amr: undefined } });
    expect((await browser.post('/login', { user: 'ada' })).body.pending).toMatchObject({
      methods: ['pwd'],
      amr: ['pwd'],
    });
  });

  test('"mfa" follows from the kinds of factor and is never copied from the app', async () => {
    await open({ begin: { amr: ['pwd', 'mfa'] } });
    expect((await browser.post('/login', { user: 'ada' })).body.pending).toMatchObject({
      methods: ['pwd'],
      amr: ['pwd'],
    });
  });

  test('without methods, the names in amr that are factors are the methods', async () => {
    await open({ begin: { amr: ['hwk', 'user'] } });
    expect((await browser.post('/login', { user: 'ada' })).body.pending).toMatchObject({
      methods: ['hwk'],
      amr: ['hwk', 'user'],
    });
  });
});

describe('a login that begins while a user is logged in', () => {
  test('a new login logs the earlier user out, at once and in the session', async () => {
    await open();
    await browser.post('/login', { user: 'ada' });
    await browser.post('/login/backup-code', { code: 'valid' });
    expect((await browser.post('/login', { user: 'bob' })).body).toMatchObject({
      user: null,
      isAuthenticated: false,
      pending: { userId: 'bob' },
    });
    expect((await browser.get('/whoami')).body).toMatchObject({
      user: null,
      isAuthenticated: false,
    });
  });

  test('a new login logs the earlier user out under any user property of Passport', async () => {
    await open({ userProperty: 'account' });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      user: 'ada',
      isAuthenticated: true,
    });
    expect((await browser.post('/login', { user: 'bob' })).body).toMatchObject({
      user: null,
      isAuthenticated: false,
    });
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      user: 'bob',
    });
  });
});

describe('keep', () => {
  /** A site whose sessions also hold a cart, and a page that shows both. */
  async function openShop(options: LoginSiteOptions = {}): Promise<void> {
    await open({
      begin: { keep: ['cart'] },
      ...options,
      routes: (app, shop) => {
        app.post('/cart', (req, res) => {
          Reflect.set(req.session, 'cart', req.body);
          res.json({});
        });
        app.get('/cart', (req, res) => res.json(Reflect.get(req.session, 'cart') ?? null));
        options.routes?.(app, shop);
      },
    });
    await browser.post('/note', { note: 'not kept' });
    await browser.post('/cart', { apples: 2 });
  }
  const cart = async (): Promise<unknown> => (await browser.get('/cart')).body;
  const note = async (): Promise<unknown> => (await browser.get('/whoami')).body.note;

  test('the keys to keep move into a session with a new id, and no other key does', async () => {
    await openShop();
    const before = browser.copy();
    await browser.post('/login', { user: 'ada' });
    expect(browser.cookie).not.toBe(before.cookie);
    expect([await cart(), await note()]).toEqual([{ apples: 2 }, null]);
    expect((await before.get('/cart')).body).toBeNull();
    expect(Object.keys(await site.store.contents())).toHaveLength(1);
  });

  test('only the keys to keep are still there after the login was completed', async () => {
    await openShop();
    await browser.post('/login', { user: 'ada' });
    await browser.post('/note', { note: 'not kept either' });
    await browser.post('/cart', { apples: 3 });
    const pending = browser.copy();
    expect((await browser.post('/login/totp', { code: 'valid' })).status).toBe(200);
    expect(browser.cookie).not.toBe(pending.cookie);
    expect([await cart(), await note()]).toEqual([{ apples: 3 }, null]);
    const [session] = Object.values(await site.store.contents());
    expect(Object.keys(session!).sort()).toEqual([
      'cart',
      'cookie',
      'passport',
      'passport-backup-code',
    ]);
    expect(session!['passport-backup-code']).not.toHaveProperty('keptKeys');
  });

  test('a key that the session does not have is not made', async () => {
    await openShop({ begin: { keep: ['basket', 'toString', 'save', 'id'] } });
    await browser.post('/login', { user: 'ada' });
    await browser.post('/login/totp', { code: 'valid' });
    const [session] = Object.values(await site.store.contents());
    expect(Object.keys(session!).sort()).toEqual(['cookie', 'passport', 'passport-backup-code']);
  });

  test('the login is not kept if Passport stores it under another key', async () => {
    await openShop({
      begin: { keep: ['account'] },
      routes: (_app, { passport }) => {
        Reflect.set(Reflect.get(passport, '_sm') as object, '_key', 'account');
      },
    });
    expect((await browser.post('/login', { user: 'ada' })).body).toMatchObject({
      error: 'invalid_option',
      message: expect.stringContaining('"account"'),
    });
  });

  test('a list of kept keys that was planted in the session moves no login', async () => {
    await openShop({
      routes: (app) =>
        app.get('/plant', (req, res) => {
          const state = Reflect.get(req.session, 'passport-backup-code') as object;
          Object.assign(state, { keptKeys: ['cookie', 'passport', 'passport-backup-code'] });
          Reflect.set(req.session, 'passport', { user: 'bob' });
          res.json({});
        }),
    });
    await browser.post('/login', { user: 'ada' });
    await browser.get('/plant');
    const { body } = await browser.post('/login/totp', { code: 'valid', asUser: 'ada' });
    expect(body).toMatchObject({ user: 'ada', pending: null });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada', pending: null });
  });
});

describe('mistakes in a call of beginLogin', () => {
  test.each<[string, object, RegExp]>([
    ['an unknown option', { begin: { retrunTo: '/' } }, /retrunTo/],
    ['an empty amr', { begin: { amr: [] } }, /amr/],
    ['amr that is a string', { begin: { amr: 'pwd' as unknown as string[] } }, /amr/],
    ['a method with a space', { begin: { methods: ['my password'] } }, /methods/],
    ['a clock that is not a function', { begin: { now: 5 } }, /now/],
    ['methods without amr', { begin: { amr: undefined, methods: ['sso'] } }, /needs amr/],
    ['keys to keep that are a string', { begin: { keep: 'cart' } }, /keep must be an array/],
    ['keys to keep that are not strings', { begin: { keep: [1] } }, /keep must be an array/],
    ['the login as a key to keep', { begin: { keep: ['cart', 'passport'] } }, /"passport"/],
    ['the cookie as a key to keep', { begin: { keep: ['cookie'] } }, /"cookie"/],
    [
      'the records of this package as a key to keep',
      { begin: { keep: ['passport-backup-code'] } },
      /"passport-backup-code"/,
    ],
  ])('beginLogin refuses %s and changes nothing', async (_what, options, message) => {
    await open(options);
    await browser.post('/note', { note: 'kept' });
    expect((await browser.post('/login', { user: 'ada' })).body).toMatchObject({
      error: 'invalid_option',
      message: expect.stringMatching(message),
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ note: 'kept', pending: null });
  });
});

describe('a session that cannot carry a login', () => {
  test('without a session each call says that express-session must be mounted', async () => {
    await open();
    const missing = expect.objectContaining({
      code: 'session_unavailable',
      message: expect.stringMatching(/Mount express-session/),
    });
    const req: Request = Object.create(null);
    await expect(beginLogin(req, { id: 1 }, { amr: ['pwd'] })).rejects.toEqual(missing);
    expect(() => pendingLogin(req)).toThrow(missing);
    await expect(completeLogin(req)).rejects.toEqual(missing);
  });

  test('a session that cannot be regenerated, as with cookie-session, is refused', async () => {
    await open({
      sessions: (req, _res, next) => {
        Reflect.set(req, 'session', {});
        next();
      },
    });
    expect((await browser.post('/login', { user: 'ada' })).body).toMatchObject({
      error: 'session_unavailable',
      message: expect.stringMatching(/regenerate/),
    });
  });
});
