import type { Browser } from './browser';
import { LoginSite, type LoginSiteOptions } from './login-site';

let site: LoginSite;
let browser: Browser;

async function open(options: LoginSiteOptions = {}): Promise<void> {
  site = await LoginSite.open(options);
  browser = site.browser();
}

afterEach(() => site.shut());

describe('pendingLogin', () => {
  test('the pending login ends ten minutes after the first factor', async () => {
    await open();
    await browser.post('/login', { user: 'ada' });
    site.passSeconds(600);
    expect((await browser.get('/whoami')).body.pending).not.toBeNull();
    site.clock += 1;
    expect((await browser.get('/whoami')).body.pending).toBeNull();
    expect(
      (await browser.post('/login/backup-code', { code: 'valid', asUser: 'ada' })).body,
    ).toMatchObject({ error: 'no_pending_login', user: null });
    expect((await browser.get('/whoami')).body).toMatchObject({ user: null });
  });

  test('the app may give the pending login less time', async () => {
    await open({ complete: { maxAgeSeconds: 60 } });
    await browser.post('/login', { user: 'ada' });
    site.passSeconds(61);
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      error: 'no_pending_login',
    });
  });

  test('a pending login from the future does not count, except for a minute', async () => {
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
  ])('the pending login keeps the type of a user id (%s)', async (user, userId, idType) => {
    await open();
    await browser.post('/login', { user });
    expect((await browser.get('/whoami')).body.pending).toMatchObject({ userId, idType });
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
      user: userId,
    });
  });

  test('the app may say how to read the id of a user', async () => {
    const userId = (): string => 'ada@example.org';
    await open({ begin: { userId }, complete: { userId } });
    expect((await browser.post('/login', { user: 'withoutId' })).body.pending).toMatchObject({
      userId: 'ada@example.org',
    });
    expect(
      (await browser.post('/login/backup-code', { code: 'valid', asUser: 'withoutId' })).status,
    ).toBe(200);
  });

  test.each([
    ['not an object', 'ada'],
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
      'amr that has something else than names',
      {
        userId: 'ada',
        factors: [{ method: 'pwd', amr: ['pwd'], at: Date.UTC(2026, 10, 21) }],
        amr: [1],
      },
    ],
    [
      'a bigint without digits',
      {
        userId: { bigint: 'x' },
        factors: [{ method: 'pwd', amr: ['pwd'], at: Date.UTC(2026, 10, 21) }],
        amr: ['pwd'],
      },
    ],
  ])('a record that cannot be read is no pending login: %s', async (_what, pending) => {
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

  test('the pending login that the app sees does not include the page to return to', async () => {
    await open();
    expect(
      Object.keys(
        (await browser.post('/login', { user: 'ada', returnTo: '/inbox' })).body.pending,
      ).sort(),
    ).toEqual(['amr', 'idType', 'methods', 'startedAt', 'userId']);
  });

  test('a user id that half a surrogate pair makes ambiguous is refused everywhere', async () => {
    const factors = [{ method: 'pwd', amr: ['pwd'], at: Date.UTC(2026, 10, 21) }];
    await open({
      routes: (app) =>
        app.get('/plant', (req, res) => {
          Reflect.set(req.session, 'passport-backup-code', {
            pending: { userId: '\ud800', factors, amr: ['pwd'] },
          });
          res.json({});
        }),
      begin: { userId: () => 'ada\udfff' },
    });
    await browser.get('/plant');
    expect((await browser.get('/whoami')).body.pending).toBeNull();
    expect((await browser.post('/login', { user: 'ada' })).body).toMatchObject({
      error: 'invalid_user_id',
    });
  });
});
