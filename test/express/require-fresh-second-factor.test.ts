import {
  requireAssurance,
  requireFreshSecondFactor,
  type AssuranceFacts,
  type FreshSecondFactorOptions,
} from '../../lib/express';
import type { Answer, Browser } from './browser';
import { challengeOf, expectIn, openGuardedSite } from './guarded-site';
import { express4, express5, HTML, LoginSite, type LoginSiteOptions } from './login-site';

let site: LoginSite;
let browser: Browser;

async function guard(
  options: FreshSecondFactorOptions = {},
  more: LoginSiteOptions = {},
): Promise<void> {
  site = await openGuardedSite((now) => requireFreshSecondFactor({ now, ...options }), more);
  browser = site.browser();
}

async function logIn(second = 'totp'): Promise<void> {
  await browser.post('/login', { user: 'ada' });
  expect((await browser.post(`/login/${second}`, { code: 'valid' })).status).toBe(200);
}

afterEach(() => site.shut());

describe.each([
  ['4', express4],
  ['5', express5],
])('on Express %s', (_version, express) => {
  test.each(['totp', 'backup-code'])('a fresh second factor (%s) gets through', async (second) => {
    await guard({}, { express });
    await logIn(second);
    expectIn(await browser.get('/guarded'));
  });

  test('a second factor stops being fresh after five minutes', async () => {
    await guard({}, { express });
    await logIn();
    site.passSeconds(300);
    expectIn(await browser.get('/guarded'));
    site.clock += 1;
    expect(challengeOf(await browser.get('/guarded'))).toMatchObject({ max_age: '300' });
  });
});

describe('withinSeconds', () => {
  test('a second factor stops being fresh withinSeconds after it was shown', async () => {
    await guard({ withinSeconds: 60 });
    await logIn();
    site.passSeconds(60);
    expectIn(await browser.get('/guarded'));
    site.clock += 1;
    expect((await browser.get('/guarded')).status).toBe(401);
    await browser.post('/login/backup-code', { code: 'valid' });
    expectIn(await browser.get('/guarded'));
  });
});

describe('a factor of knowledge', () => {
  test('a password does not get through, however fresh it is', async () => {
    await guard();
    await browser.post('/login/password-only', { user: 'ada' });
    expect((await browser.get('/guarded')).body).toMatchObject({ factors: 1, fresh: [] });
  });

  test.each([
    ['a password by another name', { amr: ['pwd'], methods: ['password'] }],
    ['a PIN', { amr: ['pin'] }],
    ['a single sign-on that asserts a password', { amr: ['pwd'], methods: ['sso'] }],
  ])('%s does not make an old second factor fresh', async (_what, begin) => {
    await guard({}, { begin });
    await logIn();
    site.passSeconds(301);
    await browser.post('/login/pwd', { code: 'valid' });
    expect((await browser.get('/guarded')).status).toBe(401);
    await browser.post('/login', { user: 'ada' });
    expect((await browser.get('/guarded')).status).toBe(401);
  });
});

/** The short form on /guarded and the long form on /long, on one site. */
describe('compared with requireAssurance', () => {
  async function openBoth(pages: { stepUpUrl?: string; loginUrl?: string } = {}): Promise<void> {
    site = await LoginSite.open({
      routes: (app, { now }) => {
        const short = requireFreshSecondFactor({ withinSeconds: 120, now, ...pages });
        const long = requireAssurance({
          factors: 1,
          except: ['pwd'],
          maxAgeSeconds: 120,
          now,
          ...pages,
        });
        app.all('/page', (req, res, next) =>
          (req.get('x-guard') === 'short' ? short : long)(req, res, next),
        );
        app.all('/page', (_req, res) => res.send('in'));
      },
    });
    browser = site.browser();
  }

  async function answersOf(
    method: 'get' | 'post',
    headers: Record<string, string>,
  ): Promise<unknown[]> {
    const read = (answer: Answer): unknown => [
      answer.status,
      answer.body,
      ...['location', 'www-authenticate', 'cache-control', 'content-type'].map((name) =>
        answer.headers.get(name),
      ),
    ];
    const answers: unknown[] = [];
    for (const form of ['short', 'long']) {
      const sent = { ...headers, 'x-guard': form };
      const answer =
        method === 'get'
          ? await browser.get('/page?a=1', sent)
          : await browser.post('/page?a=1', {}, sent);
      answers.push(read(answer));
    }
    return answers;
  }

  test.each([
    ['without pages', {}],
    ['with a step-up page', { stepUpUrl: '/step-up' }],
    ['with a step-up page and a login page', { stepUpUrl: '/step-up', loginUrl: '/login' }],
  ])('the two forms give the same answers at each step of a login, %s', async (_what, pages) => {
    await openBoth(pages);
    const steps: [string, () => unknown][] = [
      ['no login', () => undefined],
      ['a pending login', () => browser.post('/login', { user: 'ada' })],
      ['a login by password', () => browser.post('/login/password-only', { user: 'ada' })],
      ['a second factor', () => browser.post('/login/totp', { code: 'valid' })],
      ['an old second factor', () => site.passSeconds(121)],
      ['a fresh password', () => browser.post('/login/pwd', { code: 'valid' })],
      ['a backup code', () => browser.post('/login/backup-code', { code: 'valid' })],
      ['a second factor from the future', () => site.passSeconds(-61)],
    ];
    const statuses: unknown[] = [];
    for (const [step, take] of steps) {
      await take();
      for (const headers of [HTML, { accept: 'application/json' }]) {
        for (const method of ['get', 'post'] as const) {
          const [short, long] = await answersOf(method, headers);
          expect([step, short]).toEqual([step, long]);
          statuses.push((short as [number])[0]);
        }
      }
    }
    expect(new Set(statuses)).toEqual(new Set('stepUpUrl' in pages ? [200, 303, 401] : [200, 401]));
  });

  test('a browser is led back to the page that asked for the factor', async () => {
    await openBoth({ stepUpUrl: '/step-up' });
    await browser.post('/login/password-only', { user: 'ada' });
    await browser.get('/page?a=1', { ...HTML, 'x-guard': 'short' });
    expect((await browser.post('/login/totp', { code: 'valid' })).body.returnTo).toBe('/page?a=1');
  });
});

describe('read', () => {
  const fresh: AssuranceFacts = {
    userId: 7,
    methods: ['pwd', 'totp'],
    authenticatedAt: Date.UTC(2026, 10, 21),
  };

  test('a token with a fresh second factor gets through', async () => {
    await guard({ read: () => fresh });
    expectIn(await browser.get('/guarded'));
  });

  test.each<[string, AssuranceFacts | null]>([
    ['a password alone', { ...fresh, methods: ['pwd'] }],
    ['a second factor that is too old', { ...fresh, authenticatedAt: Date.UTC(2026, 10, 20) }],
    ['nothing', null],
  ])('a token with %s does not get through', async (_what, facts) => {
    await guard({ read: () => facts });
    expect((await browser.get('/guarded')).status).toBe(401);
  });
});

describe('mistakes in a call of requireFreshSecondFactor', () => {
  test.each<[string, object, RegExp]>([
    [
      'an unknown option',
      { withinSecond: 300 },
      /requireFreshSecondFactor has no option "withinSecond". Did you mean "withinSeconds"/,
    ],
    ['an option of the long form', { maxAgeSeconds: 300 }, /no option "maxAgeSeconds"/],
    ['a number of factors', { factors: 2 }, /no option "factors"/],
    ['methods to leave out', { except: ['totp'] }, /no option "except"/],
    ['a time in a string', { withinSeconds: '300' }, /withinSeconds.*a string/],
    ['zero seconds', { withinSeconds: 0 }, /withinSeconds.*from 1 to 31536000, but was 0/],
    ['half a second', { withinSeconds: 0.5 }, /withinSeconds/],
    ['more than a year', { withinSeconds: 31_536_001 }, /withinSeconds/],
    ['a page without a slash', { stepUpUrl: 'step-up' }, /stepUpUrl.*"step-up"/],
    ['a page of another host in disguise', { loginUrl: '//evil.example' }, /loginUrl/],
    ['a reader that is not a function', { read: {} }, /read must be a function/],
    ['a userId that is not a function', { userId: 'ada' }, /userId must be a function/],
    ['a list of options', [], /requireFreshSecondFactor takes an options object/],
  ])(
    'requireFreshSecondFactor refuses %s when the guard is made',
    async (_what, options, message) => {
      await guard();
      expect(() => requireFreshSecondFactor(options)).toThrow(
        expect.objectContaining({
          code: 'invalid_option',
          message: expect.stringMatching(message),
        }),
      );
    },
  );
});
