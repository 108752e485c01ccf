// Codes of the authenticator app: each works once and only around its time, and guesses are
// limited.
import { type Service, startService } from '../helpers/service';
import { type Enrolled, enroll, errorIn, givePassword, tokenIn, totpAt } from '../helpers/visitor';

let service: Service;
let ada: Enrolled;
beforeEach(async () => {
  service = await startService();
  ada = await enroll(service);
});
afterEach(() => service.stop());

test('A TOTP code works once, and the code that confirmed the app does not log in', async () => {
  const visitor = await givePassword(service);
  expect(
    (await visitor.submit('/login/second-factor', { code: totpAt(ada.totpSecret, service.now()) }))
      .status,
  ).toBe(401);
  const code = ada.newTotp();
  expect(
    await visitor.submit('/login/second-factor', { code: `${code.slice(0, 3)} ${code.slice(3)}` }),
  ).toMatchObject({ status: 303, location: '/account' });
  const thief = await givePassword(service);
  const reused = await thief.submit('/login/second-factor', { code });
  expect(reused.status).toBe(401);
  expect(errorIn(reused.text)).toBe(
    errorIn((await thief.submit('/login/second-factor', { code: '000000' })).text),
  );
});

test('Of ten sessions that send one TOTP code at once, one logs in', async () => {
  const visitors = await Promise.all(Array.from({ length: 10 }, () => givePassword(service)));
  const tokens = await Promise.all(
    visitors.map(async (visitor) => tokenIn((await visitor.get('/login/second-factor')).text)),
  );
  const code = ada.newTotp();
  await Promise.all(
    visitors.map((visitor, index) =>
      visitor.post('/login/second-factor', { _csrf: tokens[index]!, code }),
    ),
  );
  expect(
    (await Promise.all(visitors.map((visitor) => visitor.isLoggedIn()))).filter(Boolean),
  ).toHaveLength(1);
});

test('A TOTP code is accepted one step early or late, but not two', async () => {
  service.forward(300);
  for (const [steps, status] of [
    [-2, 401],
    [2, 401],
    [-1, 303],
    [1, 303],
  ] as const) {
    const visitor = await givePassword(service);
    expect([
      steps,
      (
        await visitor.submit('/login/second-factor', {
          code: totpAt(ada.totpSecret, service.now() + steps * 30_000),
        })
      ).status,
    ]).toEqual([steps, status]);
  }
});

test.each(['', '12345', '1234567', 'abcdef', '12 34 5x'])(
  '"%s" is not a TOTP code and does not count as an attempt',
  async (code) => {
    const visitor = await givePassword(service);
    const token = tokenIn((await visitor.get('/login/second-factor')).text);
    for (let time = 0; time < 6; time += 1)
      expect((await visitor.post('/login/second-factor', { _csrf: token, code })).status).toBe(400);
    expect(
      (await visitor.post('/login/second-factor', { _csrf: token, code: ada.newTotp() })).status,
    ).toBe(303);
  },
);

test('After five invalid TOTP codes the waits grow, but a backup code still works', async () => {
  const visitor = await givePassword(service);
  for (let time = 0; time < 5; time += 1)
    await visitor.submit('/login/second-factor', { code: '000000' });
  const other = await givePassword(service);
  const refused = await other.submit('/login/second-factor', { code: '000000' });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(25);
  expect(errorIn(refused.text)).toMatch(/^Too many wrong codes\. Try again in (2\d|30) seconds\.$/);
  service.forward(30);
  expect((await other.submit('/login/second-factor', { code: '000000' })).status).toBe(401);
  const later = await other.submit('/login/second-factor', { code: '000000' });
  expect(Number(later.headers.get('retry-after'))).toBeGreaterThan(55);
  expect((await other.submit('/login/backup-code', { code: ada.codes[0]! })).status).toBe(303);
});
