// Malformed input is refused with a clear message and does not count as an attempt. Codes are read
// from forms, never from URLs.
import { type Service, startService } from '../helpers/service';
import {
  type Enrolled,
  enroll,
  errorIn,
  givePassword,
  tokenIn,
  type Visitor,
} from '../helpers/visitor';

let service: Service;
let ada: Enrolled;
let visitor: Visitor;
let token: string;
beforeAll(async () => {
  service = await startService();
  ada = await enroll(service);
});
beforeEach(async () => {
  visitor = await givePassword(service);
  token = tokenIn((await visitor.get('/login/backup-code')).text);
});
afterAll(() => service.stop());

test.each([
  ['an empty field', ''],
  ['a field of spaces', '    '],
  ['a field of dashes', '----'],
  ['a code that is too short', 'ABCD'],
  ['a code that is too long', 'ABCD-EFGH-J'],
  ['a code of the authenticator app', '123456'],
  ['a code with other characters', 'ABCD-EFG!'],
  ['a zero byte', 'ABCD-EF\u0000H'],
  ['markup', '<script>alert(1)</script>'],
  ['a long text', 'A'.repeat(10_000)],
])('Input is refused and does not count as an attempt: %s', async (_what, code) => {
  const answer = await visitor.post('/login/backup-code', { _csrf: token, code });
  expect(answer.status).toBe(400);
  expect(errorIn(answer.text)).toBe(
    'That does not look like a backup code. Please enter one code and try again.',
  );
  expect(answer.text).toContain('aria-describedby="code-hint code-error"');
  if (code.trim() !== '') expect(answer.text).not.toContain(`value="${code}`);
});

test('Two codes in one form are refused', async () => {
  const body = new URLSearchParams([
    ['_csrf', token],
    ['code', ada.codes[0]!],
    ['code', ada.codes[1]!],
  ]);
  expect((await visitor.post('/login/backup-code', body)).status).toBe(400);
});

test.each([
  ['an array', (code: string) => [code]],
  ['an object', (code: string) => ({ $ne: null, code })],
  ['a number', () => 12345678],
  ['null', () => null],
])('A JSON code that is %s is refused', async (_what, value) => {
  const answer = await postJson({ code: value(ada.codes[0]!) });
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text)).toEqual({
    error: { code: 'malformed', message: expect.any(String) as string },
  });
});

test('A code in a prototype is not read', async () => {
  const answer = await visitor.send('/login/backup-code', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf-token': token },
    body: `{"__proto__":{"code":"${ada.codes[0]!}"}}`,
  });
  expect(answer.status).toBe(400);
});

test('A code in the URL is not read', async () => {
  const answer = await visitor.post(`/login/backup-code?code=${ada.codes[0]!}`, { _csrf: token });
  expect(answer.status).toBe(400);
  expect(await visitor.get(`/login/backup-code?code=${ada.codes[0]!}`)).toMatchObject({
    status: 200,
    text: expect.not.stringContaining(ada.codes[0]!) as string,
  });
});

test('A password in the URL is not read', async () => {
  const answer = await visitor.post('/login?username=ada&password=correct+horse+battery+staple', {
    _csrf: token,
  });
  expect(answer.status).toBe(400);
});

test('A body that is too large is refused before it is read', async () => {
  expect(
    (await visitor.post('/login/backup-code', { _csrf: token, code: 'A'.repeat(1024 * 1024) }))
      .status,
  ).toBe(413);
});

test('A malformed body or one of another type changes nothing', async () => {
  const broken = await visitor.send('/login/backup-code', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf-token': token },
    body: '{"code":',
  });
  expect(broken.status).toBe(400);
  const form = new FormData();
  form.set('_csrf', token);
  form.set('code', ada.codes[0]!);
  expect((await visitor.send('/login/backup-code', { method: 'POST', body: form })).status).toBe(
    403,
  );
});

test('A malformed URL and an unknown page are 404 errors', async () => {
  expect((await visitor.get('/static/%E0%A4%A')).status).toBe(404);
  expect(await visitor.get('/nowhere')).toMatchObject({
    status: 404,
    text: expect.stringContaining('There is no such page here.') as string,
  });
});

test('After all these requests the channel is not locked, and every code works', async () => {
  expect(await service.backupCodes.status(ada.userId)).toMatchObject({
    remaining: 10,
    locked: { secondFactor: false, recovery: false },
  });
  expect(
    service.events.filter(({ type, reason }) => type !== 'activated' && reason !== 'malformed'),
  ).toEqual([]);
  const last = await givePassword(service);
  expect(
    (
      await last.submit('/login/backup-code', {
        code: ` ${ada.codes[0]!.toLowerCase().replace('-', '\u2013')} `,
      })
    ).status,
  ).toBe(303);
  expect(service.faults).toEqual([]);
});

function postJson(body: Record<string, unknown>): ReturnType<Visitor['send']> {
  return visitor.send('/login/backup-code', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'x-csrf-token': token,
    },
    body: JSON.stringify(body),
  });
}
