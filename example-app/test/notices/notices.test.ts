// Every address of the owner is notified of what happens to the codes: what, when, from where, and
// what to do. A real mail server receives the mail. No mail contains a code.
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Canary } from '../../../test/helpers/canary';
import { MailServer, type ReceivedMail } from '../helpers/mail-server';
import { quickHasher } from '../helpers/quick-hasher';
import { type Service, startService } from '../helpers/service';
import { type Answer, type Enrolled, enroll, givePassword, keepCodes } from '../helpers/visitor';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';
const DAY_SECONDS = 86_400;
const LINK = 'https://codes.example.com/account/security';

const canary = new Canary();
let mailServer: MailServer;
let service: Service;
let ada: Enrolled;

beforeAll(async () => {
  mailServer = await MailServer.start();
});
beforeEach(async () => {
  service = await startService(
    {
      SMTP_URL: mailServer.url,
      MAIL_FROM: 'Codes <codes@example.com>',
      PUBLIC_URL: 'https://codes.example.com',
    },
    {
      backupCodes: {
        hasher: quickHasher,
        attempts: { free: 3, lockAfter: 4 },
        assessRisk: () => 'allow',
      },
    },
  );
  ada = await enroll(service);
  for (const code of ada.codes) canary.addCode(code, 'a code');
  await mailServer.next(2);
  await ada.visitor.submit('/account/emails', { email: 'ada@home.example' });
  await mailServer.next();
});
afterEach(async () => {
  await service.stop();
  expect([service.faults, mailServer.unread()]).toEqual([[], []]);
});
afterAll(async () => {
  await mailServer.stop();
  // All mail that these tests sent.
  expect(mailServer.mails.length).toBeGreaterThan(0);
  expect(
    mailServer.mails.flatMap(({ raw, subject, text }) =>
      canary.findIn([raw, subject, text].join('\n')),
    ),
  ).toEqual([]);
});

async function tryCode(code: string): Promise<Answer> {
  const visitor = await givePassword(service);
  visitor.headers['user-agent'] = FIREFOX;
  return visitor.submit('/login/backup-code', { code });
}

/** The notice that both addresses received. It is the same for both. */
async function nextNotice(): Promise<ReceivedMail> {
  const [first, second] = (await mailServer.next(2)) as [ReceivedMail, ReceivedMail];
  expect([first.to, second.to]).toEqual(['ada@example.com', 'ada@home.example']);
  expect([second.subject, second.text]).toEqual([first.subject, first.text]);
  return first;
}

test('The owner is notified of a used code: when, from where, and what to do', async () => {
  const before = Math.floor(service.now() / 60_000) * 60_000;
  expect((await tryCode(ada.codes[0]!)).status).toBe(303);
  const { from, subject, text, headers } = await nextNotice();
  expect({ from, subject }).toEqual({
    from: 'Codes <codes@example.com>',
    subject: 'A backup code was used',
  });
  const [, time] = /^When: (.*)$/m.exec(text)!;
  const advice =
    'If this was not you, someone has your password and codes of yours: make new ones at once, ' +
    'which ends the ones they have, and tell the people who run this service.';
  expect(text).toBe(`Hello ada,

A backup code was used for your account at Backup code example. It will not work again.

When: ${time}
From: 127.0.0.1, Firefox on Linux
Codes left: 9 of 10

${advice}
${LINK}
`);
  const at = Date.parse(time!.replace(' at', ''));
  expect(at >= before && at <= service.now()).toBe(true);
  expect(headers).toMatchObject({
    'auto-submitted': 'auto-generated',
    'message-id': expect.stringMatching(/^<[0-9a-f-]{36}@example\.com>$/) as string,
  });
});

test('The mail about a used code also says that few or no codes are left', async () => {
  const subjects: string[] = [];
  const lines: string[] = [];
  for (const code of ada.codes) {
    expect((await tryCode(code)).status).toBe(303);
    const { subject, text } = await nextNotice();
    subjects.push(subject);
    const [left] = /Codes left: .*/.exec(text)!;
    const isFew = text.includes('Few are left: make new ones before you need them.');
    const isNone = text.includes(
      'None is left: if your phone or your security key is gone, you cannot log in.',
    );
    lines.push(`${left}${isFew ? ', few' : ''}${isNone ? ', none' : ''}`);
  }
  expect(subjects).toEqual([
    ...Array<string>(6).fill('A backup code was used'),
    'A backup code was used, and 3 are left',
    'A backup code was used, and 2 are left',
    'A backup code was used, and 1 is left',
    'Your last backup code was used',
  ]);
  expect(lines).toEqual([
    ...[9, 8, 7, 6, 5, 4].map((left) => `Codes left: ${left} of 10`),
    ...[3, 2, 1].map((left) => `Codes left: ${left} of 10, few`),
    'Codes left: 0 of 10, none',
  ]);
});

test('The owner is notified of new codes', async () => {
  const newCodes = await keepCodes(
    ada.visitor,
    await ada.visitor.submit('/account/security', {}, '/account/security/codes'),
  );
  for (const code of newCodes) canary.addCode(code, 'a new code');
  const { subject, text } = await nextNotice();
  expect(subject).toBe('New backup codes were made');
  expect(text).toContain('Those from before no longer work.');
  expect(text).toContain('Codes left: 10 of 10');
  expect(text).toContain('If it was not, someone else is in your account');
});

test('The owner is notified if a login fails after its code was used', async () => {
  const outcome = await service.backupCodes.consume(ada.userId, ada.codes[0]);
  if (outcome.ok) await service.backupCodes.recordUnfinishedLogin(ada.userId, outcome);
  await nextNotice();
  const { subject, text } = await nextNotice();
  expect(subject).toBe('A backup code was used, but the login failed');
  expect(text).toContain('That code is used up; the next one works.');
});

test('The owner is notified when a staged set is activated', async () => {
  const { setId, codes } = await service.backupCodes.stage(ada.userId);
  for (const code of codes) canary.addCode(code, 'a staged code');
  expect(await service.backupCodes.activate(ada.userId, setId)).toBe(true);
  const { subject, text } = await nextNotice();
  expect(subject).toBe('New backup codes were made');
  // No request caused it.
  expect(text).not.toContain('From:');
});

test('The owner is notified of too many invalid codes, and of a lock', async () => {
  for (const code of ['AAAA-AAAA', 'BBBB-BBBB', 'CCCC-CCCC', 'DDDD-DDDD']) await tryCode(code);
  const throttled = await nextNotice();
  expect(throttled.subject).toBe('Wrong backup codes were entered');
  expect(throttled.text).toContain('For a while no code is accepted.');
  expect(throttled.text).toContain('Codes left: 10 of 10');

  service.forward(60);
  await tryCode('EEEE-EEEE');
  const locked = await nextNotice();
  expect(locked.subject).toBe('Your backup codes are locked');
  expect(locked.text).toContain(
    'not even a valid one, until you make new ones. What else you log in with works as before.',
  );
  expect(locked.text).toContain('From: 127.0.0.1, Firefox on Linux');
});

test('The owner is notified of a reused code, unless it was a double click', async () => {
  await tryCode(ada.codes[0]!);
  await nextNotice();
  service.forward(2);
  await tryCode(ada.codes[0]!);
  await tryCode(ada.codes[1]!);
  expect((await nextNotice()).subject).toBe('A backup code was used');
  service.forward(10);
  await tryCode(ada.codes[0]!);
  const { subject, text } = await nextNotice();
  expect(subject).toBe('A used backup code was tried again');
  expect(text).toContain('It opened nothing.');
  expect(text).toContain('Codes left: 8 of 10');
});

test('The owner receives at most one mail an hour about unusual attempts', async () => {
  await tryCode(ada.codes[0]!);
  await nextNotice();
  const subjects: string[] = [];
  for (const seconds of [60, 3500, 100]) {
    service.forward(seconds);
    await tryCode(ada.codes[0]!);
    // A success, so that there is no wait. Its mail shows that no other was sent before it.
    await tryCode(ada.codes[1 + subjects.length]!);
    const next = await nextNotice();
    subjects.push(next.subject);
    if (next.subject !== 'A backup code was used') subjects.push((await nextNotice()).subject);
  }
  expect(subjects).toEqual([
    'A used backup code was tried again',
    'A backup code was used',
    'A backup code was used',
    'A used backup code was tried again',
    'A backup code was used',
  ]);
});

test.each([
  ['the owner', {}, 'someone logged in as you'],
  ['an administrator', { actor: 'grace' }, 'an administrator, grace'],
])('If %s ends the codes, the mail says who did it', async (_who, context, by) => {
  expect(await service.backupCodes.revoke(ada.userId, context)).toBe(true);
  const { subject, text } = await nextNotice();
  expect(subject).toBe('Your backup codes were ended');
  expect(text).toContain(`\nBy: ${by}\n`);
  expect(text).not.toContain('Codes left');
});

test('The owner is notified 30 and 7 days before codes expire, and afterwards', async () => {
  const { expiresAt } = (await service.backupCodes.status(ada.userId))!;
  const endsOn = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(
    expiresAt!,
  );
  for (const days of [336, 23, 7]) {
    service.forward(days * DAY_SECONDS);
    await service.backupCodes.audit.recordReminders();
  }
  const notices = [await nextNotice(), await nextNotice(), await nextNotice()];
  expect(notices.map(({ subject }) => subject)).toEqual([
    'Your backup codes expire soon',
    'Your backup codes expire soon',
    'Your backup codes have expired',
  ]);
  expect(notices[0]!.text).toContain(
    `Your backup codes for Backup code example work until ${endsOn} at `,
  );
  expect(notices[2]!.text).toContain('Codes left: 10 of 10');
});

test('Mail never repeats the user agent, in which an attacker could write a message', async () => {
  const visitor = await givePassword(service);
  visitor.headers['user-agent'] = 'Your account is closed, see https://thief.example Firefox/1.0';
  await visitor.submit('/login/backup-code', { code: ada.codes[0]! });
  const { raw, text } = await nextNotice();
  expect(text).toContain('From: 127.0.0.1, Firefox\n');
  expect(raw).not.toContain('thief');
});

test('Events of unknown names and deleted accounts do not stop the notifier', async () => {
  await service.backupCodes.rejectUnknownUser('unknown', 'AAAA-AAAA');
  await service.backupCodes.issue('gone');
  await tryCode(ada.codes[0]!);
  expect((await nextNotice()).subject).toBe('A backup code was used');
});

test('A new notifier reads the trail from its beginning, past unreadable sets', async () => {
  const eve = await enroll(service, 'eve');
  await mailServer.next(2);
  const file = new Sqlite(join(service.dataDir, 'app.sqlite'));
  file.prepare("update backup_code_users set total = 'many' where user_id = ?").run(eve.userId);
  file.exec('delete from cursors');
  file.close();
  await expect(service.backupCodes.status(eve.userId)).rejects.toMatchObject({
    code: 'unreadable_set',
  });
  await tryCode(ada.codes[0]!);
  expect((await mailServer.next(5)).map(({ to, subject }) => [to, subject])).toEqual([
    ['ada@example.com', 'New backup codes were made'],
    ['ada@home.example', 'New backup codes were made'],
    ['eve@example.com', 'New backup codes were made'],
    ['ada@example.com', 'A backup code was used'],
    ['ada@home.example', 'A backup code was used'],
  ]);
});
