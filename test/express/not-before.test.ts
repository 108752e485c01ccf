// The option notBefore of the guards: logins that began before a time have ended.
import {
  requireAssurance,
  requireFreshSecondFactor,
  type AssuranceOptions,
} from '../../lib/express';
import type { Browser } from './browser';
import { expectIn, openGuardedSite } from './guarded-site';
import { HTML, type LoginSite } from './login-site';

let site: LoginSite;
let browser: Browser;
let ended: unknown;
let asked: unknown[];
const notBefore = ((userId) => {
  asked.push(userId);
  return ended;
}) as NonNullable<AssuranceOptions['notBefore']>;

async function guard(options: AssuranceOptions = {}): Promise<void> {
  site = await openGuardedSite((now) => requireAssurance({ now, notBefore, ...options }));
  browser = site.browser();
}

async function logIn(): Promise<void> {
  await browser.post('/login', { user: 'ada' });
  expect((await browser.post('/login/totp', { code: 'valid' })).status).toBe(200);
}

beforeEach(() => {
  ended = null;
  asked = [];
});
afterEach(() => site.shut());

test('without a time, and from that millisecond on, a login gets through', async () => {
  await guard();
  await logIn();
  expectIn(await browser.get('/guarded'));
  ended = site.clock;
  expectIn(await browser.get('/guarded'));
  ended = new Date(site.clock);
  expectIn(await browser.get('/guarded'));
  ended = Promise.resolve(site.clock - 1);
  expectIn(await browser.get('/guarded'));
  expect(asked).toEqual(['ada', 'ada', 'ada', 'ada']);
});

test.each<[string, (time: number) => unknown]>([
  ['milliseconds', (time) => time],
  ['a Date', (time) => new Date(time)],
  ['a promise', (time) => Promise.resolve(new Date(time))],
])('a login that began before the time does not get through: %s', async (_what, answer) => {
  await guard();
  await logIn();
  ended = answer(site.clock + 1);
  expect((await browser.get('/guarded')).status).toBe(401);
  site.passSeconds(1);
  await logIn();
  expectIn(await browser.get('/guarded'));
});

test('a login counts from its first factor, and no step-up makes it a new one', async () => {
  await guard();
  await browser.post('/login', { user: 'ada' });
  site.passSeconds(60);
  ended = site.clock;
  site.passSeconds(60);
  await browser.post('/login/totp', { code: 'valid' });
  expect((await browser.get('/guarded')).status).toBe(401);
  for (const factor of ['pwd', 'totp', 'backup-code'])
    expect((await browser.post(`/login/${factor}`, { code: 'valid' })).status).toBe(200);
  expect((await browser.get('/guarded')).status).toBe(401);
});

test('a browser whose login has ended is sent to the login page, not to a step-up', async () => {
  await guard({ loginUrl: '/login', stepUpUrl: '/step-up' });
  await logIn();
  ended = site.clock + 1;
  expect((await browser.get('/guarded', HTML)).headers.get('location')).toBe('/login');
});

test('requireFreshSecondFactor takes notBefore too', async () => {
  site = await openGuardedSite((now) => requireFreshSecondFactor({ now, notBefore }));
  browser = site.browser();
  await logIn();
  expectIn(await browser.get('/guarded'));
  ended = site.clock + 1;
  expect((await browser.get('/guarded')).body).toMatchObject({
    code: 'insufficient_user_authentication',
    fresh: [],
  });
});

test('the facts of a token are compared with the same time', async () => {
  let authenticatedAt = 0;
  site = await openGuardedSite((now) => {
    authenticatedAt = now();
    return requireAssurance({
      now,
      notBefore,
      read: () => ({ userId: 7, methods: ['pwd', 'totp'], authenticatedAt }),
    });
  });
  browser = site.browser();
  expectIn(await browser.get('/guarded'));
  ended = authenticatedAt + 1;
  expect((await browser.get('/guarded')).status).toBe(401);
  expect(asked).toEqual([7, 7]);
});

test('notBefore is not asked about a visitor without a login', async () => {
  await guard();
  expect((await browser.get('/guarded')).status).toBe(401);
  await browser.post('/login', { user: 'ada' });
  expect((await browser.get('/guarded')).status).toBe(401);
  expect(asked).toEqual([]);
});

test.each<[string, unknown]>([
  ['undefined, as without a return', undefined],
  ['an invalid date', new Date(NaN)],
  ['NaN', NaN],
  ['a time that no Date can hold', 9e15],
  ['a negative time', -1],
  ['a date in a string', '2026-11-21'],
  ['a bigint', 1n],
  ['true', true],
  ['a row of a database', { endedAt: 1 }],
])('a bad answer of notBefore is an error, and no user gets through: %s', async (_what, bad) => {
  await guard();
  await logIn();
  for (const answer of [bad, Promise.resolve(bad)]) {
    ended = answer;
    expect((await browser.get('/guarded')).body).toMatchObject({
      error: 'invalid_result',
      message: expect.stringMatching(/^notBefore must return/),
    });
  }
});

test('what notBefore throws is passed on, and no user gets through', async () => {
  await guard({ notBefore: () => Promise.reject(new Error('the database is down')) });
  await logIn();
  const { status, body } = await browser.get('/guarded');
  expect([status, body.message]).toEqual([500, 'the database is down']);
});

test('notBefore must be a function', async () => {
  await guard();
  for (const makeGuard of [requireAssurance, requireFreshSecondFactor])
    expect(() => makeGuard({ notBefore: 5 } as object)).toThrow(
      expect.objectContaining({
        code: 'invalid_option',
        message: expect.stringMatching(/notBefore/),
      }),
    );
});

describe('a clock that was ahead when the user logged in', () => {
  test('a login from the future does not get through, with or without a limit of age', async () => {
    await guard();
    site.passSeconds(86_400);
    await logIn();
    site.passSeconds(-86_400);
    ended = site.clock;
    expect((await browser.get('/guarded')).status).toBe(401);
    await browser.post('/login/totp', { code: 'valid' });
    await browser.post('/login/pwd', { code: 'valid' });
    expect((await browser.get('/guarded')).status).toBe(401);
    await logIn();
    expectIn(await browser.get('/guarded'));
  });

  test('a pending login from the future is over', async () => {
    await guard();
    site.passSeconds(61);
    await browser.post('/login', { user: 'ada' });
    site.passSeconds(-61);
    expect((await browser.get('/whoami')).body).toMatchObject({ pending: null });
    expect(
      (await browser.post('/login/totp', { code: 'valid', asUser: 'ada' })).body,
    ).toMatchObject({ error: 'no_pending_login' });
  });

  test('a difference of one minute between two servers does not matter', async () => {
    await guard();
    site.passSeconds(60);
    await logIn();
    site.passSeconds(-60);
    expectIn(await browser.get('/guarded'));
  });

  test.each([NaN, Infinity, undefined, '0'])(
    'a clock that returns %p is an error, and begins no login',
    async (time) => {
      await guard();
      site.clock = time as number;
      expect((await browser.post('/login', { user: 'ada' })).body).toMatchObject({
        error: 'invalid_result',
      });
      expect(await site.store.contents()).toEqual({});
    },
  );
});
