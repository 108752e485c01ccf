// Mail is delivered at least once, in order, whatever the mail server and the process do meanwhile;
// and no login waits for it.
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

describe('in one process', () => {
  let service: Service;
  beforeEach(async () => {
    service = await startService(env);
  });
  afterEach(() => service.stop());

  test('a mail server that is down for a while loses nothing: all arrives later, in order, and nobody is kept from logging in', async () => {
    const { codes, visitor, userId } = await enroll(service);
    await mailServer.next(2);
    await mailServer.stop();
    for (const code of codes.slice(0, 3)) await logIn(service, code);
    await visitor.submit('/account/emails', { email: 'ada@home.example' });
    await service.backupCodes.revoke(userId);
    await until(() => service.faults.length > 0);
    await mailServer.start();
    // No mail was put off by it.
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
    // Told once, however often it was tried.
    expect(service.faults).toEqual([
      expect.objectContaining({
        name: 'MailServerDown',
        message: 'SMTP_URL: the server takes no mail.',
      }),
    ]);
  });

  test('a login is answered while the mail server has not even greeted', async () => {
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

  test('an address that is refused holds up no other, is tried again after longer and longer pauses, and at last put aside', async () => {
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
      // Something happens, so that nobody need wait for the next look.
      await service.backupCodes.issue('somebody else');
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    await until(() => service.faults.length > 0);
    expect(service.faults).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(
          /^Mail [0-9a-f-]{36} was refused too often, and is put aside: see the table mail_queue\.$/,
        ) as string,
      }),
    ]);

    // What comes later has tries of its own.
    mailServer.refused.clear();
    await logIn(service, codes[1]!);
    await mailServer.next();
    expect(bobsMail()).toMatchObject({ tries: 10, put_aside_at: expect.any(Number) as number });
  }, 120_000);

  function bobsMail(): { tries: number; next_try_at: number; put_aside_at: number | null } {
    const file = new Sqlite(join(service.dataDir, 'app.sqlite'), { readonly: true });
    const row = file
      .prepare(
        "select tries, next_try_at, put_aside_at from mail_queue where recipient = 'bob@example.com' order by seq",
      )
      .get() as ReturnType<typeof bobsMail>;
    file.close();
    return row;
  }
});

test('a process that is killed after a mail was taken, but before it knows, sends it again: at least once, and with one name', async () => {
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
  // Once it is known to be sent it is not sent any more.
  const visitor = await givePassword(second);
  await visitor.submit('/login/backup-code', { code: 'AAAA-AAAA' });
  expect(await second.stop()).toBe(0);
  expect(mailServer.unread()).toEqual([]);
  rmSync(dataDir, { recursive: true });
}, 120_000);

test('a service that stops waits for no mail server that says nothing', async () => {
  mailServer.greeting = new Promise(() => undefined);
  const served = await startServed(env);
  await turnOnTotp(await signUp(served));
  await until(() => mailServer.connections > 0);
  // It gives up at once after ten seconds, and the exit code says so.
  expect([await served.stop(), served.complaints()]).toEqual([0, '']);
});
