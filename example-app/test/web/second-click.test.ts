// A double click: the browser drops the response to the first form and shows the second one's. The
// result of the first must not be lost.
import { setTimeout as wait } from 'node:timers/promises';
import { quickHasher } from '../helpers/quick-hasher';
import { type Service, startService } from '../helpers/service';
import { doubleClick } from '../helpers/stories';
import {
  enroll,
  givePassword,
  keepCodes,
  secretIn,
  signUp,
  tokenIn,
  totpAt,
} from '../helpers/visitor';

let service: Service;
beforeEach(async () => {
  // Slow enough for a second click while the first one is processed.
  const hasher = {
    ...quickHasher,
    hash: (code: string, salt: string) => wait(40).then(() => quickHasher.hash(code, salt)),
  };
  service = await startService({}, { backupCodes: { hasher } });
});
afterEach(() => service.stop());

test('A double click with a backup code logs in and uses one code', async () => {
  const { codes, userId } = await enroll(service);
  const visitor = await givePassword(service);
  const _csrf = tokenIn((await visitor.get('/login/backup-code')).text);
  expect(
    await doubleClick(visitor, '/login/backup-code', { _csrf, code: codes[0]! }),
  ).toMatchObject({ status: 303, location: '/account' });
  expect(await visitor.isLoggedIn()).toBe(true);
  expect(await service.backupCodes.status(userId)).toMatchObject({ remaining: 9 });
  expect(service.events.filter(({ type }) => type === 'rejected')).toEqual([]);
});

test('A double click that confirms an authenticator app shows ten working codes', async () => {
  const ada = await signUp(service);
  const { text } = await ada.get('/account/totp');
  const answer = await doubleClick(ada, '/account/totp', {
    _csrf: tokenIn(text),
    code: totpAt(secretIn(text), service.now()),
  });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const codes = await keepCodes(ada, answer);
  expect(await ada.isLoggedIn()).toBe(true);
  const visitor = await givePassword(service);
  expect((await visitor.submit('/login/backup-code', { code: codes[9]! })).status).toBe(303);
});

test('Another code or another session does not count as a double click', async () => {
  const { codes } = await enroll(service);
  const [one, other] = [await givePassword(service), await givePassword(service)];
  const tokens = await Promise.all(
    [one, other].map(async (visitor) => tokenIn((await visitor.get('/login/backup-code')).text)),
  );
  const dropped = new AbortController();
  const body = new URLSearchParams({ _csrf: tokens[0]!, code: codes[0]! });
  const first = one.send('/login/backup-code', { method: 'POST', body, signal: dropped.signal });
  await wait(15);
  dropped.abort();
  await expect(first).rejects.toThrow('aborted');
  const answers = await Promise.all([
    one.post('/login/backup-code', { _csrf: tokens[0]!, code: 'AAAA-AAAA' }),
    other.post('/login/backup-code', { _csrf: tokens[1]!, code: codes[0]! }),
  ]);
  expect(answers.map(({ headers }) => headers.getSetCookie())).toEqual([[], []]);
  expect([await one.isLoggedIn(), await other.isLoggedIn()]).toEqual([false, false]);
});
