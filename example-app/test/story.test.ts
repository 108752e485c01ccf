// The whole story: sign up, turn on an authenticator app, lose the phone, and log in with a backup
// code once.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Service, startService } from './helpers/service';
import { playStory } from './helpers/stories';
import { PASSWORD, signUp, Visitor } from './helpers/visitor';

let service: Service;
beforeAll(async () => {
  // The only suite in this process that uses the real hashes.
  service = await startService({}, { passwordCost: 12, backupCodes: {} });
});
afterAll(() => service.stop());

test('A user signs up, sees ten codes once, and logs in with one, which then stops', async () => {
  const codes = await playStory(service, 'ada');
  expect(service.faults).toEqual([]);

  // Neither database contains a code, in any form.
  for (const name of readdirSync(service.dataDir)) {
    const content = readFileSync(join(service.dataDir, name), 'latin1').toUpperCase();
    expect([
      name,
      codes.filter((code) => content.includes(code) || content.includes(code.replace('-', ''))),
    ]).toEqual([name, []]);
  }
});

test('A user without a second factor logs in with the password alone', async () => {
  await signUp(service, 'bob');
  const bob = new Visitor(service);
  expect(await bob.submit('/login', { username: 'bob', password: PASSWORD })).toMatchObject({
    status: 303,
    location: '/account',
  });
  expect(await bob.isLoggedIn()).toBe(true);
});

test('After the login the user returns to the requested page', async () => {
  await signUp(service, 'cyd');
  const cyd = new Visitor(service);
  expect(await cyd.get('/account/security')).toMatchObject({ status: 303, location: '/login' });
  expect(await cyd.submit('/login', { username: 'cyd', password: PASSWORD })).toMatchObject({
    status: 303,
    location: '/account/security',
  });
});

test('The health check answers "ok"', async () => {
  expect(await new Visitor(service).get('/healthz')).toMatchObject({ status: 200, text: 'ok' });
});
