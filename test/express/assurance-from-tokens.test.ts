// Guards of apps without sessions: `read` says what a verified token has.
import { requireAssurance, type AssuranceFacts, type AssuranceOptions } from '../../lib/express';
import type { Browser } from './browser';
import { challengeOf, expectIn, openGuardedSite } from './guarded-site';
import { HTML, type LoginSite } from './login-site';

let site: LoginSite;
let browser: Browser;

async function guard(options: AssuranceOptions): Promise<void> {
  site = await openGuardedSite((now) => requireAssurance({ now, ...options }));
  browser = site.browser();
}

afterEach(() => site.shut());

describe('read', () => {
  test.each([
    ['at once', (facts: AssuranceFacts) => facts],
    ['in a promise', (facts: AssuranceFacts) => Promise.resolve(facts)],
  ])('the factors come from the token that read verified, %s', async (_when, answer) => {
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
    ['two methods of one kind', ['totp', 'backup-code']],
    ['an excepted method', ['pwd', 'sms']],
    ['an unknown name', ['pwd', 'wink']],
    ['"mfa" alone', ['mfa']],
  ])('a token with %s does not show two factors', async (_what, methods) => {
    await guard({
      except: ['sms'],
      read: () => ({ userId: 7, methods, authenticatedAt: site.clock }),
    });
    expect((await browser.get('/guarded')).status).toBe(401);
  });

  test('a request without a token does not get through', async () => {
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
  ])('%s of read goes to the error handler', async (_what, read) => {
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
  ])('read must return the facts of a token: %j is an error', async (facts) => {
    await guard({ factors: 1, read: () => facts as AssuranceFacts });
    expect(await browser.get('/guarded')).toMatchObject({
      status: 500,
      body: { error: 'invalid_result' },
    });
  });
});

describe('read that rejects', () => {
  // Express takes next(undefined) for "continue" and next('route') for "skip this route".
  test.each([undefined, null, '', 0, false, 'route', 'router', new Error('no')])(
    'read that rejects with %p lets no user through',
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
