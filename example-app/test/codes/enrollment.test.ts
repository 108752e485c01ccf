// A user with a second factor but no working codes is asked to make some, and is then led back. A
// user with old codes is reminded once in each login.
import { type Service, startService } from '../helpers/service';
import { enroll, givePassword, keepCodes } from '../helpers/visitor';

let service: Service;

beforeEach(async () => {
  service = await startService();
});
afterEach(() => service.stop());

const DAY_SECONDS = 86_400;

it('A user without codes is led to the page that makes them, and then back', async () => {
  const { visitor, userId } = await enroll(service);
  await service.backupCodes.revoke(userId);
  const { status, location } = await visitor.get('/account');
  expect([status, location]).toEqual([303, '/account/security?returnTo=%2Faccount']);
  const page = await visitor.get(location!);
  expect(page.text).toContain('You have no backup codes that work');
  const shown = await visitor.submit(
    location!,
    { returnTo: '/account' },
    '/account/security/codes',
  );
  await keepCodes(visitor, shown);
  expect((await visitor.get('/account')).status).toBe(200);
});

it('The page to return to is never on another site', async () => {
  const { visitor } = await enroll(service);
  const shown = await visitor.submit(
    '/account/security?returnTo=//evil.example',
    { returnTo: '//evil.example/' },
    '/account/security/codes',
  );
  expect(shown.text).not.toContain('evil');
  await keepCodes(visitor, shown);
});

it('A user with old codes is reminded once in each login and may continue', async () => {
  const { newTotp } = await enroll(service);
  service.forward(180 * DAY_SECONDS);
  const visitor = await givePassword(service);
  await visitor.submit('/login/second-factor', { code: newTotp() });
  expect(await visitor.get('/account')).toMatchObject({
    status: 303,
    location: '/account/security?returnTo=%2Faccount',
  });
  expect((await visitor.get('/account/security')).text).toContain('These codes are getting old');
  expect((await visitor.get('/account')).status).toBe(200);
});
