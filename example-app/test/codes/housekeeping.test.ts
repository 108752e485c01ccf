// The periodic tasks: reminders before codes expire, and deletion of old events and mail.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { MailServer } from '../helpers/mail-server';
import { type Service, startService } from '../helpers/service';
import { until } from '../helpers/until';
import { type Enrolled, enroll, givePassword } from '../helpers/visitor';

const DAY_MS = 86_400_000;

let dataDir: string;
let mailServer: MailServer;
let ada: Enrolled;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'backup-code-years-'));
  mailServer = await MailServer.start();
  const service = await startAfter(0);
  ada = await enroll(service);
  await (await givePassword(service)).submit('/login/backup-code', { code: ada.codes[0]! });
  await mailServer.next(3);
  await service.stop();
});
afterEach(async () => {
  await mailServer.stop();
  rmSync(dataDir, { recursive: true });
});

/** Starts the service again, `days` days later. */
function startAfter(days: number, env: Record<string, string> = {}): Promise<Service> {
  return startService(
    { SMTP_URL: mailServer.url, MAIL_FROM: 'codes@example.com', DATA_DIR: dataDir, ...env },
    { now: () => Date.now() + days * DAY_MS },
  );
}

function countIn(table: 'mail_queue' | 'outbox'): number {
  const file = new Sqlite(join(dataDir, 'app.sqlite'), { readonly: true });
  const { rows } = file.prepare(`select count(*) as rows from ${table}`).get() as { rows: number };
  file.close();
  return rows;
}

test('A starting service sends each due reminder once', async () => {
  for (const [days, subject] of [
    [340, 'Your backup codes expire soon'],
    [360, 'Your backup codes expire soon'],
    [366, 'Your backup codes have expired'],
  ] as const) {
    for (let start = 0; start < 2; start += 1) {
      const service = await startAfter(days);
      if (start === 0)
        expect((await mailServer.next()).map((mail) => mail.subject)).toEqual([subject]);
      await service.stop();
    }
  }
  // The next mail follows directly, so no reminder was repeated.
  const service = await startAfter(366);
  await service.backupCodes.revoke(ada.userId);
  expect((await mailServer.next()).map(({ subject }) => subject)).toEqual([
    'Your backup codes were ended',
  ]);
  await service.stop();
  expect(mailServer.unread()).toEqual([]);
});

test('Audit events are deleted after a year, or after AUDIT_DAYS days', async () => {
  const typesAfter = async (
    days: number,
    env: Record<string, string>,
    types: readonly string[],
  ): Promise<void> => {
    const service = await startAfter(days, env);
    const read = async (): Promise<string> =>
      (await service.backupCodes.audit.events({ userId: ada.userId })).events
        .map(({ type }) => type)
        .join();
    await until(async () => (await read()) === types.join());
    await service.stop();
  };
  await typesAfter(29, {}, ['staged', 'activated', 'consumed']);
  await typesAfter(31, { AUDIT_DAYS: '60' }, ['staged', 'activated', 'consumed']);
  await typesAfter(31, { AUDIT_DAYS: '30' }, []);
});

test('Undelivered mail and the outbox are deleted after a year', async () => {
  const developers = await startService({ DATA_DIR: dataDir });
  await developers.backupCodes.issue(ada.userId);
  await until(() => countIn('outbox') === 1);
  await developers.stop();
  mailServer.refused.add('ada@example.com');
  const service = await startAfter(1);
  await service.backupCodes.revoke(ada.userId);
  await until(() => countIn('mail_queue') === 1);
  await service.stop();

  const aYearLater = await startAfter(365);
  await until(() => countIn('outbox') === 0);
  expect(countIn('mail_queue')).toBe(1);
  await aYearLater.stop();
  const aDayLater = await startAfter(366);
  await until(() => countIn('mail_queue') === 0);
  await aDayLater.stop();
});
