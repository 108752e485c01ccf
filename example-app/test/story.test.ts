// The whole story: sign up, turn on an authenticator app, lose the phone, get in with a backup
// code, once.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Service, startService } from './helpers/service';
import { playStory } from './helpers/stories';
import { PASSWORD, signUp, Visitor } from './helpers/visitor';

let service: Service;
beforeAll(async () => {
  // The one suite with the hashes that a service really has.
  service = await startService({}, { passwordCost: 12, backupCodes: {} });
});
afterAll(() => service.stop());

test('a person signs up, sees ten codes once, loses the phone, and logs in with one that never works again', async () => {
  const codes = await playStory(service, 'ada');
  expect(service.faults).toEqual([]);

  // Neither database holds a code, in any form.
  for (const name of readdirSync(service.dataDir)) {
    const content = readFileSync(join(service.dataDir, name), 'latin1').toUpperCase();
    expect([
      name,
      codes.filter((code) => content.includes(code) || content.includes(code.replace('-', ''))),
    ]).toEqual([name, []]);
  }
});

test('somebody without an authenticator app logs in with the password alone', async () => {
  await signUp(service, 'bob');
  const bob = new Visitor(service);
  expect(await bob.submit('/login', { username: 'bob', password: PASSWORD })).toMatchObject({
    status: 303,
    location: '/account',
  });
  expect(await bob.isLoggedIn()).toBe(true);
});

test('logging in leads to the page that was asked for', async () => {
  await signUp(service, 'cyd');
  const cyd = new Visitor(service);
  expect(await cyd.get('/account/security')).toMatchObject({ status: 303, location: '/login' });
  expect(await cyd.submit('/login', { username: 'cyd', password: PASSWORD })).toMatchObject({
    status: 303,
    location: '/account/security',
  });
});

test('the service says that it is well', async () => {
  expect(await new Visitor(service).get('/healthz')).toMatchObject({ status: 200, text: 'ok' });
});
