import { request } from 'node:http';
import { BackupCodes, MemoryStore } from '../../lib';
import { requireEnrollment, safeReturnTo, type EnrollmentOptions } from '../../lib/express';
import { DAY_MS, fakeClock, type FakeClock } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';
import { WRONG } from '../helpers/service';
import type { Answer, Browser } from './browser';
import { express4, express5, HTML, LoginSite } from './login-site';

let site: LoginSite;
let browser: Browser;
let backupCodes: BackupCodes;
let clock: FakeClock;

/** A site on which every page except the login asks for working codes. */
async function guard(options: Partial<EnrollmentOptions> = {}, express = express5): Promise<void> {
  clock = fakeClock();
  backupCodes = new BackupCodes({
    store: new MemoryStore(),
    hasher: countingHasher(),
    now: clock.now,
    attempts: { free: 1, lockAfter: 1 },
  });
  site = await LoginSite.open({
    express,
    routes: (app) => {
      app.use(requireEnrollment({ backupCodes, enrollUrl: '/codes', ...options }));
      app.all(['/codes', '/codes/new', '/codesbook', '/page'], (_req, res) => res.send('in'));
    },
  });
  browser = site.browser();
  await browser.post('/login/password-only', { user: 'ada' });
}

const expectIn = (answer: Answer): void =>
  expect([answer.status, answer.body]).toEqual([200, 'in']);
const expectSentTo = (answer: Answer, location: string): void =>
  expect([
    answer.status,
    answer.headers.get('location'),
    answer.headers.get('cache-control'),
  ]).toEqual([303, location, 'no-store']);

afterEach(() => site.shut());

describe('a user without working codes', () => {
  test.each([
    ['4', express4],
    ['5', express5],
  ])(
    'a user without codes is sent to make some, with the page to come back to (Express %s)',
    async (_version, express) => {
      await guard({}, express);
      const answer = await browser.get('/page?q=1&r=%2F', HTML);
      expectSentTo(answer, '/codes?returnTo=%2Fpage%3Fq%3D1%26r%3D%252F');
      expect(
        safeReturnTo(
          new URL(answer.headers.get('location')!, 'http://here.example').searchParams.get(
            'returnTo',
          ),
        ),
      ).toBe('/page?q=1&r=%2F');
      await backupCodes.issue('ada');
      expectIn(await browser.get('/page', HTML));
    },
  );

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
      'were locked by too many failures',
      async () => {
        await backupCodes.issue('ada');
        await backupCodes.consume('ada', WRONG);
      },
    ],
    ["are another user's", () => backupCodes.issue('bob')],
  ])('a user is sent to make codes if the codes %s', async (_what, end) => {
    await guard({ rotation: 'never' });
    await end();
    expectSentTo(await browser.get('/page', HTML), '/codes?returnTo=%2Fpage');
  });

  test('a program gets a 403 with the code enrollment_required', async () => {
    await guard();
    const answer = await browser.post('/page', {}, { accept: 'application/json' });
    expect([answer.status, answer.body.code]).toEqual([403, 'enrollment_required']);
  });

  test('enrollUrl may have a query of its own, and may be on another site', async () => {
    await guard({ enrollUrl: 'https://id.example/codes?from=app#top' });
    expectSentTo(
      await browser.get('/page', HTML),
      'https://id.example/codes?from=app&returnTo=%2Fpage#top',
    );
  });

  test('the page that makes codes, pages below it and visitors are let through', async () => {
    await guard();
    expectIn(await browser.get('/codes?x=1', HTML));
    expectIn(await browser.get('/codes/new', HTML));
    expect((await browser.get('/codesbook', HTML)).status).toBe(303);
    expectIn(await site.browser().get('/page', HTML));
  });
});

describe('an address that may be read in two ways', () => {
  /** Sends the target as it is. `fetch` would resolve it first. */
  function getRaw(target: string, headers: Record<string, string> = {}): Promise<number> {
    const { hostname, port } = new URL(browser.origin);
    return new Promise((resolve, reject) => {
      const options = {
        hostname,
        port,
        path: target,
        headers: { ...HTML, cookie: browser.cookie, ...headers },
      };
      request(options, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });
  }

  test.each([
    '/codes/../page',
    '/codes/./page',
    '/codes/..',
    '/codes/..;/page',
    '/codes/%2e%2e/page',
    '/codes/%2E./page',
    '/codes/..%2fpage',
    '/codes/%2e%2e%2Fpage',
    '/codes/..%5cpage',
    '/codes\\..\\page',
    '/codes/..\\page',
    '/codes/%252e%252e/page',
    '/codes/%25%32%65./page',
    '/codes//page',
    '//codes',
    '/codes#/../page',
    '/codes/%',
    '/codes/%c0%ae%c0%ae/page',
  ])('the page that makes codes exempts no address such as %j', async (target) => {
    await guard();
    expect(await getRaw(target)).toBe(303);
  });

  test('a page below it may have escapes that hide nothing, and a slash at its end', async () => {
    await guard({ enrollUrl: '/c%C3%B6des/' });
    for (const target of ['/c%c3%b6des', '/c%C3%B6des/', '/c%C3%B6des/a%20b?x=/../page'])
      expect([target, await getRaw(target)]).toEqual([target, 404]);
  });

  test('an enrollUrl of "/" exempts no other page', async () => {
    await guard({ enrollUrl: '/' });
    expect([await getRaw('/'), await getRaw('/page')]).toEqual([404, 303]);
  });

  test('a whole URL exempts the page on that origin only', async () => {
    await guard({ enrollUrl: 'https://shop.example/codes' });
    const from = (host: string, proto: string): Record<string, string> => ({
      'x-forwarded-host': host,
      'x-forwarded-proto': proto,
    });
    site.trustProxy();
    expect(await getRaw('/codes', from('shop.example', 'https'))).toBe(200);
    expect(await getRaw('/codes', from('SHOP.example:443', 'https'))).toBe(200);
    for (const [host, proto] of [
      ['shop.example', 'http'],
      ['shop.example:8443', 'https'],
      ['shop.example.evil.example', 'https'],
      ['evil.example', 'https'],
    ] as const)
      expect([host, await getRaw('/codes', from(host, proto))]).toEqual([host, 303]);
  });
});

describe('an enrollUrl that the app sees under another address', () => {
  /** What a browser finds: it follows the redirect through a proxy that changes the path. */
  async function follow(
    location: string | null,
    change: (path: string) => string,
    changeQuery: (query: string) => string = (query) => query,
  ): Promise<Answer> {
    const { pathname, search } = new URL(location ?? '', browser.origin);
    return browser.get(change(pathname) + changeQuery(search), HTML);
  }

  const removePrefix = (path: string): string => path.replace('/shop', '');

  test.each<[string, string, (path: string) => string]>([
    ['a prefix is removed', '/shop/codes', removePrefix],
    ['a prefix is added', '/codes', (path) => `/internal${path}`],
    ['TLS ends at a proxy that is not trusted', 'https://127.0.0.1/codes', (path) => path],
  ])('after one round there is an error that says why: %s', async (_what, enrollUrl, change) => {
    await guard({ enrollUrl });
    const first = await browser.get('/page', HTML);
    expect(first.status).toBe(303);
    expect((await follow(first.headers.get('location'), change)).body).toMatchObject({
      error: 'enrollment_loop',
      message: expect.stringMatching(/arrived as .* proxy .* "trust proxy"/),
    });
  });

  test('a proxy that changes the whole path is noticed when the page would return to itself', async () => {
    await guard({ enrollUrl: '/shop/codes' });
    let answer = await browser.get('/page', HTML);
    for (let round = 1; round <= 2; round += 1)
      answer = await follow(answer.headers.get('location'), () => '/');
    expect(answer.body).toMatchObject({ error: 'enrollment_loop' });
  });

  test.each<[string, (query: string) => string]>([
    ['is removed', () => ''],
    ['gets another parameter', (query) => `${query}&from=proxy`],
    ['is in another order', (query) => `?from=proxy&${query.slice(1)}`],
    ['is replaced', () => '?from=proxy'],
    ['is encoded once more', (query) => query.replaceAll('%', '%25')],
  ])(
    'a proxy that removes a prefix is noticed even if the query %s',
    async (_what, changeQuery) => {
      await guard({ enrollUrl: '/shop/codes' });
      for (const page of ['/page?q=1', '/page?returnTo=%2Fpage']) {
        const { headers } = await browser.get(page, HTML);
        const answer = await follow(headers.get('location'), removePrefix, changeQuery);
        expect(answer.body).toMatchObject({ error: 'enrollment_loop' });
      }
    },
  );

  test('a proxy that changes path and query is noticed when a page is turned away five times', async () => {
    await guard({ enrollUrl: '/shop/codes', now: () => clock.now() });
    const statuses = [];
    for (let round = 1; round <= 5; round += 1) {
      clock.advance(9_000);
      statuses.push((await browser.get('/page', HTML)).status);
    }
    expect(statuses).toEqual([303, 303, 303, 303, 500]);
    clock.advance(10_001);
    expect((await browser.get('/page', HTML)).status).toBe(303);
  });

  test('the first visit of a page is no loop, whatever its address looks like', async () => {
    await guard({ enrollUrl: '/shop/codes' });
    for (const page of ['/page?returnTo=%2Fpage', '/codes?returnTo=%2Fpage', '/codes']) {
      const visitor = site.browser();
      await visitor.post('/login/password-only', { user: 'ada' });
      expect([page, (await visitor.get(page, HTML)).status]).toEqual([page, 303]);
    }
  });

  test('a page that names itself as returnTo is no loop at its second visit either', async () => {
    await guard();
    for (const page of ['/page', '/page?returnTo=%2Fpage', '/page?returnTo=%2Fpage'])
      expect((await browser.get(page, HTML)).status).toBe(303);
  });

  test('after the browser has come to enrollUrl, every page begins anew', async () => {
    await guard({ enrollUrl: '/shop/codes' });
    for (let visit = 1; visit <= 8; visit += 1) {
      expect((await browser.get('/page', HTML)).status).toBe(303);
      await browser.get('/shop/codes?returnTo=%2Fpage', HTML);
    }
    expect((await browser.get('/codes', HTML)).status).toBe(303);
  });

  test('a user who is not logged in by the session leaves nothing in it', async () => {
    const tokenSite = await LoginSite.open({
      routes: (app) => {
        app.use((req, _res, next) => {
          req.user = { id: 'ada' };
          next();
        });
        app.use(requireEnrollment({ backupCodes, enrollUrl: '/shop/codes' }));
      },
    });
    try {
      const program = tokenSite.browser();
      for (let visit = 1; visit <= 6; visit += 1)
        expect((await program.get('/page', HTML)).status).toBe(303);
      expect(await tokenSite.store.contents()).toEqual({});
      const answer = await program.get('/codes?returnTo=%2Fpage', HTML);
      expect(answer.body).toMatchObject({ error: 'enrollment_loop' });
    } finally {
      await tokenSite.shut();
    }
  });

  test("a page with a returnTo of the app's own is no loop", async () => {
    await guard();
    for (const page of ['/page?returnTo=%2Fother', '/codesbook?returnTo=%2Fother&from=mail'])
      expect((await browser.get(page, HTML)).status).toBe(303);
  });
});

test('the address of enrollUrl stays short, whatever page was asked for', async () => {
  await guard();
  const page = `/page?q=${'%20'.repeat(600)}`;
  expectSentTo(await browser.get(page, HTML), '/codes');
});

describe('a user with old codes', () => {
  const makeOldCodes = async (): Promise<void> => {
    await backupCodes.issue('ada');
    clock.advance(180 * DAY_MS);
  };

  test('a user with old codes is sent to make new ones once a login', async () => {
    await guard();
    await makeOldCodes();
    expectSentTo(await browser.get('/page', HTML), '/codes?returnTo=%2Fpage');
    expectIn(await browser.get('/page', HTML));
    await browser.post('/login/password-only', { user: 'ada' });
    expect((await browser.get('/page', HTML)).status).toBe(303);
  });

  test('a step-up is the same login, so the user is not sent again', async () => {
    await guard();
    await makeOldCodes();
    expectSentTo(await browser.get('/page', HTML), '/codes?returnTo=%2Fpage');
    expect((await browser.post('/login/totp', { code: 'valid' })).status).toBe(200);
    expectIn(await browser.get('/page', HTML));
  });

  test('old codes stop a program only if rotation is always', async () => {
    await guard();
    await makeOldCodes();
    expectIn(await browser.get('/page', { accept: 'application/json' }));
    await site.shut();
    await guard({ rotation: 'always' });
    await makeOldCodes();
    expect((await browser.get('/page', { accept: 'application/json' })).body.code).toBe(
      'enrollment_required',
    );
    for (let time = 1; time <= 2; time += 1)
      expectSentTo(await browser.get('/page', HTML), '/codes?returnTo=%2Fpage');
  });

  test('a user is not sent while the codes are not old, or if rotation is never', async () => {
    await guard({ rotation: 'never' });
    await makeOldCodes();
    expectIn(await browser.get('/page', HTML));
    await site.shut();
    await guard();
    await backupCodes.issue('ada');
    clock.advance(180 * DAY_MS - 1);
    expectIn(await browser.get('/page', HTML));
  });
});

test('a store that fails lets no user through', async () => {
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
    { backupCodes: { status: () => null }, enrollUrl: '/codes%2fnew' },
    /enrollUrl must have a plain path/,
  ],
  [
    { backupCodes: { status: () => null }, enrollUrl: '/codes', rotation: 'daily' },
    /rotation must be 'once', 'always' or 'never'/,
  ],
  [
    { backupCodes: { status: () => null }, enrollUrl: '/codes', enrolUrl: '/x' },
    /Did you mean "enrollUrl"/,
  ],
])('requireEnrollment refuses %p when the guard is made', async (options, message) => {
  await guard();
  expect(() => requireEnrollment(options as EnrollmentOptions)).toThrow(
    expect.objectContaining({ code: 'invalid_option', message: expect.stringMatching(message) }),
  );
});
