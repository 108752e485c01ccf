// The pages for administrators: who may see them, what they show, and what they can do. They never
// show a code.
import { type Service, startService } from '../helpers/service';
import { enroll, givePassword, signUp, type Enrolled } from '../helpers/visitor';

let service: Service;

beforeEach(async () => {
  service = await startService({ ADMINS: 'root, Second.Admin' });
});
afterEach(() => service.stop());

/** The place that all users in this file have logged in from. */
const HERE = { ip: '127.0.0.1', userAgent: 'node' };

async function openAdmin(): Promise<Enrolled> {
  return enroll(service, 'root');
}

describe('Access', () => {
  it('Only administrators with a second factor can open the pages', async () => {
    const { visitor: admin } = await openAdmin();
    expect((await admin.get('/admin')).status).toBe(200);
    expect((await admin.get('/account')).text).toContain('<a href="/admin">');
    const { visitor: ada, userId } = await enroll(service, 'ada');
    expect((await ada.get('/account')).text).not.toContain('/admin');
    for (const page of ['/admin', `/admin/users/${userId}`])
      expect((await ada.get(page)).status).toBe(404);
    expect(
      (await ada.submit('/account/security', {}, `/admin/users/${userId}/revoke`)).status,
    ).toBe(404);
    const withoutApp = await signUp(service, 'second.admin');
    expect(await withoutApp.get('/admin')).toMatchObject({
      status: 303,
      location: '/account/security',
    });
    expect((await (await givePassword(service, 'root')).get('/admin')).location).toBe('/login');
  });
});

it('The page shows adoption, recent events and accounts under attack', async () => {
  const { visitor: admin } = await openAdmin();
  const { codes, userId } = await enroll(service, 'ada');
  await signUp(service, 'grace');
  const login = await givePassword(service, 'ada');
  await login.submit('/login/backup-code', { code: codes[0]! });
  const thief = await givePassword(service, 'ada');
  for (let attempt = 0; attempt < 6; attempt += 1)
    await thief.submit('/login/backup-code', { code: 'AAAA-AAAA' });

  const { text } = await admin.get('/admin');
  const facts = Object.fromEntries(
    [...text.matchAll(/<dt>([^<]+)<\/dt><dd>([^<]*)<\/dd>/g)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
  expect(facts).toMatchObject({
    Accounts: '3',
    'With backup codes': '2 (67 %)',
    'Codes that work': '19',
    'Never used one': '1',
  });
  expect(text).toContain(`<a href="/admin/users/${userId}">ada</a></th><td>6</td><td>1</td>`);
  expect(text).toMatch(/mismatch 5, throttled 1/);
  for (const code of codes) expect(text).not.toContain(code);
});

it('The page of an account shows its activity and can end its codes', async () => {
  const { visitor: admin } = await openAdmin();
  const { codes, userId, visitor: ada } = await enroll(service, 'ada');
  const { text } = await admin.get(`/admin/users/${userId}`);
  expect(text).toContain('New backup codes were made');
  for (const code of codes) expect(text).not.toContain(code);

  expect(
    await admin.submit(`/admin/users/${userId}`, {}, `/admin/users/${userId}/revoke`),
  ).toMatchObject({ status: 303, location: `/admin/users/${userId}` });
  expect(await service.backupCodes.status(userId)).toBeNull();
  expect(service.events.at(-1)).toMatchObject({
    type: 'revoked',
    userId,
    context: { actor: 'root' },
  });
  expect((await admin.get(`/admin/users/${userId}`)).text).toContain('by an administrator (root)');
  expect(await ada.get('/account')).toMatchObject({
    status: 303,
    location: '/account/security?returnTo=%2Faccount',
  });
});

it('Ending codes needs a fresh second factor', async () => {
  const { visitor: admin } = await openAdmin();
  const { userId } = await enroll(service, 'ada');
  service.forward(600);
  expect(
    await admin.submit(`/admin/users/${userId}`, {}, `/admin/users/${userId}/revoke`),
  ).toMatchObject({ status: 303, location: '/login/step-up' });
  expect(await service.backupCodes.status(userId)).toMatchObject({ remaining: 10 });
});

it('An unknown account is a 404 error', async () => {
  const { visitor: admin } = await openAdmin();
  for (const id of ['unknown', '%00', 'x'.repeat(300)])
    expect((await admin.get(`/admin/users/${id}`)).status).toBe(404);
  expect((await admin.submit('/admin', {}, '/admin/users/unknown/revoke')).status).toBe(404);
});

it('Accounts are listed page by page', async () => {
  const { visitor: admin } = await openAdmin();
  for (let n = 10; n < 40; n += 1) await signUp(service, `user${n}`);
  const first = (await admin.get('/admin')).text;
  const next = /href="(\/admin\?show=all&amp;after=[^"#]+)#accounts"/
    .exec(first)![1]!
    .replace('&amp;', '&');
  const second = (await admin.get(next)).text;
  expect([...listed(first), ...listed(second)]).toEqual([
    'root',
    ...Array.from({ length: 30 }, (_, n) => `user${n + 10}`),
  ]);
  expect(second).not.toContain('More accounts');
});

/** The names in the list of accounts. */
function listed(html: string): string[] {
  return [
    ...html
      .slice(html.indexOf('id="accounts"'))
      .matchAll(/<a href="\/admin\/users\/[\w-]+">([^<]+)<\/a><\/th>/g),
  ].map(([, name]) => name!);
}

test('Accounts can be listed by the state of their codes', async () => {
  const { visitor: admin } = await openAdmin();
  const few = await enroll(service, 'few');
  for (const code of few.codes.slice(0, 7))
    await service.backupCodes.consume(few.userId, code, HERE);
  const attacked = await enroll(service, 'attacked');
  await service.backupCodes.consume(attacked.userId, attacked.codes[0]!, HERE);
  for (let guess = 0; guess < 6; guess += 1)
    await service.backupCodes.consume(attacked.userId, 'AAAA-AAAA', HERE);
  await enroll(service, 'unused');
  await signUp(service, 'without');
  const list = async (show: string): Promise<string[]> =>
    listed((await admin.get(`/admin?show=${show}`)).text);
  expect([
    await list('low'),
    await list('attacked'),
    await list('unused'),
    await list('none'),
    await list('expired'),
  ]).toEqual([['few'], ['attacked'], ['root', 'unused'], ['without'], []]);
  expect(await list('constructor')).toHaveLength(5);
});

test('The page shows the events of each day as a chart, a sentence and a table', async () => {
  const { newTotp } = await openAdmin();
  const { codes, userId } = await enroll(service, 'ada');
  service.forward(86_400);
  const admin = await givePassword(service, 'root');
  await admin.submit('/login/second-factor', { code: newTotp() });
  for (const code of codes.slice(0, 3)) await service.backupCodes.consume(userId, code, HERE);
  const { text } = await admin.get('/admin');
  const words = [...text.matchAll(/id="\w+-summary">([^<]+)</g)].map(([, summary]) =>
    summary!.replace(/ on \d+ \w+/, ' on …'),
  );
  expect(words).toEqual([
    '2 in 30 days, most on …: 2.',
    '3 in 30 days, most on …: 3.',
    'None in 30 days.',
  ]);
  const [today, yesterday] = [0, 86_400_000].map((ago) =>
    new Date(service.now() - ago).toISOString().slice(0, 10),
  );
  expect(text).toContain(`<th scope="row">${today!}</th><td>0</td><td>3</td><td>0</td>`);
  expect(text).toContain(`<th scope="row">${yesterday!}</th><td>2</td><td>0</td><td>0</td>`);
  expect(text).not.toMatch(/\sstyle=|<script/);
});
