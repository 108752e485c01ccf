import { requireAssurance, type AssuranceOptions } from '../../lib/express';
import type { Browser } from './browser';
import { expectIn, openGuardedSite } from './guarded-site';
import { express4, express5, type LoginSite, type LoginSiteOptions } from './login-site';

let site: LoginSite;
let browser: Browser;

async function guard(options: AssuranceOptions, more: LoginSiteOptions = {}): Promise<void> {
  site = await openGuardedSite((now) => requireAssurance({ now, ...options }), more);
  browser = site.browser();
}

async function logIn(second: string): Promise<void> {
  await browser.post('/login', { user: 'ada' });
  expect((await browser.post(`/login/${second}`, { code: 'valid' })).status).toBe(200);
}

afterEach(() => site.shut());

describe('the users who get through', () => {
  test('a user who is not logged in does not get through', async () => {
    await guard({ factors: 1 });
    expect((await browser.get('/guarded')).status).toBe(401);
  });

  test('a user whose login is pending does not get through', async () => {
    await guard({ factors: 1 });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.get('/guarded')).status).toBe(401);
  });

  test.each([
    ['4', express4],
    ['5', express5],
  ])(
    'a user who showed two kinds of factor gets through, however long ago that was (Express %s)',
    async (_version, express) => {
      await guard({}, { express });
      await logIn('totp');
      site.passSeconds(86_400);
      expectIn(await browser.get('/guarded'));
    },
  );

  test('a user with one factor does not get through if two are required', async () => {
    await guard({});
    await browser.post('/login/password-only', { user: 'ada' });
    expect((await browser.get('/guarded')).status).toBe(401);
  });

  test('by default a fresh backup code is as good as TOTP', async () => {
    await guard({ factors: 2, maxAgeSeconds: 300 });
    await logIn('backup-code');
    expectIn(await browser.get('/guarded'));
  });
});

describe('kinds of factor', () => {
  test('TOTP and a backup code are one kind of factor', async () => {
    await guard({ factors: 2 }, { begin: { amr: ['otp'], methods: ['totp'] } });
    await logIn('backup-code');
    expect((await browser.get('/guarded')).body).toMatchObject({
      factors: 2,
      fresh: ['possession'],
    });
  });

  test('a method in except does not count', async () => {
    await guard({ factors: 2, except: ['backup-code'] });
    await logIn('backup-code');
    expect((await browser.get('/guarded')).body).toMatchObject({ fresh: ['knowledge'] });
    await browser.post('/login/totp', { code: 'valid' });
    expectIn(await browser.get('/guarded'));
  });

  test('except names a method and not its amr, which TOTP shares with a backup code', async () => {
    await guard({ factors: 2, except: ['backup-code'] });
    await logIn('totp');
    expectIn(await browser.get('/guarded'));
  });

  test('each method of a first step counts alone, and except may name one of them', async () => {
    await guard({ factors: 2, except: ['sms'] }, { begin: { amr: ['pwd', 'sms'] } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/pwd', { code: 'valid' })).status).toBe(500);
    await browser.post('/login/backup-code', { code: 'valid' });
    expectIn(await browser.get('/guarded'));
    await browser.post('/login', { user: 'ada' });
    expect((await browser.get('/guarded')).status).toBe(401);
  });
});

describe('freshness', () => {
  test('a factor stops being fresh maxAgeSeconds after it was shown', async () => {
    await guard({ factors: 2, maxAgeSeconds: 300 });
    await logIn('totp');
    site.passSeconds(300);
    expectIn(await browser.get('/guarded'));
    site.clock += 1;
    expect((await browser.get('/guarded')).status).toBe(401);
  });

  test('a fresh password does not make an old second factor fresh, or vice versa', async () => {
    await guard({ factors: 2, maxAgeSeconds: 300 });
    await logIn('totp');
    site.passSeconds(301);
    await browser.post('/login/pwd', { code: 'valid' });
    expect((await browser.get('/guarded')).body).toMatchObject({ fresh: ['knowledge'] });
    site.passSeconds(301);
    await browser.post('/login/totp', { code: 'valid' });
    expect((await browser.get('/guarded')).body).toMatchObject({ fresh: ['possession'] });
    await browser.post('/login/pwd', { code: 'valid' });
    expectIn(await browser.get('/guarded'));
  });

  test('a guard that excepts the password asks for a fresh second factor alone', async () => {
    await guard({ factors: 1, except: ['pwd'], maxAgeSeconds: 300 });
    await logIn('totp');
    site.passSeconds(301);
    await browser.post('/login/pwd', { code: 'valid' });
    expect((await browser.get('/guarded')).body).toMatchObject({ fresh: [] });
    await browser.post('/login/backup-code', { code: 'valid' });
    expectIn(await browser.get('/guarded'));
  });

  test('a factor from the future is not fresh', async () => {
    await guard({ factors: 2, maxAgeSeconds: 300 });
    await logIn('totp');
    site.passSeconds(-61);
    expect((await browser.get('/guarded')).status).toBe(401);
  });
});

describe('mistakes in a call of requireAssurance', () => {
  beforeEach(() => guard({}));

  test.each<[string, object, RegExp]>([
    ['an unknown option', { maxAge: 300 }, /no option "maxAge". Did you mean "maxAgeSeconds"/],
    ['three factors', { factors: 3 }, /factors must be a whole number from 1 to 2, but was 3/],
    ['zero factors', { factors: 0 }, /factors/],
    ['an age in a string', { maxAgeSeconds: '300' }, /maxAgeSeconds.*a string/],
    ['an age of zero', { maxAgeSeconds: 0 }, /maxAgeSeconds/],
    ['one method instead of a list', { except: 'pwd' }, /except must be an array/],
    ['methods that are not names', { except: [1] }, /except/],
    ['a page without a slash', { stepUpUrl: 'step_up' }, /stepUpUrl.*"step_up"/],
    ['a page of another host in disguise', { loginUrl: '//evil.example' }, /loginUrl/],
    ['a reader that is not a function', { read: {} }, /read must be a function/],
    ['a list of options', [], /options object/],
  ])('requireAssurance refuses %s when the guard is made', (_what, options, message) => {
    expect(() => requireAssurance(options)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringMatching(message) }),
    );
  });

  test('requireAssurance accepts an empty list of exceptions', () => {
    expect(() => requireAssurance({ except: [] })).not.toThrow();
  });
});
