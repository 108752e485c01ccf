// The whole story: sign up, turn on an authenticator app, lose the phone, get in with a backup code, once.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Service, startService } from './helpers/service';
import { codesIn, errorIn, PASSWORD, secretIn, signUp, totpAt, Visitor } from './helpers/visitor';

let service: Service;
beforeAll(async () => {
  // The one suite with the hashes that a service really has.
  service = await startService({}, { passwordCost: 12, backupCodes: {} });
});
afterAll(() => service.stop());

test('a person signs up, sees ten codes once, loses the phone, and logs in with one that never works again', async () => {
  const ada = await signUp(service, 'ada');
  expect((await ada.get('/account')).text).toContain('Set up an authenticator app');

  const setUp = await ada.get('/account/totp');
  expect(setUp.text).toContain('src="data:image/svg+xml;base64,');
  const secret = secretIn(setUp.text);
  expect((await ada.submit('/account/totp', { code: '000000' })).status).toBe(400);
  expect(secretIn((await ada.get('/account/totp')).text)).toBe(secret);

  const shown = await ada.submit('/account/totp', { code: totpAt(secret, service.now()) });
  const codes = codesIn(shown.text);
  expect(shown.status).toBe(200);
  expect(shown.headers.get('cache-control')).toBe('no-store');
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) expect(code).toMatch(/^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/);
  expect(shown.text).toContain('I have saved these codes');
  for (const page of ['/account', '/account/security', '/account/totp']) {
    const { text } = await ada.get(page);
    expect(codes.filter((code) => text.includes(code))).toEqual([]);
  }

  expect(await ada.submit('/account', {}, '/logout')).toMatchObject({ status: 303, location: '/login' });
  expect(await ada.isLoggedIn()).toBe(false);

  expect(await ada.submit('/login', { username: ' ADA ', password: PASSWORD })).toMatchObject({ status: 303, location: '/login/second-factor' });
  expect(await ada.isLoggedIn()).toBe(false);
  expect((await ada.get('/login/second-factor')).text).toContain('<a href="/login/backup-code">Use a backup code instead</a>');

  const typed = codes[3]!.toLowerCase().replace('-', ' ');
  expect(await ada.submit('/login/backup-code', { code: typed })).toMatchObject({ status: 303, location: '/account' });
  const { text } = await ada.get('/account');
  expect(text).toContain('9 of 10 are left');
  expect((await ada.get('/account')).text).not.toContain('You used a backup code');

  const thief = new Visitor(service);
  await thief.submit('/login', { username: 'ada', password: PASSWORD });
  const wrong = await thief.submit('/login/backup-code', { code: 'AAAA-AAAA' });
  const reused = await thief.submit('/login/backup-code', { code: codes[3]! });
  expect([wrong.status, reused.status]).toEqual([401, 401]);
  expect(errorIn(reused.text)).toBe(errorIn(wrong.text));
  expect(await thief.isLoggedIn()).toBe(false);
  expect(service.faults).toEqual([]);

  // Neither database holds a code, in any form.
  for (const name of readdirSync(service.dataDir)) {
    const content = readFileSync(join(service.dataDir, name), 'latin1').toUpperCase();
    expect([name, codes.filter((code) => content.includes(code) || content.includes(code.replace('-', '')))]).toEqual([name, []]);
  }
});

test('somebody without an authenticator app logs in with the password alone', async () => {
  await signUp(service, 'bob');
  const bob = new Visitor(service);
  expect(await bob.submit('/login', { username: 'bob', password: PASSWORD })).toMatchObject({ status: 303, location: '/account' });
  expect(await bob.isLoggedIn()).toBe(true);
});

test('logging in leads to the page that was asked for', async () => {
  await signUp(service, 'cyd');
  const cyd = new Visitor(service);
  expect(await cyd.get('/account/security')).toMatchObject({ status: 303, location: '/login' });
  expect(await cyd.submit('/login', { username: 'cyd', password: PASSWORD })).toMatchObject({ status: 303, location: '/account/security' });
});

test('the service says that it is well', async () => {
  expect(await new Visitor(service).get('/healthz')).toMatchObject({ status: 200, text: 'ok' });
});
