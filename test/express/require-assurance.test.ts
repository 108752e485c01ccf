import { requireAssurance, type AssuranceFacts, type AssuranceOptions } from '../../lib/express';
import {
  express4,
  express5,
  Site,
  type Answer,
  type Browser,
  type SiteOptions,
} from './login-site';

const HTML = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
let site: Site;
let browser: Browser;

/** A site whose /guarded asks for that much. */
async function guard(options: AssuranceOptions, more: SiteOptions = {}): Promise<void> {
  site = await Site.open({
    ...more,
    routes: (app, { now }) =>
      app.all('/guarded', requireAssurance({ now, ...options }), (_req, res) => res.send('in')),
  });
  browser = site.browser();
}

async function logIn(second: string): Promise<void> {
  await browser.post('/login', { user: 'ada' });
  expect((await browser.post(`/login/${second}`, { code: 'right' })).status).toBe(200);
}

function expectIn(answer: Answer): void {
  expect([answer.status, answer.body]).toEqual([200, 'in']);
}

/** The parameters of a Bearer challenge, read as RFC 9110, section 11.6.1, writes them. */
function challengeOf(answer: Answer): Record<string, string> {
  const header = answer.headers.get('www-authenticate')!;
  const parameter = /^([a-z_]+)="((?:[^"\\]|\\.)*)"$/;
  expect(header).toMatch(/^Bearer /);
  return Object.fromEntries(
    header
      .slice('Bearer '.length)
      .split(/, (?=[a-z_]+=)/)
      .map((part) => parameter.exec(part)!.slice(1)) as [string, string][],
  );
}

afterEach(() => site.shut());

describe('who gets through', () => {
  test('nobody who is not logged in', async () => {
    await guard({ factors: 1 });
    expect((await browser.get('/guarded')).status).toBe(401);
  });

  test('nobody whose login is pending', async () => {
    await guard({ factors: 1 });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.get('/guarded')).status).toBe(401);
  });

  test.each([
    ['4', express4],
    ['5', express5],
  ])(
    'whoever showed two kinds of factor, however long ago (Express %s)',
    async (_version, express) => {
      await guard({}, { express });
      await logIn('totp');
      site.passSeconds(86_400);
      expectIn(await browser.get('/guarded'));
    },
  );

  test('nobody with one factor where two are asked for', async () => {
    await guard({});
    await browser.post('/login/without', { user: 'ada' });
    expect((await browser.get('/guarded')).status).toBe(401);
  });

  test('by default a fresh backup code is as good as TOTP', async () => {
    await guard({ factors: 2, maxAgeSeconds: 300 });
    await logIn('backup-code');
    expectIn(await browser.get('/guarded'));
  });
});

describe('kinds of factor', () => {
  test('TOTP and a backup code are one', async () => {
    await guard({ factors: 2 }, { begin: { amr: ['otp'], methods: ['totp'] } });
    await logIn('backup-code');
    expect((await browser.get('/guarded')).body).toMatchObject({
      factors: 2,
      fresh: ['possession'],
    });
  });

  test('a method that is excepted does not count', async () => {
    await guard({ factors: 2, except: ['backup-code'] });
    await logIn('backup-code');
    expect((await browser.get('/guarded')).body).toMatchObject({ fresh: ['knowledge'] });
    await browser.post('/login/totp', { code: 'right' });
    expectIn(await browser.get('/guarded'));
  });

  test('an exception is of the method and not of its amr, which TOTP shares', async () => {
    await guard({ factors: 2, except: ['backup-code'] });
    await logIn('totp');
    expectIn(await browser.get('/guarded'));
  });

  test('where a first step showed several methods, each counts by itself and may be excepted', async () => {
    await guard({ factors: 2, except: ['sms'] }, { begin: { amr: ['pwd', 'sms'] } });
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/pwd', { code: 'right' })).status).toBe(500);
    await browser.post('/login/backup-code', { code: 'right' });
    expectIn(await browser.get('/guarded'));
    await browser.post('/login', { user: 'ada' });
    expect((await browser.get('/guarded')).status).toBe(401);
  });
});

describe('freshness', () => {
  test('ends maxAgeSeconds after the factor was shown', async () => {
    await guard({ factors: 2, maxAgeSeconds: 300 });
    await logIn('totp');
    site.passSeconds(300);
    expectIn(await browser.get('/guarded'));
    site.clock += 1;
    expect((await browser.get('/guarded')).status).toBe(401);
  });

  test('is of each factor: a fresh password does not refresh an old second factor, nor the other way round', async () => {
    await guard({ factors: 2, maxAgeSeconds: 300 });
    await logIn('totp');
    site.passSeconds(301);
    await browser.post('/login/pwd', { code: 'right' });
    expect((await browser.get('/guarded')).body).toMatchObject({ fresh: ['knowledge'] });
    site.passSeconds(301);
    await browser.post('/login/totp', { code: 'right' });
    expect((await browser.get('/guarded')).body).toMatchObject({ fresh: ['possession'] });
    await browser.post('/login/pwd', { code: 'right' });
    expectIn(await browser.get('/guarded'));
  });

  test('of a second factor alone is asked for by excepting the password', async () => {
    await guard({ factors: 1, except: ['pwd'], maxAgeSeconds: 300 });
    await logIn('totp');
    site.passSeconds(301);
    await browser.post('/login/pwd', { code: 'right' });
    expect((await browser.get('/guarded')).body).toMatchObject({ fresh: [] });
    await browser.post('/login/backup-code', { code: 'right' });
    expectIn(await browser.get('/guarded'));
  });

  test('is not had from a time in the future', async () => {
    await guard({ factors: 2, maxAgeSeconds: 300 });
    await logIn('totp');
    site.passSeconds(-61);
    expect((await browser.get('/guarded')).status).toBe(401);
  });
});

describe('a client that asks for no HTML', () => {
  test('gets the challenge of RFC 9470, section 3, with the level that is asked for', async () => {
    await guard({ factors: 2 });
    await browser.post('/login/without', { user: 'ada' });
    const answer = await browser.get('/guarded');
    expect(answer.status).toBe(401);
    expect(challengeOf(answer)).toEqual({
      error: 'insufficient_user_authentication',
      error_description: 'A different authentication level is required',
      acr_values: 'aal2',
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      code: 'insufficient_user_authentication',
      message: 'A different authentication level is required',
      acr_values: 'aal2',
      factors: 2,
      fresh: ['knowledge'],
    });
  });

  test('is told the age where that is what is wrong', async () => {
    await guard({ factors: 1, maxAgeSeconds: 300, stepUpUrl: '/step-up' });
    await browser.post('/login/without', { user: 'ada' });
    site.passSeconds(301);
    const answer = await browser.get('/guarded', { accept: 'application/json' });
    expect(challengeOf(answer)).toEqual({
      error: 'insufficient_user_authentication',
      error_description: 'More recent authentication is required',
      acr_values: 'aal1',
      max_age: '300',
    });
    expect(answer.body).toMatchObject({ max_age: 300, factors: 1, fresh: [] });
  });

  test.each([
    ['*/*', {}],
    ['application/json', {}],
    ['application/json, text/html', {}],
    ['text/html', { 'x-requested-with': 'XMLHttpRequest' }],
  ])('is one that sends Accept: %s %j', async (accept, headers) => {
    await guard({ stepUpUrl: '/step-up' });
    expect((await browser.get('/guarded', { accept, ...headers })).status).toBe(401);
  });

  test('is every client where there is no page to send it to', async () => {
    await guard({});
    expect(challengeOf(await browser.get('/guarded', HTML))).toMatchObject({ acr_values: 'aal2' });
  });
});

describe('a browser', () => {
  test('is sent to the step-up page with 303, and nothing of the answer is kept', async () => {
    await guard({ stepUpUrl: '/step-up', loginUrl: '/login' });
    await browser.post('/login/without', { user: 'ada' });
    const { status, headers } = await browser.get('/guarded', HTML);
    expect([status, headers.get('location'), headers.get('cache-control')]).toEqual([
      303,
      '/step-up',
      'no-store',
    ]);
  });

  test('is sent to log in where nobody is logged in, and comes back to the page it asked for', async () => {
    await guard({ stepUpUrl: '/step-up', loginUrl: '/login' });
    expect((await browser.get('/guarded?a=1', HTML)).headers.get('location')).toBe('/login');
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/totp', { code: 'right' })).body.returnTo).toBe(
      '/guarded?a=1',
    );
  });

  test('is sent to the step-up page where there is no other', async () => {
    await guard({ stepUpUrl: '/step-up' });
    expect((await browser.get('/guarded', HTML)).headers.get('location')).toBe('/step-up');
  });

  test('a page that the login form names goes before the one that was turned away', async () => {
    await guard({ stepUpUrl: '/step-up' });
    await browser.get('/guarded', HTML);
    await browser.post('/login', { user: 'ada', returnTo: '/elsewhere' });
    expect((await browser.post('/login/totp', { code: 'right' })).body.returnTo).toBe('/elsewhere');
  });

  test.each<[string, (origin: string) => string | undefined, string | null]>([
    [
      'to the page of its form',
      (origin) => `${origin}/account/security?tab=2`,
      '/account/security?tab=2',
    ],
    ['nowhere in particular where it says no page', () => undefined, null],
    [
      'nowhere in particular where the form was on another site',
      () => 'https://evil.example/phish',
      null,
    ],
    ['nowhere in particular where what it says is no URL', () => '/account', null],
    ['to no other host that a path may hide', (origin) => `${origin}//evil.example`, null],
  ])('that posted a form comes back %s', async (_where, referer, expected) => {
    await guard({ stepUpUrl: '/step-up' });
    await browser.post('/login/without', { user: 'ada' });
    const page = referer(browser.origin);
    expect(
      (
        await browser.post(
          '/guarded',
          {},
          { ...HTML, ...(page === undefined ? {} : { referer: page }) },
        )
      ).status,
    ).toBe(303);
    expect((await browser.post('/login/totp', { code: 'right' })).body.returnTo).toBe(expected);
  });

  test('is not sent away where the page to come back to cannot be remembered', async () => {
    await guard({ stepUpUrl: '/step-up' });
    site.store.failAtWrite(1);
    expect(await browser.get('/guarded', HTML)).toMatchObject({ status: 500 });
  });
});

describe('without sessions', () => {
  test.each([
    ['at once', (facts: AssuranceFacts) => facts],
    ['later', (facts: AssuranceFacts) => Promise.resolve(facts)],
  ])('the facts are read from the token, %s', async (_when, answer) => {
    const at = Date.UTC(2026, 10, 21);
    await guard({
      factors: 2,
      maxAgeSeconds: 300,
      read: () => answer({ userId: 7, methods: ['pwd', 'totp'], authenticatedAt: at }),
    });
    expectIn(await browser.get('/guarded'));
    site.passSeconds(301);
    expect(challengeOf(await browser.get('/guarded'))).toMatchObject({
      max_age: '300',
      error_description: 'More recent authentication is required',
    });
  });

  test.each([
    ['one kind', ['totp', 'backup-code']],
    ['an excepted method', ['pwd', 'sms']],
    ['names that nobody knows', ['pwd', 'wink']],
    ['a claim of "mfa" alone', ['mfa']],
  ])('two factors are not had from %s', async (_what, methods) => {
    await guard({
      except: ['sms'],
      read: () => ({ userId: 7, methods, authenticatedAt: site.clock }),
    });
    expect((await browser.get('/guarded')).status).toBe(401);
  });

  test('a request without a token is turned away', async () => {
    await guard({ read: () => null, loginUrl: '/login' });
    expect((await browser.get('/guarded')).status).toBe(401);
    const { status, headers } = await browser.get('/guarded', HTML);
    expect([status, headers.get('location'), headers.getSetCookie()]).toEqual([303, '/login', []]);
  });

  test.each([
    [
      'a throw',
      () => {
        throw new Error('bad token');
      },
    ],
    ['a rejection', () => Promise.reject(new Error('bad token'))],
  ])('%s goes to the error handler', async (_what, read) => {
    await guard({ read });
    expect(await browser.get('/guarded')).toMatchObject({
      status: 500,
      body: { message: 'bad token' },
    });
  });

  test.each([
    [undefined],
    [true],
    [{}],
    [{ userId: 7, methods: 'pwd', authenticatedAt: 1 }],
    [{ userId: 7, methods: ['pwd'], authenticatedAt: '1' }],
    [{ methods: ['pwd'], authenticatedAt: 1 }],
  ])('any other answer is an error: %j', async (facts) => {
    await guard({ factors: 1, read: () => facts as AssuranceFacts });
    expect(await browser.get('/guarded')).toMatchObject({
      status: 500,
      body: { error: 'invalid_result' },
    });
  });
});

describe('a reader that fails', () => {
  // To Express next(undefined) means "go on", and next('route') "skip the rest of this route".
  test.each([undefined, null, '', 0, false, 'route', 'router', new Error('no')])(
    'with %p lets nobody through',
    async (thrown) => {
      const read = (): Promise<null> =>
        Promise.resolve().then(() => {
          throw thrown as Error;
        });
      await guard({ factors: 1, read });
      const answer = await browser.get('/guarded');
      expect(answer.status).toBe(500);
      expect(answer.body).not.toBe('in');
    },
  );
});

describe('a guard that makes no sense is refused when it is made', () => {
  beforeEach(() => guard({}));

  test.each<[string, object, RegExp]>([
    ['an unknown option', { maxAge: 300 }, /no option "maxAge". Did you mean "maxAgeSeconds"/],
    ['three factors', { factors: 3 }, /factors must be a whole number from 1 to 2, but was 3/],
    ['no factor', { factors: 0 }, /factors/],
    ['an age in text', { maxAgeSeconds: '300' }, /maxAgeSeconds.*a string/],
    ['no time at all', { maxAgeSeconds: 0 }, /maxAgeSeconds/],
    ['one method instead of a list', { except: 'pwd' }, /except must be an array/],
    ['methods that are no names', { except: [1] }, /except/],
    ['a page without a slash', { stepUpUrl: 'step_up' }, /stepUpUrl.*"step_up"/],
    ['a page of another host in disguise', { loginUrl: '//evil.example' }, /loginUrl/],
    ['a reader that is none', { read: {} }, /read must be a function/],
    ['a list of options', [], /options object/],
  ])('%s', (_what, options, message) => {
    expect(() => requireAssurance(options)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringMatching(message) }),
    );
  });

  test('an empty list of exceptions makes sense', () => {
    expect(() => requireAssurance({ except: [] })).not.toThrow();
  });
});
