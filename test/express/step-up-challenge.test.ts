// What a guard answers a request that it does not let through: a page, or a challenge.
import { requireAssurance, type AssuranceOptions } from '../../lib/express';
import type { Browser } from './browser';
import { challengeOf, openGuardedSite } from './guarded-site';
import { HTML, type LoginSite } from './login-site';

let site: LoginSite;
let browser: Browser;

async function guard(options: AssuranceOptions): Promise<void> {
  site = await openGuardedSite((now) => requireAssurance({ now, ...options }));
  browser = site.browser();
}

afterEach(() => site.shut());

describe('a client that does not ask for HTML', () => {
  test('the challenge of RFC 9470, section 3, says which level is required', async () => {
    await guard({ factors: 2 });
    await browser.post('/login/password-only', { user: 'ada' });
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

  test('the challenge says how old the factors may be if they are too old', async () => {
    await guard({ factors: 1, maxAgeSeconds: 300, stepUpUrl: '/step-up' });
    await browser.post('/login/password-only', { user: 'ada' });
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
  ])('a client that sends Accept: %s %j gets a challenge and no page', async (accept, headers) => {
    await guard({ stepUpUrl: '/step-up' });
    expect((await browser.get('/guarded', { accept, ...headers })).status).toBe(401);
  });

  test('a browser gets the challenge too if the guard has no page to send it to', async () => {
    await guard({});
    expect(challengeOf(await browser.get('/guarded', HTML))).toMatchObject({ acr_values: 'aal2' });
  });
});

describe('a browser', () => {
  test('a browser is sent to the step-up page with a 303 that is not cached', async () => {
    await guard({ stepUpUrl: '/step-up', loginUrl: '/login' });
    await browser.post('/login/password-only', { user: 'ada' });
    const { status, headers } = await browser.get('/guarded', HTML);
    expect([status, headers.get('location'), headers.get('cache-control')]).toEqual([
      303,
      '/step-up',
      'no-store',
    ]);
  });

  test('a browser without a login is sent to the login page and back', async () => {
    await guard({ stepUpUrl: '/step-up', loginUrl: '/login' });
    expect((await browser.get('/guarded?a=1', HTML)).headers.get('location')).toBe('/login');
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/totp', { code: 'valid' })).body.returnTo).toBe(
      '/guarded?a=1',
    );
  });

  test('a browser without a login is sent to stepUpUrl if there is no loginUrl', async () => {
    await guard({ stepUpUrl: '/step-up' });
    expect((await browser.get('/guarded', HTML)).headers.get('location')).toBe('/step-up');
  });

  test('a page that the login form names comes before the page that was turned away', async () => {
    await guard({ stepUpUrl: '/step-up' });
    await browser.get('/guarded', HTML);
    await browser.post('/login', { user: 'ada', returnTo: '/elsewhere' });
    expect((await browser.post('/login/totp', { code: 'valid' })).body.returnTo).toBe('/elsewhere');
  });

  test.each<[string, (origin: string) => string | undefined, string | null]>([
    [
      'to the page of its form',
      (origin) => `${origin}/account/security?tab=2`,
      '/account/security?tab=2',
    ],
    ['to no certain page if it sends no Referer', () => undefined, null],
    [
      'to no certain page if the form was on another site',
      () => 'https://evil.example/phish',
      null,
    ],
    ['to no certain page if the Referer is not a URL', () => '/account', null],
    ['to no other host that a path may hide', (origin) => `${origin}//evil.example`, null],
  ])('a browser that posted a form comes back %s', async (_where, referer, expected) => {
    await guard({ stepUpUrl: '/step-up' });
    await browser.post('/login/password-only', { user: 'ada' });
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
    expect((await browser.post('/login/totp', { code: 'valid' })).body.returnTo).toBe(expected);
  });

  test('a browser gets an error if the page to come back to cannot be saved', async () => {
    await guard({ stepUpUrl: '/step-up' });
    await browser.post('/login/password-only', { user: 'ada' });
    site.store.failAtWrite(1);
    expect(await browser.get('/guarded', HTML)).toMatchObject({ status: 500 });
  });
});
