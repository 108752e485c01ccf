// Mail is delivered at least once and in order, even if the mail server or the process fails. No
// login waits for it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { MailServer } from '../helpers/mail-server';
import { startServed } from '../helpers/served';
import { type Service, startService } from '../helpers/service';
import { until } from '../helpers/until';
import { enroll, givePassword, signUp, turnOnTotp } from '../helpers/visitor';

let mailServer: MailServer;
let env: Record<string, string>;
beforeEach(async () => {
  mailServer = await MailServer.start();
  env = { SMTP_URL: mailServer.url, MAIL_FROM: 'codes@example.com' };
});
afterEach(() => mailServer.stop());

async function logIn(service: Service, code: string, username = 'ada'): Promise<void> {
  const visitor = await givePassword(service, username);
  expect(await visitor.submit('/login/backup-code', { code })).toMatchObject({
    status: 303,
    location: '/account',
  });
}

describe('One process', () => {
  let service: Service;
  beforeEach(async () => {
    service = await startService(env);
  });
  afterEach(() => service.stop());

  test('While the mail server is down logins work, and mail arrives later in order', async () => {
    const { codes, visitor, userId } = await enroll(service);
    await mailServer.next(2);
    await mailServer.stop();
    for (const code of codes.slice(0, 3)) await logIn(service, code);
    await visitor.submit('/account/emails', { email: 'ada@home.example' });
    await service.backupCodes.revoke(userId);
    await until(() => service.faults.length > 0);
    await mailServer.start();
    // No mail was delayed by a retry.
    const mails = await mailServer.next(6);
    expect(
      mails
        .filter(({ to }) => to === 'ada@example.com')
        .map(({ text }) => /Codes left: .*|was added|were ended/.exec(text)![0]),
    ).toEqual([
      'Codes left: 9 of 10',
      'Codes left: 8 of 10',
      'Codes left: 7 of 10',
      'was added',
      'were ended',
    ]);
    expect(
      mails.filter(({ to }) => to === 'ada@home.example').map(({ subject }) => subject),
    ).toEqual(['Your backup codes were ended']);
    // Reported once, however often it was tried.
    expect(service.faults).toEqual([
      expect.objectContaining({
        name: 'MailServerDown',
        message: 'SMTP_URL: the server takes no mail.',
      }),
    ]);
  });

  test('A login is answered before the mail server sends its greeting', async () => {
    const { codes } = await enroll(service);
    await mailServer.next(2);
    let greet = (): void => undefined;
    mailServer.greeting = new Promise((resolve) => (greet = resolve));
    const before = mailServer.connections;
    await logIn(service, codes[0]!);
    await until(() => mailServer.connections > before);
    await logIn(service, codes[1]!);
    expect(mailServer.unread()).toEqual([]);
    greet();
    expect((await mailServer.next(2)).map(({ text }) => /Codes left: .*/.exec(text)![0])).toEqual([
      'Codes left: 9 of 10',
      'Codes left: 8 of 10',
    ]);
    expect(service.faults).toEqual([]);
  });

  test('Mail to a refused address is retried with growing pauses and delays no other', async () => {
    mailServer.refused.add('bob@example.com');
    await enroll(service, 'bob');
    const { codes } = await enroll(service, 'ada');
    await logIn(service, codes[0]!);
    expect((await mailServer.next(3)).map(({ to, subject }) => [to, subject])).toEqual([
      ['ada@example.com', 'An authenticator app was added'],
      ['ada@example.com', 'New backup codes were made'],
      ['ada@example.com', 'A backup code was used'],
    ]);

    const pauses: number[] = [];
    for (let tries = 1; tries < 10; tries += 1) {
      await until(() => bobsMail().tries === tries);
      const pause = bobsMail().next_try_at - service.now();
      pauses.push(Math.ceil(pause / 60_000));
      expect(service.faults).toEqual([]);
      service.forward(pause / 1000);
      // An event wakes the loop, so the test need not wait for the next check.
      await service.backupCodes.issue('another user');
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    await until(() => service.faults.length > 0);
    expect(service.faults).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(
          /^Mail [0-9a-f-]{36} was refused too often\. It is put aside in the table mail_queue\.$/,
        ) as string,
      }),
    ]);

    // Later mail has its own tries.
    mailServer.refused.clear();
    await logIn(service, codes[1]!);
    await mailServer.next();
    expect(bobsMail()).toMatchObject({ tries: 10, put_aside_at: expect.any(Number) as number });
  }, 120_000);

  function bobsMail(): { tries: number; next_try_at: number; put_aside_at: number | null } {
    const file = new Sqlite(join(service.dataDir, 'app.sqlite'), { readonly: true });
    const row = file
      .prepare(
        `select tries, next_try_at, put_aside_at
          from mail_queue
          where recipient = 'bob@example.com'
          order by seq`,
      )
      .get() as ReturnType<typeof bobsMail>;
    file.close();
    return row;
  }
});

test('Mail whose process dies before the reply is sent again as the same message', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'backup-code-killed-'));
  mailServer.answer = new Promise(() => undefined);
  const first = await startServed({ ...env, DATA_DIR: dataDir });
  await turnOnTotp(await signUp(first));
  const [mail] = await mailServer.next();
  first.kill();
  await first.stop();

  mailServer.answer = Promise.resolve();
  const second = await startServed({ ...env, DATA_DIR: dataDir });
  const [again, later] = await mailServer.next(2);
  expect(again).toMatchObject({
    to: 'ada@example.com',
    subject: 'An authenticator app was added',
    text: mail!.text,
  });
  expect(later).toMatchObject({ to: 'ada@example.com', subject: 'New backup codes were made' });
  expect(again!.headers['message-id']).toBe(mail!.headers['message-id']);
  // Mail that is known to be sent is not sent again.
  const visitor = await givePassword(second);
  await visitor.submit('/login/backup-code', { code: 'AAAA-AAAA' });
  expect(await second.stop()).toBe(0);
  expect(mailServer.unread()).toEqual([]);
  rmSync(dataDir, { recursive: true });
}, 120_000);

test('A stopping service does not wait for a silent mail server', async () => {
  mailServer.greeting = new Promise(() => undefined);
  const served = await startServed(env);
  await turnOnTotp(await signUp(served));
  await until(() => mailServer.connections > 0);
  // Had it waited, it would exit with an error after ten seconds.
  expect([await served.stop(), served.complaints()]).toEqual([0, '']);
});
