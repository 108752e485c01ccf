// Visitors without a session: nothing of them is stored, and they are led back after their login.
import { requireAssurance } from '../../lib/express';
import { Browser } from './browser';
import { openGuardedSite } from './guarded-site';
import { express4, express5, HTML, type LoginSite, type LoginSiteOptions } from './login-site';

const COOKIE = 'passport-backup-code.return-to';
let site: LoginSite;

async function open(options: LoginSiteOptions = {}): Promise<void> {
  site = await openGuardedSite((now) => requireAssurance({ now, loginUrl: '/login' }), options);
}

/** Logs in from a browser that has this cookie, and returns the page to go to. */
async function returnToAfter(cookie: string | undefined): Promise<unknown> {
  const browser = new Browser(site.browser().origin, cookie);
  await browser.post('/login', { user: 'ada' });
  return (await browser.post('/login/totp', { code: 'valid' })).body.returnTo;
}

afterEach(() => site.shut());

test.each([
  ['4', express4],
  ['5', express5],
])('visits of a guarded page without a session store none (Express %s)', async (_v, express) => {
  await open({ express });
  for (let visit = 1; visit <= 20; visit += 1) {
    const answer = await site.browser().get(`/guarded?visit=${visit}`, HTML);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login']);
  }
  expect(await site.store.contents()).toEqual({});
});

test('a visitor is led back to the page by a cookie that only the server reads', async () => {
  await open();
  const visitor = site.browser();
  const answer = await visitor.get('/guarded?a=1;b=%20', HTML);
  expect(answer.headers.getSetCookie()).toEqual([
    expect.stringMatching(
      /^passport-backup-code\.return-to=%2Fguarded[^;]+; Max-Age=600; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    ),
  ]);
  expect(await returnToAfter(visitor.cookie)).toBe('/guarded?a=1;b=%20');
});

test('the cookie is Secure, and has the domain and path of the session cookie, if that has', async () => {
  await open({
    sessionOptions: { cookie: { secure: true, domain: 'shop.example', path: '/guarded' } },
  });
  const [cookie] = (await site.browser().get('/guarded', HTML)).headers.getSetCookie();
  expect(cookie).toMatch(/; Domain=shop\.example; Path=\/guarded;.*; Secure;/);
});

test('the cookie is cleared when the user arrives at a guarded page', async () => {
  await open();
  const visitor = site.browser();
  await visitor.get('/guarded', HTML);
  const returnCookie = visitor.cookie!;
  await visitor.post('/login', { user: 'ada' });
  await visitor.post('/login/totp', { code: 'valid' });
  const cookie = `${visitor.cookie!}; ${returnCookie}`;
  const answer = await new Browser(visitor.origin, cookie).get('/guarded', HTML);
  expect(answer.status).toBe(200);
  expect(answer.headers.getSetCookie()).toEqual([
    expect.stringMatching(
      /^passport-backup-code\.return-to=; Path=\/; Expires=Thu, 01 Jan 1970 [^;]+; HttpOnly; SameSite=Lax$/,
    ),
  ]);
  expect((await visitor.get('/guarded', HTML)).headers.getSetCookie()).toEqual([]);
});

test('a visitor whose session is stored anyway gets no cookie', async () => {
  await open();
  const visitor = site.browser();
  await visitor.post('/note', { note: 'in the cart' });
  const answer = await visitor.get('/guarded', HTML);
  expect(answer.headers.getSetCookie().join()).not.toContain(COOKIE);
  expect(await returnToAfter(visitor.cookie)).toBe('/guarded');
});

test.each([
  'https%3A%2F%2Fevil.example',
  '%2F%2Fevil.example',
  '%2F%5Cevil.example',
  'inbox',
  '%',
  '%00',
  '',
  `%2F${'a'.repeat(3000)}`,
])('a cookie that another site planted leads nowhere else: %j', async (value) => {
  await open();
  expect(await returnToAfter(`a=b; ${COOKIE}=${value}`)).toBeNull();
});

test('a page whose cookie would be too long is forgotten', async () => {
  await open();
  const answer = await site.browser().get(`/guarded?q=${'%20'.repeat(650)}`, HTML);
  expect([answer.status, answer.headers.getSetCookie()]).toEqual([303, []]);
});
