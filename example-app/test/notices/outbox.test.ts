// If no mail server is set, mail is stored in the database, and a page shows it to developers. Not
// in production.
import { randomBytes } from 'node:crypto';
import { Canary } from '../../../test/helpers/canary';
import { type Service, startService } from '../helpers/service';
import { until } from '../helpers/until';
import { type Answer, enroll, signUp, Visitor } from '../helpers/visitor';

let service: Service;
afterEach(() => service.stop());

async function outboxWith(count: number): Promise<Answer> {
  let page: Answer;
  await until(async () => {
    page = await new Visitor(service).get('/outbox');
    return page.text.split('<article>').length > count;
  });
  return page!;
}

test('The outbox shows the mail of all users, newest first, and it contains no code', async () => {
  service = await startService();
  expect((await new Visitor(service).get('/outbox')).text).toContain('No mail yet.');
  const { codes } = await enroll(service, 'ada');
  await outboxWith(2);
  const bob = await enroll(service, 'bob');
  await outboxWith(4);
  await service.backupCodes.revoke(bob.userId);
  const { status, text } = await outboxWith(5);
  expect(status).toBe(200);
  expect(
    [...text.matchAll(/<h2>([^<]+)<\/h2>\s*<p class="hint">To ([^,]+),/g)].map(
      ([, subject, to]) => [subject, to],
    ),
  ).toEqual([
    ['Your backup codes were ended', 'bob@example.com'],
    ['New backup codes were made', 'bob@example.com'],
    ['An authenticator app was added', 'bob@example.com'],
    ['New backup codes were made', 'ada@example.com'],
    ['An authenticator app was added', 'ada@example.com'],
  ]);
  expect(text).toContain(
    'No <code>SMTP_URL</code> is set, so all mail is stored here instead of being sent',
  );
  expect(text).toContain('http://localhost:0/account/security');
  const canary = new Canary();
  for (const code of [...codes, ...bob.codes]) canary.addCode(code, 'a code');
  expect(canary.findIn(text)).toEqual([]);
});

test('The outbox shows markup in mail as text', async () => {
  service = await startService();
  const visitor = await signUp(service);
  await visitor.submit('/account/emails', { email: "'<b>@example.com" });
  await visitor.submit('/account/emails', { email: "'&lt@example.com" });
  expect((await outboxWith(1)).text).toContain('&#39;&amp;lt@example.com was added');
});

test.each([
  [
    'in production',
    {
      NODE_ENV: 'production',
      SESSION_SECRET: randomBytes(32).toString('hex'),
      BACKUP_CODE_PEPPER: `2026:${randomBytes(32).toString('base64')}`,
    },
  ],
  ['if mail is really sent', { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'codes@example.com' }],
])('The outbox does not exist %s', async (_where, env) => {
  service = await startService(env);
  expect((await new Visitor(service).get('/outbox')).status).toBe(404);
});
