// The example's mail when several processes share one database, on PostgreSQL and MariaDB. Without
// a crash each notice is sent once. After a crash no notice is lost. The database decides races.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Database, openDatabase } from '../../example-app/src/data/database';
import type { DatabaseServer } from '../../example-app/src/data/server-urls';
import { Users } from '../../example-app/src/login/users';
import { Emails } from '../../example-app/src/notices/account-emails';
import { Lease } from '../../example-app/src/notices/lease';
import { MailQueue } from '../../example-app/src/notices/mail-queue';
import { MailServer, type ReceivedMail } from '../../example-app/test/helpers/mail-server';
import { type ServedService, startServed } from '../../example-app/test/helpers/served';
import { startService } from '../../example-app/test/helpers/service';
import { until } from '../../example-app/test/helpers/until';
import {
  type Enrolled,
  enroll,
  givePassword,
  signUp,
  turnOnTotp,
} from '../../example-app/test/helpers/visitor';
import { describeWith, mariadb, postgres, redis } from '../helpers/servers';

jest.setTimeout(180_000);

/** Each process reads the queue every three seconds. */
const TWO_READS_MS = 7000;
const PROCESSES = 3;
const AT_ONCE = 20;
const NAMES = ['ada', 'bob'];

function mailTests(database: () => DatabaseServer): void {
  let mailServer: MailServer;
  let service: ServedService;
  beforeAll(async () => {
    mailServer = await MailServer.start();
    service = await startServed({
      DATABASE_URL: database().url,
      WEB_CONCURRENCY: String(PROCESSES),
      SMTP_URL: mailServer.url,
      MAIL_FROM: 'codes@example.com',
    });
  });
  afterAll(async () => {
    await (service as ServedService | undefined)?.stop();
    await mailServer.stop();
  });

  it('Each notice arrives once at each address, in the order of the events', async () => {
    await Promise.all(
      NAMES.map(async (name) => {
        const visitor = await signUp(service, name);
        const { codes } = await turnOnTotp(visitor);
        await until(() =>
          mailServer.mails.some(
            ({ to, text }) => to === `${name}@example.com` && text.includes('Codes left'),
          ),
        );
        await visitor.submit('/account/emails', { email: `${name}@home.example` });
        for (const code of codes.slice(0, 3))
          expect(
            (await (await givePassword(service, name)).submit('/login/backup-code', { code }))
              .status,
          ).toBe(303);
        expect(
          (await visitor.submit('/account/security', {}, '/account/totp/disable')).status,
        ).toBe(303);
      }),
    );
    const toEach = [
      'Codes left: 9 of 10',
      'Codes left: 8 of 10',
      'Codes left: 7 of 10',
      'were ended',
    ];
    // The other mails are about the authenticator app and the new address.
    await mailServer.next(NAMES.length * 13);
    await wait(TWO_READS_MS);
    for (const name of NAMES) {
      const at = (host: string): string[] =>
        mailServer.mails
          .filter(({ to }) => to === `${name}@${host}`)
          .map(({ text }) => /Codes left: .*|was added|was removed|were ended/.exec(text)![0]);
      // Events and changes of addresses and factors are queued in any order.
      const [events, changes] = [true, false].map(
        (isEvent) => (host: string) =>
          at(host).filter((line) => line.startsWith('was') !== isEvent),
      );
      expect(events!('example.com')).toEqual(['Codes left: 10 of 10', ...toEach]);
      expect(changes!('example.com')).toEqual(['was added', 'was added', 'was removed']);
      expect([events!('home.example'), changes!('home.example')]).toEqual([
        toEach,
        ['was removed'],
      ]);
    }
    expect(mailServer.unread()).toEqual([]);
    expect(service.complaints()).toBe('');
  });

  it('If a process is killed while it sends a mail, another one sends it', async () => {
    mailServer.answer = new Promise(() => undefined);
    await turnOnTotp(await signUp(service, 'dan'));
    const [mail] = await mailServer.next();
    expect(mail!.subject).toBe('An authenticator app was added');
    for (const pid of service.workers()) process.kill(pid, 'SIGKILL');
    mailServer.answer = Promise.resolve();
    const [again] = await mailServer.next();
    expect([again!.to, again!.subject, again!.headers['message-id']]).toEqual([
      'dan@example.com',
      'An authenticator app was added',
      mail!.headers['message-id'],
    ]);
    // A process that stalls for longer than its lease may send it once more: never too few times.
    let [later] = await mailServer.next();
    while (later!.headers['message-id'] === mail!.headers['message-id']) {
      [later] = await mailServer.next();
    }
    expect(later!.subject).toBe('New backup codes were made');
    await until(() => service.workers().length === PROCESSES);
  });
}

function raceTests(database: () => DatabaseServer): void {
  const machines: Database[] = [];
  const nowMs = Date.UTC(2026, 10, 21);
  beforeAll(async () => {
    for (let machine = 0; machine < PROCESSES; machine += 1)
      machines.push(await openDatabase({ database: database(), dataDir: '' }, () => undefined));
  });
  afterAll(() => Promise.all(machines.map((db) => db.destroy())));

  it('One process holds a lease until it releases it or is dead for twelve seconds', async () => {
    let laterMs = 0;
    const leases = Array.from(
      { length: AT_ONCE },
      (_, index) =>
        new Lease({ db: machines[index % PROCESSES]!, name: 'test', now: () => nowMs + laterMs }),
    );
    const countHolders = async (): Promise<number> => {
      let letGo = (): void => undefined;
      const held = new Promise<void>((resolve) => (letGo = resolve));
      let turnedAway = 0;
      const outcomes = await Promise.all(
        leases.map(async (lease) => {
          const isHolder = await lease.whileHeld(() => held);
          turnedAway += 1;
          if (turnedAway === AT_ONCE - 1) letGo();
          return isHolder;
        }),
      );
      return outcomes.filter((isHolder) => isHolder).length;
    };
    expect([await countHolders(), await countHolders()]).toEqual([1, 1]);

    await machines[0]!
      .updateTable('leases')
      .set({ holder: 'killed', expires_at: nowMs + 12_000 })
      .where('name', '=', 'test')
      .execute();
    laterMs = 11_999;
    expect(await countHolders()).toBe(0);
    laterMs = 12_000;
    expect(await countHolders()).toBe(1);
  });

  it('Concurrent changes leave an account with one to five addresses', async () => {
    const now = (): number => nowMs;
    const { id } = (await new Users({ db: machines[0]!, passwordCost: 4, now }).create({
      username: randomUUID(),
      email: 'ada@example.com',
      password: 'correct horse battery staple',
    }))!;
    const emails = machines.map((db) => new Emails({ db, queue: new MailQueue({ db, now }), now }));
    const notice = { subject: 'x', text: 'x' };
    const others = Array.from({ length: AT_ONCE }, (_, index) => `ada${index}@example.com`);

    const added = await Promise.all(
      others.map((email, index) => emails[index % PROCESSES]!.add(id, { email, notice })),
    );
    expect(added.filter((outcome) => outcome === 'added')).toHaveLength(4);
    expect(added.filter((outcome) => outcome === 'full')).toHaveLength(AT_ONCE - 4);
    const five = await emails[0]!.list(id);
    expect([five.length, five[0]]).toEqual([5, 'ada@example.com']);

    const removed = await Promise.all(
      five.map((email, index) => emails[index % PROCESSES]!.remove(id, { email, notice })),
    );
    expect(removed.toSorted()).toEqual(['last', 'removed', 'removed', 'removed', 'removed']);
    expect(await emails[0]!.list(id)).toEqual([five[removed.indexOf('last')]]);
    const { mails } = await machines[0]!
      .selectFrom('mail_queue')
      .select((eb) => eb.fn.countAll().as('mails'))
      .executeTakeFirstOrThrow();
    expect(Number(mails)).toBe(1 + 2 + 3 + 4 + 5 + 4 + 3 + 2);
  });
}

function trailTests(redisUrl: () => string): void {
  it('Notices follow the audit trail from Redis to the database', async () => {
    const mailServer = await MailServer.start();
    const dataDir = mkdtempSync(join(tmpdir(), 'backup-code-trails-'));
    const env = { SMTP_URL: mailServer.url, MAIL_FROM: 'codes@example.com', DATA_DIR: dataDir };
    const inRedis = await startService({
      ...env,
      REDIS_URL: redisUrl(),
      BACKUP_CODE_STORE: 'redis',
    });
    const mails: ReceivedMail[] = [];
    const users: Enrolled[] = [];
    for (const name of NAMES) {
      users.push(await enroll(inRedis, name));
      mails.push(...(await mailServer.next(2)));
    }
    for (const { userId } of users) await inRedis.backupCodes.revoke(userId);
    mails.push(...(await mailServer.next(2)));
    await inRedis.stop();
    const inSql = await startService(env);
    await inSql.backupCodes.issue(users[0]!.userId);
    const [last] = await mailServer.next();
    await inSql.stop();
    await mailServer.stop();
    rmSync(dataDir, { recursive: true });

    expect([...mails, last!].map(({ to, subject }) => [to, subject])).toEqual([
      ['ada@example.com', 'An authenticator app was added'],
      ['ada@example.com', 'New backup codes were made'],
      ['bob@example.com', 'An authenticator app was added'],
      ['bob@example.com', 'New backup codes were made'],
      ['ada@example.com', 'Your backup codes were ended'],
      ['bob@example.com', 'Your backup codes were ended'],
      ['ada@example.com', 'New backup codes were made'],
    ]);
    expect([inRedis.faults, inSql.faults, mailServer.unread()]).toEqual([[], [], []]);
  });
}

const STRICT = { isolation: 'SERIALIZABLE' } as const;

describeWith(
  postgres,
  'mail of several processes on PostgreSQL',
  (server) => mailTests(() => ({ kind: 'postgres', url: server().url })),
  STRICT,
);
describeWith(
  mariadb,
  'mail of several processes on MariaDB',
  (server) => mailTests(() => ({ kind: 'mysql', url: server().url })),
  STRICT,
);
describeWith(
  postgres,
  'races on PostgreSQL',
  (server) => raceTests(() => ({ kind: 'postgres', url: server().url })),
  STRICT,
);
describeWith(
  mariadb,
  'races on MariaDB',
  (server) => raceTests(() => ({ kind: 'mysql', url: server().url })),
  STRICT,
);
describeWith(redis, 'mail with codes in Redis', (server) => trailTests(() => server().url));
