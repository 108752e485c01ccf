// The session id changes at every step, old cookies stop working, and the cookie has the strictest
// attributes.
import { randomBytes } from 'node:crypto';
import { type Service, startService } from '../helpers/service';
import { enroll, givePassword, PASSWORD, tokenIn, Visitor } from '../helpers/visitor';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

test('Every step of a login starts a new session, and no earlier cookie works', async () => {
  const { codes, newTotp } = await enroll(service, 'ada');
  const visitor = new Visitor(service);
  const left: Visitor[] = [];
  const step = async (act: () => Promise<{ status: number }>): Promise<void> => {
    const before = visitor.copy();
    expect((await act()).status).toBe(303);
    expect(visitor.sessionCookie()).not.toBe(before.sessionCookie());
    left.push(before);
  };

  await visitor.get('/login');
  await step(() => visitor.submit('/login', { username: 'ada', password: PASSWORD }));
  await step(() => visitor.submit('/login/backup-code', { code: codes[0]! }));
  await step(() => visitor.submit('/login/step-up', { code: newTotp() }));
  expect(await visitor.isLoggedIn()).toBe(true);
  await step(() => visitor.submit('/account', {}, '/logout'));
  expect(visitor.sessionCookie()).toBeUndefined();

  for (const old of left) {
    expect(await old.isLoggedIn()).toBe(false);
    expect(await old.get('/login/backup-code')).toMatchObject({ status: 303, location: '/login' });
  }
});

test('A session id that an attacker chose does not become a login', async () => {
  await enroll(service, 'bob');
  const attacker = new Visitor(service);
  await attacker.get('/login');
  const victim = attacker.copy();
  await victim.submit('/login', { username: 'bob', password: PASSWORD });
  expect(await attacker.get('/login/second-factor')).toMatchObject({
    status: 303,
    location: '/login',
  });
});

test('A session ends half a day after the login, even if it is used or stepped up', async () => {
  const { visitor, newTotp } = await enroll(service, 'eve');
  for (let hour = 1; hour < 12; hour += 1) {
    service.forward(3600);
    expect(await visitor.isLoggedIn()).toBe(true);
    if (hour === 11)
      expect((await visitor.submit('/login/step-up', { code: newTotp() })).status).toBe(303);
  }
  service.forward(3600);
  const stolen = visitor.copy();
  expect(await visitor.get('/account')).toMatchObject({ status: 303, location: '/login' });
  expect([await visitor.isLoggedIn(), await stolen.isLoggedIn()]).toEqual([false, false]);
});

test('Logging in as another user in the same browser keeps nothing of the first', async () => {
  const { visitor, newTotp } = await enroll(service, 'cyd');
  await visitor.submit('/account', {}, '/logout');
  await visitor.submit('/login', { username: 'cyd', password: PASSWORD });
  await visitor.submit('/login/second-factor', { code: newTotp() });
  await visitor.submit('/account', {}, '/logout');
  await enroll(service, 'dan');
  await visitor.submit('/login', { username: 'dan', password: PASSWORD });
  expect(await visitor.get('/account/security')).toMatchObject({ status: 303, location: '/login' });
});

test('The cookie is for this site only, and scripts cannot read it', async () => {
  const { headers } = await new Visitor(service).get('/login');
  expect(headers.getSetCookie()).toEqual([
    expect.stringMatching(/^session=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/),
  ]);
});

test('A page that needs no session creates none', async () => {
  const { headers } = await new Visitor(service).get('/nowhere');
  expect(headers.getSetCookie()).toEqual([]);
});

test('No page runs inline scripts, can be framed, or is cached', async () => {
  const visitor = await givePassword(service, 'ada');
  const { headers, text } = await visitor.get('/login/backup-code');
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;" +
      "form-action 'self';base-uri 'none';frame-ancestors 'none'",
  );
  expect(headers.get('cache-control')).toBe('no-store');
  expect(text).not.toMatch(/<script|<style|style=|\son\w+=/i);
});

describe('In production, behind a proxy that speaks TLS', () => {
  let production: Service;
  beforeAll(async () => {
    const pepper = `2026:${randomBytes(32).toString('base64')}`;
    production = await startService({
      NODE_ENV: 'production',
      SESSION_SECRET: randomBytes(32).toString('hex'),
      BACKUP_CODE_PEPPER: pepper,
      TRUST_PROXY: '1',
    });
  });
  afterAll(() => production.stop());

  test('In production the cookie is sent only over TLS', async () => {
    const visitor = new Visitor(production);
    visitor.headers['x-forwarded-proto'] = 'https';
    expect((await visitor.get('/login')).headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-session=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
    expect(
      await visitor.submit('/signup', {
        username: 'ada',
        email: 'a@example.com',
        password: PASSWORD,
      }),
    ).toMatchObject({ status: 303, location: '/account' });
    expect(await visitor.isLoggedIn()).toBe(true);
  });

  test('In production over plain HTTP no session starts and no form is accepted', async () => {
    const visitor = new Visitor(production);
    const { headers, text } = await visitor.get('/login');
    expect(headers.getSetCookie()).toEqual([]);
    expect(
      (await visitor.post('/login', { _csrf: tokenIn(text), username: 'ada', password: PASSWORD }))
        .status,
    ).toBe(403);
  });
});
