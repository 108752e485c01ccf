// A code works once: when it is entered again, in many browsers at once, and with a double click.
import { quickHasher } from '../helpers/quick-hasher';
import { type Service, startService } from '../helpers/service';
import { raceWithOneCode } from '../helpers/stories';
import { type Enrolled, enroll, givePassword, tokenIn, type Visitor } from '../helpers/visitor';

let service: Service;
beforeEach(async () => {
  // This test is not about the place of a login.
  service = await startService(
    {},
    { backupCodes: { hasher: quickHasher, assessRisk: () => 'allow' } },
  );
});
afterEach(() => service.stop());

test('Of fifty sessions that send one code at once, exactly one logs in', async () => {
  const { codes, userId } = await enroll(service);
  await raceWithOneCode(service, { username: 'ada', code: codes[0]!, browsers: 50 });
  expect(await service.backupCodes.status(userId)).toMatchObject({ remaining: 9 });
  expect(service.faults).toEqual([]);
});

test('Each code works once', async () => {
  const { codes } = await enroll(service);
  for (const code of codes) {
    const visitor = await givePassword(service);
    expect(await visitor.submit('/login/backup-code', { code })).toMatchObject({
      status: 303,
      location: '/account',
    });
  }
  const visitor = await givePassword(service);
  expect((await visitor.submit('/login/backup-code', { code: codes[0]! })).status).toBe(401);
});

test('The account page shows a warning when three codes are left', async () => {
  const { codes } = await enroll(service);
  let visitor: Visitor | undefined;
  for (const code of codes.slice(0, 6)) visitor = await logInWith(code);
  expect((await visitor!.get('/account')).text).not.toContain('class="warning"');
  visitor = await logInWith(codes[6]!);
  expect((await visitor.get('/account')).text).toContain('Only 3 backup codes are left');
  for (const code of codes.slice(7)) visitor = await logInWith(code);
  const { location } = await visitor.get('/account');
  expect((await visitor.get(location!)).text).toContain('You have no backup codes that work');
});

describe('A form that is sent twice', () => {
  let ada: Enrolled;
  let visitor: Visitor;
  let fields: { _csrf: string; code: string };
  beforeEach(async () => {
    ada = await enroll(service);
    visitor = await givePassword(service);
    fields = {
      _csrf: tokenIn((await visitor.get('/login/backup-code')).text),
      code: ada.codes[0]!,
    };
  });

  test('The second submission of a form changes nothing and redirects', async () => {
    const secondClick = visitor.copy();
    expect(await visitor.post('/login/backup-code', fields)).toMatchObject({
      status: 303,
      location: '/account',
    });
    const answer = await secondClick.post('/login/backup-code', fields);
    expect(answer).toMatchObject({ status: 303, location: '/' });
    // A cookie would replace the one that the first response set.
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await secondClick.isLoggedIn()).toBe(false);
    expect(await visitor.get('/')).toMatchObject({ status: 303, location: '/account' });
    expect(await service.backupCodes.status(ada.userId)).toMatchObject({ remaining: 9 });
  });

  test('A form that is sent twice at once uses one code and redirects both', async () => {
    const secondClick = visitor.copy();
    const answers = await Promise.all(
      [visitor, secondClick].map((each) => each.post('/login/backup-code', fields)),
    );
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    expect(answers.map(({ location }) => location).sort()).toEqual(['/', '/account']);
    expect(
      (await Promise.all([visitor, secondClick].map((each) => each.isLoggedIn()))).sort(),
    ).toEqual([false, true]);
    expect(await service.backupCodes.status(ada.userId)).toMatchObject({ remaining: 9 });
  });

  test('A user who is already logged in is redirected to the account', async () => {
    await visitor.post('/login/backup-code', fields);
    const _csrf = tokenIn((await visitor.get('/account')).text);
    expect(await visitor.post('/login/backup-code', { _csrf, code: ada.codes[1]! })).toMatchObject({
      status: 303,
      location: '/account',
    });
    expect(await service.backupCodes.status(ada.userId)).toMatchObject({ remaining: 9 });
  });
});

async function logInWith(code: string): Promise<Visitor> {
  const visitor = await givePassword(service);
  expect((await visitor.submit('/login/backup-code', { code })).status).toBe(303);
  return visitor;
}
