// Runs the code of README.md on life cycle, audit, reports and policy.
import type { Express, Request, RequestHandler } from 'express';
import {
  BackupCodes,
  BackupCodeStrategy,
  MemoryStore,
  type AuditEvent,
  type BackupCodesOptions,
  type Outcome,
  type Report,
} from '../../lib';
import * as approvalEntry from '../../lib/approval';
import { completeLogin, pendingLogin } from '../../lib/express';
import { LoginSite } from '../express/login-site';
import { DAY_MS, fakeClock } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';
import { recipesOf, runRecipe } from '../helpers/recipes';
import { WRONG } from '../helpers/service';

const recipes = recipesOf('README.md');
const recipe = (name: string): string => recipes.get(name)!;
const service = (options: Partial<BackupCodesOptions> = {}): BackupCodes =>
  new BackupCodes({ store: new MemoryStore(), hasher: countingHasher(), ...options });
const user = { id: 'ada' };

test('Every recipe of the README is known, so that one without a test fails here', () => {
  expect([...recipes.keys()]).toEqual([
    'production',
    'answer',
    'stage',
    'reminders',
    'replacement',
    'account-deletion',
    'notifier',
    'siem',
    'report',
    'enrollment',
    'risk',
    'organisations',
    'two-people',
  ]);
});

describe('a page that shows the message of a refusal', () => {
  const play = async (): Promise<{ site: LoginSite; codes: string[] }> => {
    const backupCodes = service();
    let made: Promise<unknown> = Promise.resolve();
    const site = await LoginSite.open({
      routes: (app, { passport }) => {
        // The site already has a login at the address of the recipe.
        const mounted = {
          post: (path: string, handler: RequestHandler) => app.post(`/own${path}`, handler),
        };
        const currentUser = (req: Request): object | null | undefined => {
          const pending = pendingLogin(req);
          return pending && site.userById(pending.userId);
        };
        passport.use(new BackupCodeStrategy({ backupCodes, currentUser, userId: () => 'ada' }));
        app.render = ((
          view: string,
          { message }: { message: string },
          done: (error: null, text: string) => void,
        ) => done(null, `${view}: ${message}`)) as never;
        made = runRecipe(recipe('answer'), { app: mounted, passport, completeLogin });
      },
    });
    await made;
    site.clock = Date.now();
    return { site, codes: (await backupCodes.issue('ada')).codes };
  };

  test('The page shows the status and message of each refusal, and a code logs in', async () => {
    const { site, codes } = await play();
    try {
      const browser = site.browser();
      expect(await browser.post('/own/login/backup-code', { code: codes[0] })).toMatchObject({
        status: 401,
        body: 'backup-code: Please sign in first.',
      });
      await browser.post('/login', { user: 'ada' });
      expect(await browser.post('/own/login/backup-code', { code: '123456' })).toMatchObject({
        status: 400,
        body: expect.stringContaining('does not look like') as string,
      });
      expect(await browser.post('/own/login/backup-code', { code: WRONG })).toMatchObject({
        status: 401,
        body: expect.stringContaining('is not valid') as string,
      });
      expect(
        (await browser.post('/own/login/backup-code', { code: codes[0] })).headers.get('location'),
      ).toBe('/');
      expect((await browser.get('/whoami')).body).toMatchObject({
        user: 'ada',
        isAuthenticated: true,
      });
    } finally {
      await site.shut();
    }
  });

  test('An unexpected error on the page goes to the error handler of the app', async () => {
    const { site, codes } = await play();
    try {
      const browser = site.browser();
      await browser.post('/login', { user: 'ada' });
      site.serialize.fails = true;
      expect(await browser.post('/own/login/backup-code', { code: codes[0] })).toMatchObject({
        status: 500,
        body: { error: 'login_unfinished' },
      });
    } finally {
      await site.shut();
    }
  });
});

test('An app without the strategy receives the replacement from consume', async () => {
  const backupCodes = service({ replaceConsumed: true });
  const { codes } = await backupCodes.issue('ada');
  const shown: string[] = [];
  const completed: unknown[] = [];
  const run = (code: string | undefined): Promise<unknown> =>
    runRecipe(recipe('replacement'), {
      backupCodes,
      user,
      req: { body: { code }, get: () => 'a browser' },
      refusal: ({ reason }: { reason: string }) => new Error(reason),
      completeLogin: (_req: unknown, given: unknown) => completed.push(given),
      show: (list: string[]) => shown.push(...list),
    });
  await expect(run(WRONG)).rejects.toThrow('mismatch');
  expect([completed, shown]).toEqual([[], []]);
  await run(codes[0]);
  expect(completed).toEqual([{ user, method: 'backup-code', amr: ['otp'] }]);
  expect(await backupCodes.consume('ada', shown[0])).toMatchObject({ ok: true, remaining: 10 });
});

test('A staged set works from its activation', async () => {
  const backupCodes = service();
  const shown: string[] = [];
  expect(
    await runRecipe(
      recipe('stage'),
      { backupCodes, user, show: (codes: string[]) => shown.push(...codes) },
      ['isActive'],
    ),
  ).toEqual({ isActive: true });
  expect(await backupCodes.consume('ada', shown[0])).toMatchObject({ ok: true, remaining: 9 });
});

test('Owners receive reminders, failed mails are repeated, old events are removed', async () => {
  const clock = fakeClock();
  clock.set(Date.now() - 366 * DAY_MS);
  const store = new MemoryStore();
  const backupCodes = service({ store, now: clock.now });
  const { expiresAt } = await backupCodes.issue('ada');
  const [day = '', time = ''] = new Date(expiresAt!).toISOString().split('T');
  const expiry = `${day} at ${time.slice(0, 5)} UTC`;
  const mailed: string[] = [];
  let saved: string | null = null;
  let isMailServerDown = true;
  const run = (): Promise<unknown> =>
    runRecipe(recipe('reminders'), {
      backupCodes,
      loadCursor: () => saved,
      saveCursor: (cursor: string) => (saved = cursor),
      mail: (to: string, message: string) => {
        if (isMailServerDown) throw new Error('down');
        mailed.push(`${to}: ${message}`);
      },
    });
  clock.advance(340 * DAY_MS);
  await expect(run()).rejects.toThrow('down');
  isMailServerDown = false;
  await run();
  clock.advance(26 * DAY_MS);
  await run();
  await run();
  expect(mailed).toEqual([
    `ada: Your backup codes expire on ${expiry}`,
    `ada: Your backup codes expired on ${expiry}`,
  ]);
  expect(store.auditTrail.map(({ type }) => type)).toEqual(['expiring', 'expired']);
});

test('A notifier that is killed repeats what it had not saved, and loses nothing', async () => {
  const backupCodes = service();
  for (const userId of ['ada', 'grace', 'alan']) await backupCodes.issue(userId);
  const delivered: (string | null)[] = [];
  let saved: string | null = null;
  let fails = true;
  const run = (): Promise<unknown> =>
    runRecipe(recipe('notifier'), {
      backupCodes,
      loadCursor: () => saved,
      saveCursor: (cursor: string) => (saved = cursor),
      deliver: ({ userId }: AuditEvent) => {
        if (fails && userId === 'grace') throw new Error('killed');
        delivered.push(userId);
      },
    });
  await expect(run()).rejects.toThrow('killed');
  fails = false;
  await run();
  await backupCodes.revoke('ada');
  await backupCodes.issue('ada');
  await run();
  expect(delivered).toEqual(['ada', 'ada', 'grace', 'alan', 'ada', 'ada']);
});

test('A log receives every event in the vocabulary of ECS', async () => {
  const backupCodes = service();
  const logged: unknown[] = [];
  await runRecipe(recipe('siem'), {
    backupCodes,
    log: { info: (line: unknown) => logged.push(line) },
  });
  await backupCodes.issue('ada');
  await backupCodes.consume('ada', WRONG, { ip: '192.0.2.7' });
  expect(logged).toMatchObject([
    { event: { action: 'backup-code-issued', outcome: 'success' }, user: { id: 'ada' } },
    {
      event: { action: 'backup-code-rejected', outcome: 'failure', category: ['authentication'] },
      source: { ip: '192.0.2.7' },
    },
  ]);
});

test('The recipe of the report uses fields that a report has', async () => {
  const backupCodes = service();
  await backupCodes.issue('ada');
  await backupCodes.consume('ada', WRONG);
  const printed: unknown[][] = [];
  const { report } = (await runRecipe(
    recipe('report'),
    { backupCodes, console: { log: (...values: unknown[]) => printed.push(values) } },
    ['report'],
  )) as { report: Report };
  expect(report).toEqual(
    await backupCodes.audit
      .report({ since: report.since })
      .then((again) => ({ ...again, until: report.until })),
  );
  expect(printed.flat()).not.toContain(undefined);
  expect(printed[0]).toEqual([1, 0, 0, 0, 0, 0, 1]);
});

test('A user without codes is sent to make some, and then back', async () => {
  const backupCodes = service();
  let sent: Promise<unknown> = Promise.resolve();
  let sessionsEndedAt: number | null = null;
  const users = { sessionsEndedAt: () => sessionsEndedAt };
  const site = await LoginSite.open({
    routes: (app: Express) => {
      sent = runRecipe(recipe('enrollment'), { app, backupCodes, users });
      app.get('/app/page', (req: Request, res) => res.send(req.originalUrl));
    },
  });
  try {
    await sent;
    const browser = site.browser();
    site.clock = Date.now();
    await browser.post('/login', { user: 'ada' });
    await browser.post('/login/totp', { code: 'valid' });
    const answer = await browser.get('/app/page', { accept: 'text/html' });
    const { headers } = answer;
    expect([answer.status, headers.get('location')]).toEqual([
      303,
      '/codes?returnTo=%2Fapp%2Fpage',
    ]);
    const { setId } = await backupCodes.stage('ada');
    const saved = await browser.post('/codes/saved?returnTo=%2Fapp%2Fpage', { setId });
    expect([saved.status, saved.headers.get('location')]).toEqual([303, '/app/page']);
    expect((await browser.get('/app/page', { accept: 'text/html' })).status).toBe(200);
    expect(
      (await browser.post('/codes/saved?returnTo=//evil.example', { setId })).headers.get(
        'location',
      ),
    ).toBe('/app');
    sessionsEndedAt = Date.now() + 1;
    const ended = await browser.get('/app/page', { accept: 'text/html' });
    expect([ended.status, ended.headers.get('location')]).toEqual([303, '/login']);
  } finally {
    await site.shut();
  }
});

test('Before a code is used, a new browser must show more, and a known one not', async () => {
  const store = new MemoryStore();
  const mailed: string[] = [];
  const seen = new Set<string>();
  const scope = {
    BackupCodes,
    store,
    isKnown: (userId: string, { ip }: { ip: string }) => seen.has(`${userId} ${ip}`),
    mailConfirmationLink: (userId: string, { ip }: { ip: string }) =>
      mailed.push(`${userId} ${ip}`),
  };
  const {
    codes: [code],
  } = await service({ store }).issue('ada');
  const { backupCodes } = (await runRecipe(
    recipe('risk').replace('store,', 'store, hasher,'),
    { ...scope, hasher: countingHasher() },
    ['backupCodes'],
  )) as { backupCodes: BackupCodes };
  expect(await backupCodes.consume('ada', code, { ip: '192.0.2.7' })).toEqual({
    ok: false,
    reason: 'step_up',
  });
  expect(await backupCodes.rejectUnknownUser('eve', WRONG, { ip: '192.0.2.7' })).toEqual({
    ok: false,
    reason: 'step_up',
  });
  expect(mailed).toEqual(['ada 192.0.2.7']);
  seen.add('ada 192.0.2.7');
  expect(await backupCodes.consume('ada', code, { ip: '192.0.2.7' })).toMatchObject({
    ok: true,
    remaining: 9,
  });
});

test('A deleted account leaves nothing that names the user', async () => {
  const store = new MemoryStore();
  const backupCodes = service({ store });
  await backupCodes.issue('zoe', { ip: '192.0.2.7' });
  const deleted: string[] = [];
  await runRecipe(recipe('account-deletion'), {
    backupCodes,
    user: { id: 'zoe' },
    users: { delete: (id: string) => deleted.push(id) },
    req: { user: { id: 'admin-9' } },
  });
  expect(deleted).toEqual(['zoe']);
  expect(store.auditTrail.map(({ type }) => type)).toEqual(['issued', 'forgotten']);
  expect(JSON.stringify(store.auditTrail)).not.toMatch(/zoe|192\.0\.2\.7/);
});

test('Organisations have settings and users of their own in one store', async () => {
  const store = new MemoryStore();
  let strategy: BackupCodeStrategy | undefined;
  const quick = class extends BackupCodes {
    constructor(options: BackupCodesOptions) {
      super({ ...options, hasher: countingHasher() });
    }
  };
  const { ofEach } = (await runRecipe(
    recipe('organisations'),
    {
      BackupCodes: quick,
      BackupCodeStrategy,
      store,
      passport: { use: (given: BackupCodeStrategy) => (strategy = given) },
    },
    ['ofEach'],
  )) as { ofEach: Map<string, BackupCodes> };
  const { codes } = await ofEach.get('bank')!.issue('ada');
  expect(codes).toHaveLength(16);
  // The same id at the school is another user.
  const { codes: others } = await ofEach.get('school')!.issue('ada');
  expect(others).toHaveLength(10);
  expect(await ofEach.get('bank')!.consume('ada', others[0])).toMatchObject({ ok: false });
  const settled = new Promise<unknown>((resolve) => {
    const action =
      (name: string) =>
      (...values: unknown[]): void =>
        resolve([name, ...values]);
    Object.assign(strategy!, {
      success: action('success'),
      fail: action('fail'),
      error: action('error'),
    });
  });
  strategy!.authenticate({
    headers: {},
    body: { code: codes[0] },
    user: { id: 'ada', organisation: 'bank' },
  } as unknown as Request);
  const outcome = (await settled) as [string, unknown, Extract<Outcome, { ok: true }>];
  expect([outcome[0], outcome[2].remaining]).toEqual(['success', 15]);
});

test('Two people open a vault with a code each, and no caller opens it without them', async () => {
  const backupCodes = service();
  const [ada, bob] = [{ id: 'ada' }, { id: 'bob' }];
  const typed = {
    ada: (await backupCodes.issue('ada')).codes[0],
    bob: (await backupCodes.issue('bob')).codes[0],
  };
  const entries = {
    'passport-backup-code/approval': approvalEntry,
    'passport-backup-code/sql': { SqlApprovalStore: approvalEntry.MemoryApprovalStore },
  };
  const opened: unknown[] = [];
  const { executed, granted } = await runRecipe(
    recipe('two-people'),
    {
      backupCodes,
      ada,
      bob,
      typed,
      pool: {},
      require: (name: keyof typeof entries) => entries[name],
      roles: {
        has: (userId: string, action: string) =>
          ['ada', 'bob'].includes(userId) && action === 'open-vault',
      },
      people: { of: (userId: string) => userId },
      vaults: { open: (...given: unknown[]) => opened.push(given) },
    },
    ['executed', 'granted'],
  );
  expect([granted, executed]).toMatchObject([
    { ok: true, approval: { state: 'approved' } },
    { ok: true, result: 1, approval: { state: 'executed' } },
  ]);
  expect(opened).toEqual([['vault-7', { reason: 'audit' }]]);
});
