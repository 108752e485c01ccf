import type { Request } from 'express';
import { beginLogin, completeLogin, pendingLogin } from '../../lib/express';
import { express4, express5, Site, type Browser, type SiteOptions } from './login-site';

let site: Site;
let browser: Browser;

async function open(options: SiteOptions = {}): Promise<void> {
  site = await Site.open(options);
  browser = site.browser();
}

afterEach(() => site.shut());

describe.each([
  ['4', express4],
  ['5', express5],
])('a login over two requests, on Express %s', (_version, express) => {
  beforeEach(() => open({ express }));

  test('after the first factor there is a pending login, and nobody is logged in', async () => {
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

  test('the second factor completes it, and the session remembers the user', async () => {
    await browser.post('/login', { user: 'ada', returnTo: '/inbox?page=2' });
    const { status, body } = await browser.post('/login/backup-code', { code: 'right' });
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

  test('a wrong second factor leaves the pending login as it was', async () => {
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'wrong' })).status).toBe(401);
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      user: 'ada',
    });
  });

  test('an error goes to the error handler', async () => {
    expect((await browser.post('/login', { user: 'nobody' })).body).toMatchObject({
      error: 'invalid_user_id',
    });
    expect(
      (await browser.post('/login/backup-code', { code: 'right', of: 'ada' })).body,
    ).toMatchObject({ error: 'no_pending_login' });
  });
});

describe('what a completed login is remembered as', () => {
  test('it is saved under the user id, with every factor and its time', async () => {
    await open();
    await browser.post('/login', { user: 'ada' });
    site.passSeconds(20);
    await browser.post('/login/backup-code', { code: 'right' });
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

  test('two factors of one kind are not called multi-factor', async () => {
    await open({ begin: { amr: ['otp'], methods: ['totp'] } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      methods: ['totp', 'backup-code'],
      amr: ['otp'],
      acr: 'aal1',
    });
  });

  test('"mfa" is concluded from the factors, never taken over', async () => {
    await open({ begin: { amr: ['pwd', 'mfa'] } });
    expect((await browser.post('/login', { user: 'ada' })).body.pending).toMatchObject({
      methods: ['pwd'],
      amr: ['pwd'],
    });
  });

  test('a security key unlocked by a PIN is of two kinds', async () => {
    await open({ begin: { amr: ['hwk', 'pin'], methods: ['passkey'] } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      methods: ['passkey', 'backup-code'],
      amr: ['hwk', 'pin', 'otp', 'mfa'],
      acr: 'aal2',
    });
  });

  test('methods that are not named are those of amr that are factors', async () => {
    await open({ begin: { amr: ['hwk', 'user'] } });
    expect((await browser.post('/login', { user: 'ada' })).body.pending).toMatchObject({
      methods: ['hwk'],
      amr: ['hwk', 'user'],
    });
  });

  test('the app may say which factor it was where the strategy does not', async () => {
    await open({ complete: { method: 'totp', amr: ['otp'] } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/silent', { code: 'right' })).body).toMatchObject({
      methods: ['pwd', 'totp'],
    });
  });

  test('what the strategy says is believed before what the app says, so that a backup code never passes for TOTP', async () => {
    await open({ complete: { method: 'totp', amr: ['otp'] } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      methods: ['pwd', 'backup-code'],
    });
  });
});

describe('a login by one factor', () => {
  test('is completed only when the app says that no second one is enrolled', async () => {
    await open();
    const { body } = await browser.post('/login/without', { user: 'ada' });
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

  test('is not completed by forgetting to say which factor was shown', async () => {
    await open();
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/silent', { code: 'right' })).body).toMatchObject({
      error: 'invalid_option',
      message: expect.stringContaining('secondFactor'),
      user: null,
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
  });

  test('is not completed by showing the first factor twice', async () => {
    await open();
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/pwd', { code: 'right' })).body).toMatchObject({
      error: 'invalid_option',
      message: expect.stringContaining('"pwd"'),
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
  });

  test('needs a pending login like any other', async () => {
    await open({ complete: { secondFactor: 'not_enrolled' } });
    expect(
      (await browser.post('/login/backup-code', { code: 'right', of: 'ada' })).body,
    ).toMatchObject({ error: 'no_pending_login' });
    await browser.post('/login/without', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      error: 'invalid_option',
    });
  });

  test('is completed by no other word, and not together with a method', async () => {
    await open({ complete: { secondFactor: 'none' as 'not_enrolled' } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/silent', { code: 'right' })).body).toMatchObject({
      error: 'invalid_option',
    });
    await site.shut();
    await open({ complete: { secondFactor: 'not_enrolled', method: 'totp', amr: ['otp'] } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/silent', { code: 'right' })).body).toMatchObject({
      error: 'invalid_option',
    });
  });
});

describe('the pending login', () => {
  test('ends ten minutes after the first factor', async () => {
    await open();
    await browser.post('/login', { user: 'ada' });
    site.passSeconds(600);
    expect((await browser.get('/whoami')).body.pending).not.toBeNull();
    site.clock += 1;
    expect((await browser.get('/whoami')).body.pending).toBeNull();
    expect(
      (await browser.post('/login/backup-code', { code: 'right', of: 'ada' })).body,
    ).toMatchObject({ error: 'no_pending_login', user: null });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
  });

  test('may be given less time', async () => {
    await open({ complete: { maxAgeSeconds: 60 } });
    await browser.post('/login', { user: 'ada' });
    site.passSeconds(61);
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      error: 'no_pending_login',
    });
  });

  test('from the future is none, but for a minute that two clocks may differ by', async () => {
    await open();
    await browser.post('/login', { user: 'ada' });
    site.passSeconds(-60);
    expect((await browser.get('/whoami')).body.pending).not.toBeNull();
    site.passSeconds(-1);
    expect((await browser.get('/whoami')).body.pending).toBeNull();
  });

  test.each([
    ['seven', '7', 'number'],
    ['zero', '0', 'number'],
    ['big', '12345678901234567890', 'bigint'],
  ])('keeps the type of an id (%s)', async (user, userId, idType) => {
    await open();
    await browser.post('/login', { user });
    expect((await browser.get('/whoami')).body.pending).toMatchObject({ userId, idType });
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      user: userId,
    });
  });

  test('finds the id where the app says it is', async () => {
    const userId = (): string => 'ada@example.org';
    await open({ begin: { userId }, complete: { userId } });
    expect((await browser.post('/login', { user: 'nobody' })).body.pending).toMatchObject({
      userId: 'ada@example.org',
    });
    expect((await browser.post('/login/backup-code', { code: 'right', of: 'nobody' })).status).toBe(
      200,
    );
  });

  test.each([
    ['no object', 'ada'],
    [
      'no user',
      { factors: [{ method: 'pwd', amr: ['pwd'], at: Date.UTC(2026, 10, 21) }], amr: ['pwd'] },
    ],
    ['no factor', { userId: 'ada', factors: [], amr: ['pwd'] }],
    [
      'a factor without a time',
      { userId: 'ada', factors: [{ method: 'pwd', amr: ['pwd'], at: 'now' }], amr: ['pwd'] },
    ],
    [
      'amr of other things than names',
      {
        userId: 'ada',
        factors: [{ method: 'pwd', amr: ['pwd'], at: Date.UTC(2026, 10, 21) }],
        amr: [1],
      },
    ],
    [
      'a bigint that is none',
      {
        userId: { bigint: 'x' },
        factors: [{ method: 'pwd', amr: ['pwd'], at: Date.UTC(2026, 10, 21) }],
        amr: ['pwd'],
      },
    ],
  ])('is none where its record makes no sense: %s', async (_what, pending) => {
    await open({
      routes: (app) =>
        app.get('/plant', (req, res) => {
          Reflect.set(req.session, 'passport-backup-code', { pending });
          res.json({});
        }),
    });
    await browser.get('/plant');
    expect((await browser.get('/whoami')).body.pending).toBeNull();
  });

  test('is told without where to go, which is not for the strategy', async () => {
    await open();
    expect(
      Object.keys(
        (await browser.post('/login', { user: 'ada', returnTo: '/inbox' })).body.pending,
      ).sort(),
    ).toEqual(['amr', 'idType', 'methods', 'startedAt', 'userId']);
  });
});

describe('whoever is logged in when another login begins', () => {
  test('is so no longer, at once and in the session', async () => {
    await open();
    await browser.post('/login', { user: 'ada' });
    await browser.post('/login/backup-code', { code: 'right' });
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

  test('also where Passport keeps the user under another name', async () => {
    await open({ userProperty: 'account' });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      user: 'ada',
      isAuthenticated: true,
    });
    expect((await browser.post('/login', { user: 'bob' })).body).toMatchObject({
      user: null,
      isAuthenticated: false,
    });
    expect((await browser.post('/login/backup-code', { code: 'right' })).body).toMatchObject({
      user: 'bob',
    });
  });
});

describe('attacks on a login', () => {
  beforeEach(() => open());

  test('the session id changes at every step, and each one left is dead', async () => {
    await browser.post('/note', { note: 'planted' });
    const planted = browser.copy();
    await browser.post('/login', { user: 'ada' });
    const pending = browser.copy();
    await browser.post('/login/backup-code', { code: 'right' });
    expect(new Set([planted.cookie, pending.cookie, browser.cookie]).size).toBe(3);
    expect((await planted.get('/whoami')).body).toMatchObject({
      user: null,
      pending: null,
      note: null,
    });
    expect((await pending.get('/whoami')).body).toMatchObject({ user: null, pending: null });
    expect(Object.keys(await site.store.contents())).toHaveLength(1);
  });

  test('what a stranger put into the session does not come along into the login', async () => {
    await browser.post('/note', { note: 'planted' });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.get('/whoami')).body.note).toBeNull();
    await browser.post('/note', { note: 'planted again' });
    expect((await browser.post('/login/backup-code', { code: 'right' })).body.note).toBeNull();
  });

  test("one person's second factor does not complete another's pending login", async () => {
    await browser.post('/login', { user: 'ada' });
    expect(
      (await browser.post('/login/backup-code', { code: 'right', of: 'bob' })).body,
    ).toMatchObject({ error: 'no_pending_login', user: null });
    expect((await browser.get('/whoami')).body).toMatchObject({
      user: null,
      isAuthenticated: false,
    });
  });

  test('a second factor alone logs nobody in', async () => {
    expect((await browser.post('/login/totp', { code: 'right', of: 'ada' })).body).toMatchObject({
      error: 'no_pending_login',
      user: null,
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
  });

  test('a pending login is completed once', async () => {
    await browser.post('/login', { user: 'ada' });
    const tab = browser.copy();
    await browser.post('/login/backup-code', { code: 'right' });
    expect((await tab.post('/login/backup-code', { code: 'right', of: 'ada' })).body).toMatchObject(
      { error: 'no_pending_login' },
    );
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });
});

describe('two requests of one pending login at once', () => {
  beforeEach(() => open());

  /** Both are past the session middleware before either is answered. */
  function together(count: number): void {
    let arrived = 0;
    let release: () => void;
    const all = new Promise<void>((resolve) => (release = resolve));
    site.meanwhile = () => {
      arrived += 1;
      if (arrived === count) release();
      return all;
    };
  }

  test('log in the same user, each in a session of its own, or fail; neither breaks the other', async () => {
    await browser.post('/login', { user: 'ada' });
    const tabs = [browser.copy(), browser.copy()];
    together(2);
    const answers = await Promise.all(
      tabs.map((tab) => tab.post('/login/totp', { code: 'right' })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(tabs[0]!.cookie).not.toBe(tabs[1]!.cookie);
    for (const tab of tabs)
      expect((await tab.get('/whoami')).body).toMatchObject({ user: 'ada', pending: null });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null, pending: null });
  });

  test('where one factor is right and one wrong, the wrong one does not bring the pending login back', async () => {
    await browser.post('/login', { user: 'ada' });
    const old = browser.copy();
    const tab = browser.copy();
    let answered: () => void;
    const first = new Promise<void>((resolve) => (answered = resolve));
    site.meanwhile = (code) => (code === 'wrong' ? first : Promise.resolve());
    const second = tab.post('/login/totp', { code: 'wrong' });
    await browser.post('/login/totp', { code: 'right' });
    answered!();
    expect((await second).status).toBe(401);
    expect(tab.cookie).toBe(old.cookie);
    expect((await old.get('/whoami')).body).toMatchObject({ user: null, pending: null });
    expect(Object.keys(await site.store.contents())).toHaveLength(1);
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });

  test('a request under way that writes to its session revives the pending login, which still lets nobody in and ends on time', async () => {
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
    await browser.post('/login/totp', { code: 'right' });
    answered!();
    await slow;
    expect((await old.get('/whoami')).body).toMatchObject({
      user: null,
      isAuthenticated: false,
      pending: { userId: 'ada' },
    });
    expect((await old.post('/login/totp', { code: 'wrong' })).status).toBe(401);
    site.passSeconds(601);
    expect((await old.get('/whoami')).body).toMatchObject({ user: null, pending: null });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
  });
});

describe('mistakes in the calls', () => {
  test.each<[string, object, RegExp]>([
    ['an unknown option', { begin: { retrunTo: '/' } }, /retrunTo/],
    ['no amr', { begin: { amr: [] } }, /amr/],
    ['amr that is a string', { begin: { amr: 'pwd' as unknown as string[] } }, /amr/],
    ['a method with a space', { begin: { methods: ['my password'] } }, /methods/],
    ['a clock that is none', { begin: { now: 5 } }, /now/],
  ])('beginLogin refuses %s and changes nothing', async (_what, options, message) => {
    await open(options);
    await browser.post('/note', { note: 'kept' });
    expect((await browser.post('/login', { user: 'ada' })).body).toMatchObject({
      error: 'invalid_option',
      message: expect.stringMatching(message),
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ note: 'kept', pending: null });
  });

  test.each<[string, object, RegExp]>([
    ['an unknown option', { totp: true }, /totp/],
    ['an age out of range', { maxAgeSeconds: 0 }, /maxAgeSeconds/],
    ['amr without a method', { amr: ['otp'] }, /told which factor/],
    ['a method without amr', { method: 'totp' }, /told which factor/],
  ])('completeLogin refuses %s and logs nobody in', async (_what, complete, message) => {
    await open({ complete: complete });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/silent', { code: 'right' })).body).toMatchObject({
      error: 'invalid_option',
      message: expect.stringMatching(message),
      user: null,
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
  });
});

describe('a session that cannot carry a login', () => {
  test('is missed in so many words', async () => {
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

  test('is refused where it cannot be regenerated, as with cookie-session', async () => {
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
