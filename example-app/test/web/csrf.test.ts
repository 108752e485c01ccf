// Forms of other sites change nothing.
import { type Service, startService } from '../helpers/service';
import { enroll, givePassword, PASSWORD, tokenIn, Visitor } from '../helpers/visitor';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

test('A forged form is refused, and its code is not used up', async () => {
  const { codes, userId } = await enroll(service, 'ada');
  const visitor = await givePassword(service, 'ada');
  const tokenOfAnother = tokenIn((await new Visitor(service).get('/login')).text);
  for (const _csrf of ['', 'forged', tokenOfAnother]) {
    const answer = await visitor.post('/login/backup-code', { code: codes[0]!, _csrf });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('This form is no longer valid');
  }
  expect(await service.backupCodes.status(userId)).toMatchObject({ remaining: 10 });
  expect((await visitor.submit('/login/backup-code', { code: codes[0]! })).status).toBe(303);
});

test('Every form needs the token of its session', async () => {
  const { visitor } = await enroll(service, 'bob');
  const stranger = new Visitor(service);
  await stranger.get('/login');
  for (const path of [
    '/logout',
    '/account/totp',
    '/account/totp/disable',
    '/account/security/codes',
    '/login/step-up',
  ]) {
    expect([path, (await visitor.post(path, {})).status]).toEqual([path, 403]);
  }
  for (const path of ['/login', '/signup']) {
    expect([
      path,
      (await stranger.post(path, { username: 'bob', password: PASSWORD, email: 'b@example.com' }))
        .status,
    ]).toEqual([path, 403]);
  }
  expect(await visitor.isLoggedIn()).toBe(true);
});

test('A form without a session is refused, with a JSON error for JSON clients', async () => {
  const program = new Visitor(service);
  program.headers.accept = 'application/json';
  const answer = await program.post('/login', { username: 'bob', password: PASSWORD });
  expect(answer.status).toBe(403);
  expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'invalid_csrf_token' } });
});
