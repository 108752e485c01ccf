// A new set needs a fresh second factor, is shown once, and replaces the old one when it is saved.
import { type Service, startService } from '../helpers/service';
import {
  type Answer,
  codesIn,
  enroll,
  givePassword,
  keepCodes,
  secretIn,
  signUp,
  tokenIn,
  totpAt,
  type Visitor,
} from '../helpers/visitor';

let service: Service;
beforeEach(async () => {
  service = await startService();
});
afterEach(() => service.stop());

const makeNewCodes = (visitor: Visitor): Promise<Answer> =>
  visitor.submit('/account/security', {}, '/account/security/codes');

test('Making new codes needs a fresh second factor', async () => {
  const { visitor, codes, newTotp } = await enroll(service);
  service.forward(301);
  visitor.headers.referer = `${service.url}/account/security`;
  const turnedAway = await makeNewCodes(visitor);
  expect(turnedAway).toMatchObject({ status: 303, location: '/login/step-up' });
  expect(codesIn(turnedAway.text)).toEqual([]);

  const stepUp = await visitor.get('/login/step-up');
  expect(stepUp.text).toContain('autocomplete="one-time-code"');
  expect((await visitor.submit('/login/step-up', { code: '000000' })).status).toBe(401);
  expect(await visitor.submit('/login/step-up', { code: newTotp() })).toMatchObject({
    status: 303,
    location: '/account/security',
  });
  expect((await visitor.get('/account/security')).text).toContain(
    'Confirmed. What you were about to do is not done yet: do it now.',
  );

  const shown = await makeNewCodes(visitor);
  expect(shown.headers.get('cache-control')).toBe('no-store');
  const newCodes = await keepCodes(visitor, shown);
  expect(newCodes.filter((code) => codes.includes(code))).toEqual([]);

  const thief = await givePassword(service);
  expect((await thief.submit('/login/backup-code', { code: codes[0]! })).status).toBe(401);
  expect((await thief.submit('/login/backup-code', { code: newCodes[0]! })).status).toBe(303);
  expect(service.faults).toEqual([]);
});

test('Reloading the page that shows new codes does not make others', async () => {
  const { visitor } = await enroll(service);
  const { text } = await visitor.get('/account/security');
  const form = { _csrf: tokenIn(text), after: /name="after" value="([^"]+)"/.exec(text)![1]! };
  const shown = await visitor.post('/account/security/codes', form);
  expect(await visitor.post('/account/security/codes', form)).toMatchObject({
    status: 303,
    location: '/account/security',
  });
  const [code] = await keepCodes(visitor, shown);
  expect(await visitor.post('/account/security/codes', form)).toMatchObject({
    status: 303,
    location: '/account/security',
  });
  expect(
    await (await givePassword(service)).submit('/login/backup-code', { code: code! }),
  ).toMatchObject({ status: 303, location: '/account' });
});

test('A user who leaves the page without saving the new codes keeps the old ones', async () => {
  const { visitor, codes } = await enroll(service);
  const newCodes = codesIn((await makeNewCodes(visitor)).text);
  const other = await givePassword(service);
  expect((await other.submit('/login/backup-code', { code: newCodes[0]! })).status).toBe(401);
  expect(await other.submit('/login/backup-code', { code: codes[0]! })).toMatchObject({
    status: 303,
    location: '/account',
  });
});

test('A JSON client receives the step-up error of RFC 9470', async () => {
  const { visitor } = await enroll(service);
  service.forward(301);
  visitor.headers.accept = 'application/json';
  const page = visitor.copy();
  const { text } = await page.get('/account/security');
  const answer = await visitor.post('/account/security/codes', { _csrf: tokenIn(text) });
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toContain(
    'error="insufficient_user_authentication"',
  );
  expect(JSON.parse(answer.text)).toMatchObject({ code: 'insufficient_user_authentication' });
});

test('A user who just logged in with a backup code can make new codes', async () => {
  const { codes } = await enroll(service);
  const visitor = await givePassword(service);
  await visitor.submit('/login/backup-code', { code: codes[0]! });
  expect(codesIn((await makeNewCodes(visitor)).text)).toHaveLength(10);
});

test('A backup code is enough to replace the authenticator app', async () => {
  const { codes, newTotp } = await enroll(service);
  const visitor = await givePassword(service);
  await visitor.submit('/login/backup-code', { code: codes[0]! });
  expect((await visitor.get('/account/totp')).text).toContain('the old one stops working');
  service.forward(301);
  expect(await visitor.get('/account/totp')).toMatchObject({
    status: 303,
    location: '/login/step-up',
  });
  expect(await visitor.submit('/login/step-up/backup-code', { code: codes[1]! })).toMatchObject({
    status: 303,
    location: '/account/totp',
  });
  const secret = secretIn((await visitor.get('/account/totp')).text);
  expect(
    await visitor.submit('/account/totp', { code: totpAt(secret, service.now()) }),
  ).toMatchObject({ status: 303, location: '/account/security' });
  expect((await visitor.get('/account/security')).text).toContain(
    'Your backup codes work as before.',
  );

  const again = await givePassword(service);
  expect((await again.submit('/login/second-factor', { code: newTotp() })).status).toBe(401);
  expect(
    (await again.submit('/login/second-factor', { code: totpAt(secret, service.now()) })).status,
  ).toBe(303);
});

test('The security page shows the number of codes left and the dates of the set', async () => {
  const { codes } = await enroll(service);
  const visitor = await givePassword(service);
  await visitor.submit('/login/backup-code', { code: codes[0]! });
  const { text } = await visitor.get('/account/security');
  expect(text).toContain('<dd>9 of 10</dd>');
  const [codesAlone] = text.split('id="activity"');
  const times = [...codesAlone!.matchAll(/<time datetime="([^"]+)">[^<]+ UTC<\/time>/g)].map(
    ([, time]) => Date.parse(time!),
  );
  expect(times).toHaveLength(3);
  expect(times[2]! - times[0]!).toBe(365 * 86_400_000);
});

test('An account without a second factor cannot make backup codes', async () => {
  const visitor = await signUp(service, 'bob');
  expect((await visitor.get('/account/security')).text).toContain('Set up an authenticator app');
  expect(await visitor.submit('/account', {}, '/account/security/codes')).toMatchObject({
    status: 303,
    location: '/account/security',
  });
});

test('Turning off the only second factor needs a fresh factor and ends the codes', async () => {
  const { visitor, userId, newTotp } = await enroll(service);
  service.forward(301);
  expect(await visitor.submit('/account/security', {}, '/account/totp/disable')).toMatchObject({
    status: 303,
    location: '/login/step-up',
  });
  expect(await service.backupCodes.status(userId)).not.toBeNull();
  await visitor.submit('/login/step-up', { code: newTotp() });
  expect(await visitor.submit('/account/security', {}, '/account/totp/disable')).toMatchObject({
    status: 303,
    location: '/account',
  });
  expect(await service.backupCodes.status(userId)).toBeNull();
  expect((await visitor.get('/account')).text).toContain('Your password alone opens this account.');
});
