import { BackupCodes, MemoryStore } from '../../lib';
import { requireEnrollment, safeReturnTo, type EnrollmentOptions } from '../../lib/express';
import { DAY_MS, fakeClock, type FakeClock } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';
import { WRONG } from '../helpers/service';
import { express4, express5, Site, type Answer, type Browser } from './login-site';

const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
let site: Site;
let browser: Browser;
let backupCodes: BackupCodes;
let clock: FakeClock;

/** A site whose every page but the login asks for working codes. */
async function guard(options: Partial<EnrollmentOptions> = {}, express = express5): Promise<void> {
  clock = fakeClock();
  backupCodes = new BackupCodes({
    store: new MemoryStore(),
    hasher: countingHasher(),
    now: clock.now,
    attempts: { free: 1, lockAfter: 1 },
  });
  site = await Site.open({
    express,
    routes: (app) => {
      app.use(requireEnrollment({ backupCodes, enrollUrl: '/codes', ...options }));
      app.all(['/codes', '/codes/new', '/codesbook', '/page'], (_req, res) => res.send('in'));
    },
  });
  browser = site.browser();
  await browser.post('/login/without', { user: 'ada' });
}

const expectIn = (answer: Answer): void =>
  expect([answer.status, answer.body]).toEqual([200, 'in']);
const expectSent = (answer: Answer, location: string): void =>
  expect([
    answer.status,
    answer.headers.get('location'),
    answer.headers.get('cache-control'),
  ]).toEqual([303, location, 'no-store']);

afterEach(() => site.shut());

describe('whoever has no working codes is sent to make some', () => {
  test.each([
    ['4', express4],
    ['5', express5],
  ])('and told where to come back to (Express %s)', async (_version, express) => {
    await guard({}, express);
    const answer = await browser.get('/page?q=1&r=%2F', HTML);
    expectSent(answer, '/codes?returnTo=%2Fpage%3Fq%3D1%26r%3D%252F');
    expect(
      safeReturnTo(
        new URL(answer.headers.get('location')!, 'http://here.example').searchParams.get(
          'returnTo',
        ),
      ),
    ).toBe('/page?q=1&r=%2F');
    await backupCodes.issue('ada');
    expectIn(await browser.get('/page', HTML));
  });

  test.each<[string, () => Promise<unknown>]>([
    [
      'were used up',
      async () => {
        for (const code of (await backupCodes.issue('ada')).codes)
          await backupCodes.consume('ada', code);
      },
    ],
    [
      'expired',
      async () => {
        await backupCodes.issue('ada');
        clock.advance(365 * DAY_MS);
      },
    ],
    [
      'were revoked',
      async () => {
        await backupCodes.issue('ada');
        await backupCodes.revoke('ada');
      },
    ],
    [
      'were closed by too many failures',
      async () => {
        await backupCodes.issue('ada');
        await backupCodes.consume('ada', WRONG);
      },
    ],
    ["are another user's", () => backupCodes.issue('bob')],
  ])('also if the codes %s', async (_what, spend) => {
    await guard({ rotation: 'never' });
    await spend();
    expectSent(await browser.get('/page', HTML), '/codes?returnTo=%2Fpage');
  });

  test('and a program is told so', async () => {
    await guard();
    const answer = await browser.post('/page', {}, { accept: 'application/json' });
    expect([answer.status, answer.body.code]).toEqual([403, 'enrollment_required']);
  });

  test('with a page that has a query of its own, or lies elsewhere', async () => {
    await guard({ enrollUrl: 'https://id.example/codes?from=app#top' });
    expectSent(
      await browser.get('/page', HTML),
      'https://id.example/codes?from=app&returnTo=%2Fpage#top',
    );
  });

  test('but not at the page itself and below it, nor where nobody is logged in', async () => {
    await guard();
    expectIn(await browser.get('/codes?x=1', HTML));
    expectIn(await browser.get('/codes/new', HTML));
    expect((await browser.get('/codesbook', HTML)).status).toBe(303);
    expectIn(await site.browser().get('/page', HTML));
  });
});

describe('whoever has old codes', () => {
  const age = async (): Promise<void> => {
    await backupCodes.issue('ada');
    clock.advance(180 * DAY_MS);
  };

  test('is sent once a login, and may go on', async () => {
    await guard();
    await age();
    expectSent(await browser.get('/page', HTML), '/codes?returnTo=%2Fpage');
    expectIn(await browser.get('/page', HTML));
    await browser.post('/login/without', { user: 'ada' });
    expect((await browser.get('/page', HTML)).status).toBe(303);
  });

  test('is not sent again after a step-up, which is the same login', async () => {
    await guard();
    await age();
    expectSent(await browser.get('/page', HTML), '/codes?returnTo=%2Fpage');
    expect((await browser.post('/login/totp', { code: 'right' })).status).toBe(200);
    expectIn(await browser.get('/page', HTML));
  });

  test('is no hindrance to a program, unless rotation is asked for always', async () => {
    await guard();
    await age();
    expectIn(await browser.get('/page', { accept: 'application/json' }));
    await site.shut();
    await guard({ rotation: 'always' });
    await age();
    expect((await browser.get('/page', { accept: 'application/json' })).body.code).toBe(
      'enrollment_required',
    );
    for (let time = 1; time <= 2; time += 1)
      expectSent(await browser.get('/page', HTML), '/codes?returnTo=%2Fpage');
  });

  test('is left alone where rotation is never asked for, and the day before it is due', async () => {
    await guard({ rotation: 'never' });
    await age();
    expectIn(await browser.get('/page', HTML));
    await site.shut();
    await guard();
    await backupCodes.issue('ada');
    clock.advance(180 * DAY_MS - 1);
    expectIn(await browser.get('/page', HTML));
  });
});

test('a store that fails lets nobody through', async () => {
  await guard({ backupCodes: { status: () => Promise.reject(new Error('the store is down')) } });
  expect((await browser.get('/page', HTML)).status).toBe(500);
});

test.each<[object, RegExp]>([
  [{ enrollUrl: '/codes' }, /backupCodes must be an object with status/],
  [{ backupCodes: { status: () => null } }, /enrollUrl must be given/],
  [
    { backupCodes: { status: () => null }, enrollUrl: '//evil.example' },
    /enrollUrl must be a path/,
  ],
  [
    { backupCodes: { status: () => null }, enrollUrl: '/codes', rotation: 'daily' },
    /rotation must be 'once', 'always' or 'never'/,
  ],
  [
    { backupCodes: { status: () => null }, enrollUrl: '/codes', enrolUrl: '/x' },
    /Did you mean "enrollUrl"/,
  ],
])('a guard with %p is refused at once', async (options, message) => {
  await guard();
  expect(() => requireEnrollment(options as EnrollmentOptions)).toThrow(
    expect.objectContaining({ code: 'invalid_option', message: expect.stringMatching(message) }),
  );
});
