// The addresses of an account: one to five. A change needs a fresh second factor, and every address
// is notified.
import { MailServer } from '../helpers/mail-server';
import { type Service, startService } from '../helpers/service';
import { type Enrolled, enroll, errorIn, signUp, tokenIn, type Visitor } from '../helpers/visitor';

let mailServer: MailServer;
let service: Service;
let ada: Enrolled;
beforeEach(async () => {
  mailServer = await MailServer.start();
  service = await startService({
    SMTP_URL: mailServer.url,
    MAIL_FROM: 'codes@example.com',
    PUBLIC_URL: 'https://codes.example.com',
  });
  ada = await enroll(service);
  await mailServer.next(2);
});
afterEach(async () => {
  await service.stop();
  await mailServer.stop();
  expect([service.faults, mailServer.unread()]).toEqual([[], []]);
});

async function emailsOf(visitor: Visitor): Promise<string[]> {
  const { text } = await visitor.get('/account/emails');
  return [...text.matchAll(/<span>([^<]+)<\/span>/g)].map(([, email]) => email!);
}

const add = (visitor: Visitor, email: string): ReturnType<Visitor['submit']> =>
  visitor.submit('/account/emails', { email });
const remove = (visitor: Visitor, email: string): ReturnType<Visitor['submit']> =>
  visitor.submit('/account/emails', { email }, '/account/emails/remove');

test('When an address is added, the one from sign-up is notified', async () => {
  expect(await emailsOf(ada.visitor)).toEqual(['ada@example.com']);
  expect(await add(ada.visitor, ' Ada@Home.Example ')).toMatchObject({
    status: 303,
    location: '/account/emails',
  });
  expect((await ada.visitor.get('/account/emails')).text).toContain(
    'Ada@home.example is one of your addresses.',
  );
  expect(await emailsOf(ada.visitor)).toEqual(['ada@example.com', 'Ada@home.example']);
  expect((await ada.visitor.get('/account')).text).toContain('ada@example.com, Ada@home.example');
  const [mail] = await mailServer.next();
  expect(mail).toMatchObject({ to: 'ada@example.com', subject: 'An email address was added' });
  expect(mail!.text).toContain('Ada@home.example was added to the email addresses of your account');
  expect(mail!.text).toContain('From: 127.0.0.1, an unknown browser');
  expect(mail!.text).toMatch(
    /correct the addresses[^\n]*\nhttps:\/\/codes\.example\.com\/account\/emails\n$/,
  );
});

test('A removed address is notified, so a thief cannot remove it unnoticed', async () => {
  await add(ada.visitor, 'thief@example.net');
  await mailServer.next();
  expect(await remove(ada.visitor, 'ada@example.com')).toMatchObject({
    status: 303,
    location: '/account/emails',
  });
  const mails = await mailServer.next(2);
  expect(mails.map(({ to, subject }) => [to, subject])).toEqual([
    ['ada@example.com', 'An email address was removed'],
    ['thief@example.net', 'An email address was removed'],
  ]);
  expect(mails[0]!.text).toContain(
    'ada@example.com was removed from the email addresses of your account',
  );
  expect(await emailsOf(ada.visitor)).toEqual(['thief@example.net']);

  // Later notices go to the remaining addresses.
  await service.backupCodes.revoke(ada.userId);
  expect((await mailServer.next()).map(({ to }) => to)).toEqual(['thief@example.net']);
});

test('The last address cannot be removed, and a sixth cannot be added', async () => {
  const refused = await remove(ada.visitor, 'ada@example.com');
  expect([refused.status, errorIn(refused.text)]).toEqual([
    409,
    'This is your last address. Add another one before you remove it.',
  ]);
  for (let number = 2; number <= 5; number += 1) {
    expect((await add(ada.visitor, `ada${number}@example.com`)).status).toBe(303);
    await mailServer.next(number - 1);
  }
  const full = await add(ada.visitor, 'ada6@example.com');
  expect([full.status, errorIn(full.text)]).toEqual([
    409,
    'You have 5 addresses, which is the maximum.',
  ]);
  expect(await emailsOf(ada.visitor)).toHaveLength(5);
});

test('Adding a known address or removing an unknown one changes nothing', async () => {
  expect((await add(ada.visitor, 'ADA@EXAMPLE.COM')).status).toBe(303);
  expect((await remove(ada.visitor, 'bob@example.com')).status).toBe(303);
  expect(await emailsOf(ada.visitor)).toEqual(['ada@example.com']);
});

test.each([
  '',
  'ada',
  'ada@',
  '@example.com',
  'a b@example.com',
  'ada@example.com, bob@example.com',
  'bob,ada@example.com',
  'Ada <ada@example.com>',
  'ada@example.com\nBcc: b@example.com',
  '"ada"@example.com',
  `${'x'.repeat(243)}@example.com`,
])('"%s" is not accepted as an address', async (email) => {
  const { status, text } = await add(ada.visitor, email);
  expect([status, errorIn(text)]).toEqual([400, 'Enter an email address, like name@example.com.']);
  expect(await emailsOf(ada.visitor)).toEqual(['ada@example.com']);
});

test('Changing addresses needs a fresh second factor', async () => {
  service.forward(301);
  ada.visitor.headers.referer = `${service.url}/account/emails`;
  expect(await add(ada.visitor, 'thief@example.net')).toMatchObject({
    status: 303,
    location: '/login/step-up',
  });
  expect(await remove(ada.visitor, 'ada@example.com')).toMatchObject({
    status: 303,
    location: '/login/step-up',
  });
  expect(await ada.visitor.submit('/login/step-up', { code: ada.newTotp() })).toMatchObject({
    status: 303,
    location: '/account/emails',
  });
  expect(await emailsOf(ada.visitor)).toEqual(['ada@example.com']);
});

test('Without a second factor, the password is enough to change addresses', async () => {
  const bob = await signUp(service, 'bob');
  service.forward(301);
  expect((await add(bob, 'bob@home.example')).status).toBe(303);
  expect((await mailServer.next()).map(({ to }) => to)).toEqual(['bob@example.com']);
});

test('A forged form changes no address', async () => {
  for (const path of ['/account/emails', '/account/emails/remove'])
    expect((await ada.visitor.post(path, { email: 'thief@example.net' })).status).toBe(403);
  expect(await emailsOf(ada.visitor)).toEqual(['ada@example.com']);
});

test('Parallel additions leave five addresses, and parallel removals leave one', async () => {
  const _csrf = tokenIn((await ada.visitor.get('/account/emails')).text);
  const send = (path: string, emails: readonly string[]): Promise<unknown> =>
    Promise.all(emails.map((email) => ada.visitor.post(path, { _csrf, email })));
  await send(
    '/account/emails',
    Array.from({ length: 8 }, (_, index) => `ada${index}@example.com`),
  );
  const five = await emailsOf(ada.visitor);
  expect(five).toHaveLength(5);
  await mailServer.next(1 + 2 + 3 + 4);
  await send('/account/emails/remove', five);
  expect(await emailsOf(ada.visitor)).toHaveLength(1);
  await mailServer.next(5 + 4 + 3 + 2);
});
