// What happens to codes is told to every address of their owner, by a real mail server: what, when,
// from where, and what to do. Never with a code in it.
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
  // Of all that these tests have sent.
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

/** What both addresses were told, which is the same. */
async function told(): Promise<ReceivedMail> {
  const [first, second] = (await mailServer.next(2)) as [ReceivedMail, ReceivedMail];
  expect([first.to, second.to]).toEqual(['ada@example.com', 'ada@home.example']);
  expect([second.subject, second.text]).toEqual([first.subject, first.text]);
  return first;
}

test('a code that was used is told of: when, from where, how many are left, and what to do if it was not you', async () => {
  const before = Math.floor(service.now() / 60_000) * 60_000;
  expect((await tryCode(ada.codes[0]!)).status).toBe(303);
  const { from, subject, text, headers } = await told();
  expect({ from, subject }).toEqual({
    from: 'Codes <codes@example.com>',
    subject: 'A backup code was used',
  });
  const [, time] = /^When: (.*)$/m.exec(text)!;
  expect(text).toBe(`Hello ada,

A backup code was used for your account at Backup code example. It will not work again.

When: ${time}
From: 127.0.0.1, Firefox on Linux
Codes left: 9 of 10

If this was not you, somebody has your password and codes of yours: make new ones at once, which ends the ones they have, and tell whoever runs this service.
${LINK}
`);
  const at = Date.parse(time!.replace(' at', ''));
  expect(at >= before && at <= service.now()).toBe(true);
  expect(headers).toMatchObject({
    'auto-submitted': 'auto-generated',
    'message-id': expect.stringMatching(/^<[0-9a-f-]{36}@example\.com>$/) as string,
  });
});

test('a code that leaves few is one mail, which says so; so is the last one', async () => {
  const subjects: string[] = [];
  const lines: string[] = [];
  for (const code of ada.codes) {
    expect((await tryCode(code)).status).toBe(303);
    const { subject, text } = await told();
    subjects.push(subject);
    lines.push(
      `${/Codes left: .*/.exec(text)![0]}${text.includes('Few are left: make new ones before you need them.') ? ', few' : ''}${text.includes('None is left: should your phone or your security key be gone, you could not log in.') ? ', none' : ''}`,
    );
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

test('new codes are told of', async () => {
  const newCodes = await keepCodes(
    ada.visitor,
    await ada.visitor.submit('/account/security', {}, '/account/security/codes'),
  );
  for (const code of newCodes) canary.addCode(code, 'a new code');
  const { subject, text } = await told();
  expect(subject).toBe('New backup codes were made');
  expect(text).toContain('Those from before no longer work.');
  expect(text).toContain('Codes left: 10 of 10');
  expect(text).toContain('If it was not, somebody else is in your account');
});

test('a code that was used up by a login that failed is told of: it is spent, the next one works', async () => {
  const outcome = await service.backupCodes.consume(ada.userId, ada.codes[0]);
  if (outcome.ok) await service.backupCodes.recordUnfinishedLogin(ada.userId, outcome);
  await told();
  const { subject, text } = await told();
  expect(subject).toBe('A backup code was used, but the login failed');
  expect(text).toContain('That code is spent; the next one works.');
});

test('so is a set that was staged, once it is activated', async () => {
  const { setId, codes } = await service.backupCodes.stage(ada.userId);
  for (const code of codes) canary.addCode(code, 'a staged code');
  expect(await service.backupCodes.activate(ada.userId, setId)).toBe(true);
  const { subject, text } = await told();
  expect(subject).toBe('New backup codes were made');
  // Nobody asked for it by a request.
  expect(text).not.toContain('From:');
});

test('of wrong codes the owner is told once there are too many, and when none works any more', async () => {
  for (const code of ['AAAA-AAAA', 'BBBB-BBBB', 'CCCC-CCCC', 'DDDD-DDDD']) await tryCode(code);
  const throttled = await told();
  expect(throttled.subject).toBe('Wrong backup codes were entered');
  expect(throttled.text).toContain('For a while none is looked at.');
  expect(throttled.text).toContain('Codes left: 10 of 10');

  service.forward(60);
  await tryCode('EEEE-EEEE');
  const locked = await told();
  expect(locked.subject).toBe('Your backup codes are locked');
  expect(locked.text).toContain(
    'not even a right one, until you make new ones. What else you log in with works as before.',
  );
  expect(locked.text).toContain('From: 127.0.0.1, Firefox on Linux');
});

test('a used code that is tried again is told of, unless it was a double click', async () => {
  await tryCode(ada.codes[0]!);
  await told();
  service.forward(2);
  await tryCode(ada.codes[0]!);
  await tryCode(ada.codes[1]!);
  expect((await told()).subject).toBe('A backup code was used');
  service.forward(10);
  await tryCode(ada.codes[0]!);
  const { subject, text } = await told();
  expect(subject).toBe('A used backup code was tried again');
  expect(text).toContain('It opened nothing.');
  expect(text).toContain('Codes left: 8 of 10');
});

test('of what is unusual there is one mail an hour', async () => {
  await tryCode(ada.codes[0]!);
  await told();
  const subjects: string[] = [];
  for (const seconds of [60, 3500, 100]) {
    service.forward(seconds);
    await tryCode(ada.codes[0]!);
    // A success, so that there is no wait; and its mail shows that there was none before it.
    await tryCode(ada.codes[1 + subjects.length]!);
    const next = await told();
    subjects.push(next.subject);
    if (next.subject !== 'A backup code was used') subjects.push((await told()).subject);
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
  ['the owner', {}, 'somebody logged in as you'],
  ['an administrator', { actor: 'grace' }, 'an administrator, grace'],
])('codes that %s ended are told of, with who did it', async (_who, context, by) => {
  expect(await service.backupCodes.revoke(ada.userId, context)).toBe(true);
  const { subject, text } = await told();
  expect(subject).toBe('Your backup codes were ended');
  expect(text).toContain(`\nBy: ${by}\n`);
  expect(text).not.toContain('Codes left');
});

test('codes that expire are told of thirty and seven days before, and when they have', async () => {
  const { expiresAt } = (await service.backupCodes.status(ada.userId))!;
  const endsOn = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(
    expiresAt!,
  );
  for (const days of [336, 23, 7]) {
    service.forward(days * DAY_SECONDS);
    await service.backupCodes.audit.recordReminders();
  }
  const texts = [await told(), await told(), await told()];
  expect(texts.map(({ subject }) => subject)).toEqual([
    'Your backup codes expire soon',
    'Your backup codes expire soon',
    'Your backup codes have expired',
  ]);
  expect(texts[0]!.text).toContain(
    `Your backup codes for Backup code example work until ${endsOn} at `,
  );
  expect(texts[2]!.text).toContain('Codes left: 10 of 10');
});

test('what a browser says of itself is not repeated: somebody could write to the owner that way', async () => {
  const visitor = await givePassword(service);
  visitor.headers['user-agent'] = 'Your account is closed, see https://thief.example Firefox/1.0';
  await visitor.submit('/login/backup-code', { code: ada.codes[0]! });
  const { raw, text } = await told();
  expect(text).toContain('From: 127.0.0.1, Firefox\n');
  expect(raw).not.toContain('thief');
});

test('names that belong to nobody, and accounts that are gone, are no reason to stop', async () => {
  await service.backupCodes.rejectUnknownUser('nobody', 'AAAA-AAAA');
  await service.backupCodes.issue('gone');
  await tryCode(ada.codes[0]!);
  expect((await told()).subject).toBe('A backup code was used');
});

test('a notifier that never ran begins at the beginning of the trail, and a set that cannot be read does not stop it', async () => {
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
