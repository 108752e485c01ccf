// The password alone logs no user in. The test tries every route of the app.
import { listRoutes } from '../helpers/routes';
import { type Service, startService } from '../helpers/service';
import {
  type Enrolled,
  enroll,
  givePassword,
  keepCodes,
  PASSWORD,
  tokenIn,
  signUp,
  secretIn,
  totpAt,
  Visitor,
} from '../helpers/visitor';

let service: Service;
let ada: Enrolled;
beforeAll(async () => {
  service = await startService();
  ada = await enroll(service);
});
afterAll(() => service.stop());

test('After the password alone no route opens and none logs the user in', async () => {
  const routes = listRoutes(service);
  expect(routes.length).toBeGreaterThanOrEqual(18);
  const before = await service.backupCodes.status(ada.userId);

  for (const { method, path } of routes) {
    const visitor = await givePassword(service);
    const _csrf = tokenIn((await visitor.get('/login/second-factor')).text);
    const answer =
      method === 'GET'
        ? await visitor.get(path)
        : await visitor.post(path, {
            _csrf,
            username: 'ada',
            password: PASSWORD,
            email: 'a@example.com',
            code: '',
          });
    expect([method, path, answer.text.includes('Log out')]).toEqual([method, path, false]);
    if (path.startsWith('/account'))
      expect([path, answer.status, answer.location]).toEqual([path, 303, '/login']);
    expect([method, path, await visitor.isLoggedIn()]).toEqual([method, path, false]);
  }
  expect(await service.backupCodes.status(ada.userId)).toEqual(before);
});

test('A pending login ends after ten minutes', async () => {
  const visitor = await givePassword(service);
  const { text } = await visitor.get('/login/backup-code');
  service.forward(601);
  expect(
    await visitor.post('/login/backup-code', { _csrf: tokenIn(text), code: ada.codes[9]! }),
  ).toMatchObject({ status: 303, location: '/login' });
  expect(await visitor.isLoggedIn()).toBe(false);
});

test('A code of one user does not log in another, and still works for its owner', async () => {
  await enroll(service, 'eve');
  const eve = await givePassword(service, 'eve');
  expect((await eve.submit('/login/backup-code', { code: ada.codes[0]! })).status).toBe(401);
  const visitor = await givePassword(service);
  expect((await visitor.submit('/login/backup-code', { code: ada.codes[0]! })).status).toBe(303);
});

test('After an authenticator app is turned on, a session by password must step up', async () => {
  const laptop = await signUp(service, 'fay');
  const phone = new Visitor(service);
  await phone.submit('/login', { username: 'fay', password: PASSWORD });
  expect(await phone.isLoggedIn()).toBe(true);

  const secret = secretIn((await laptop.get('/account/totp')).text);
  await keepCodes(
    laptop,
    await laptop.submit('/account/totp', { code: totpAt(secret, service.now()) }),
  );
  expect(await laptop.isLoggedIn()).toBe(true);
  expect(await phone.get('/account')).toMatchObject({ status: 303, location: '/login/step-up' });
  service.forward(30);
  expect(
    await phone.submit('/login/step-up', { code: totpAt(secret, service.now()) }),
  ).toMatchObject({ status: 303, location: '/account' });
  expect(await phone.isLoggedIn()).toBe(true);
});
