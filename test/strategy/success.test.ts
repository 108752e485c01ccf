// Whom the strategy lets in, and what it tells of it.
import type { RequestHandler } from 'express';
import {
  BackupCodeStrategy,
  formats,
  type AuditEvent,
  type CleanContext,
  type ConsumeResult,
} from '../../lib';
import {
  ada,
  expresses,
  findUser,
  openHost,
  openSite,
  people,
  service,
  strategyOf,
  watch,
  type Person,
} from './host';

describe.each(expresses)('a right code on %s', (_name, express) => {
  it('lets in the user whose first factor was checked, and tells what is left', async () => {
    const { backupCodes, issue, clock } = service();
    const [code] = await issue();
    const site = await openSite(express, new BackupCodeStrategy({ backupCodes }));

    const answer = await site.post('/login', { code });

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      user: ada,
      info: {
        method: 'backup-code',
        amr: ['otp'],
        remaining: 9,
        total: 10,
        low: false,
        expiresAt: clock.now + 365 * 86_400_000,
      },
    });
  });

  it('lets in the user of a typed name, where findUser makes it a login of its own', async () => {
    const { backupCodes, issue } = service({ format: formats.recovery });
    const [code] = await issue();
    const site = await openSite(express, strategyOf(backupCodes, 'recovery'), { user: null });

    const answer = await site.postForm('/login', { username: 'ada', code: code! });

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ user: ada, info: { method: 'backup-code', remaining: 9 } });
  });

  it('costs one slow hash, whichever of the codes it is', async () => {
    const { backupCodes, issue, hasher } = service();
    const codes = await issue();
    const site = await openSite(express, new BackupCodeStrategy({ backupCodes }));

    for (const [index, code] of codes.entries()) {
      expect((await site.post('/login', { code })).status).toBe(200);
      expect(hasher.count).toBe(index + 1);
    }
  });

  it('works once: of twenty requests at the same time one is let in, and none afterwards', async () => {
    const { backupCodes, issue } = service({ attempts: { free: 50 } });
    const [code] = await issue();
    const site = await openSite(express, new BackupCodeStrategy({ backupCodes }));

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => site.post('/login', { code })),
    );

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
    expect((await site.post('/login', { code })).status).toBe(401);
    expect((await backupCodes.status('ada'))?.remaining).toBe(9);
  });

  it.each([
    ['as it was printed', (code: string) => code],
    ['in small letters, without the dash', (code: string) => code.toLowerCase().replace('-', '')],
    [
      'with a long dash and spaces around',
      (code: string) => `  ${code.replace('-', ' \u2014 ')}\n`,
    ],
  ])('is read %s', async (_how, typed) => {
    const { backupCodes, issue } = service();
    const [code] = await issue();
    const site = await openSite(express, new BackupCodeStrategy({ backupCodes }));

    expect((await site.postForm('/login', { code: typed(code!) })).status).toBe(200);
  });

  it('is read from the fields that codeField and usernameField name', async () => {
    const { backupCodes, issue } = service({ format: formats.recovery });
    const [code] = await issue();
    const site = await openSite(
      express,
      new BackupCodeStrategy<Person>({
        findUser,
        backupCodes,
        codeField: 'backup',
        usernameField: 'email',
      }),
    );

    expect((await site.post('/login', { email: 'ada', backup: code })).status).toBe(200);
  });

  it('belongs to the id that userId gives', async () => {
    const { backupCodes, issue } = service();
    const [code] = await issue('tenant:7');
    const site = await openSite(
      express,
      new BackupCodeStrategy({
        backupCodes,
        currentUser: () => ({ tenant: 7 }),
        userId: ({ tenant }) => `tenant:${tenant}`,
      }),
    );

    expect((await site.post('/login', { code })).body).toMatchObject({ user: { tenant: 7 } });
  });

  it('belongs to the user on the property that the app chose for Passport', async () => {
    const { backupCodes, issue } = service();
    const [code] = await issue();
    const site = await openSite(express, new BackupCodeStrategy({ backupCodes }), {
      userProperty: 'account',
    });

    expect((await site.post('/login', { code })).body).toMatchObject({ user: ada });
  });

  it('warns in info when few codes are left, and never puts a replacement code there', async () => {
    const { backupCodes, issue } = service({ count: 3, replaceConsumed: true });
    const [code] = await issue();
    const site = await openSite(express, new BackupCodeStrategy({ backupCodes }));

    const answer = await site.post('/login', { code });

    expect(Object.keys(answer.body.info).sort()).toEqual([
      'amr',
      'expiresAt',
      'low',
      'method',
      'remaining',
      'total',
    ]);
    expect(answer.body.info).toMatchObject({ remaining: 3, total: 4, low: true });
  });
});

describe.each(expresses)('what is recorded with a right code on %s', (_name, express) => {
  async function recorded(
    options: { alone?: true; context?: () => object } = {},
  ): Promise<AuditEvent | undefined> {
    const { backupCodes, issue } = service({ format: formats.recovery });
    const [code] = await issue();
    const events: AuditEvent[] = [];
    backupCodes.on('consumed', (event) => events.push(event));
    const { context } = options;
    const strategy = new BackupCodeStrategy<Person>({
      ...(options.alone ? { findUser } : { currentUser: () => ada }),
      backupCodes,
      ...(context && { context }),
    });
    const site = await openHost(express, (app, { passport }) => {
      app.use((req, _res, next) => {
        Reflect.set(req, 'id', 'request-1');
        next();
      });
      app.post(
        '/login',
        passport.authenticate(watch(strategy), { session: false }) as RequestHandler,
        (_req, res) => res.json({}),
      );
    });
    expect(
      (await site.post('/login', { username: 'ada', code }, { 'user-agent': 'Phone' })).status,
    ).toBe(200);
    return events[0];
  }

  it('is the address, the browser and the id of the request', async () => {
    expect((await recorded())?.context).toEqual({
      ip: '127.0.0.1',
      userAgent: 'Phone',
      requestId: 'request-1',
      actor: null,
      channel: 'second_factor',
    });
  });

  it('is what the context option returns, in its place', async () => {
    expect((await recorded({ context: () => ({ ip: '192.0.2.1' }) }))?.context).toEqual({
      ip: '192.0.2.1',
      userAgent: null,
      requestId: null,
      actor: null,
      channel: 'second_factor',
    });
  });

  it('is that nothing stood before the code, where findUser looked the user up', async () => {
    expect((await recorded({ alone: true }))?.context.channel).toBe('recovery');
  });

  it('is which channel it was, whatever the context option claims', async () => {
    expect(
      (await recorded({ alone: true, context: () => ({ channel: 'second_factor' }) }))?.context
        .channel,
    ).toBe('recovery');
    expect((await recorded({ context: () => ({ channel: 'recovery' }) }))?.context.channel).toBe(
      'second_factor',
    );
  });
});

describe.each(expresses)("the app's own consumeCode on %s", (_name, express) => {
  it('is given the user, the code as it was issued, and the cleaned context', async () => {
    const calls: [unknown, string, CleanContext][] = [];
    const site = await openSite(
      express,
      new BackupCodeStrategy({ consumeCode: (...call) => calls.push(call) === 1 }),
    );

    expect(
      (await site.post('/login', { code: ' abcd efgh' }, { 'user-agent': 'Phone\u0009' })).status,
    ).toBe(200);

    expect(calls).toEqual([
      [
        ada,
        'ABCD-EFGH',
        {
          ip: '127.0.0.1',
          userAgent: 'Phone',
          requestId: null,
          actor: null,
          channel: 'second_factor',
        },
      ],
    ]);
  });

  it('is given the code in the format it names', async () => {
    const codes: string[] = [];
    const site = await openSite(
      express,
      new BackupCodeStrategy({
        format: formats.hex,
        consumeCode: (_user, code) => codes.push(code) === 1,
      }),
    );

    expect((await site.post('/login', { code: 'ABCDE01234' })).status).toBe(200);
    expect(codes).toEqual(['abcde-01234']);
  });

  it("is given what was typed, trimmed, with format 'any'", async () => {
    const codes: string[] = [];
    const site = await openSite(
      express,
      new BackupCodeStrategy({
        format: 'any',
        consumeCode: (_user, code) => codes.push(code) === 1,
      }),
    );

    expect((await site.post('/login', { code: '  four Words of-mine ' })).status).toBe(200);
    expect(codes).toEqual(['four Words of-mine']);
  });

  it.each<[string, ConsumeResult, object]>([
    ['true', true, {}],
    ['{ ok: true }', { ok: true }, {}],
    [
      '{ ok: true } with what is left',
      { ok: true, remaining: 2, total: 8, low: true, expiresAt: null },
      { remaining: 2, total: 8, low: true, expiresAt: null },
    ],
    [
      '{ ok: true } with ids and a replacement, which are not passed on',
      { ok: true, setId: 's', codeId: 'c', replacement: 'SECR-ETSE' },
      {},
    ],
  ])('lets in with %s, at once or promised', async (_what, result, told) => {
    for (const given of [result, Promise.resolve(result)]) {
      const site = await openSite(express, new BackupCodeStrategy({ consumeCode: () => given }));
      const answer = await site.post('/login', { code: 'ABCD-EFGH' });
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        user: ada,
        info: { method: 'backup-code', amr: ['otp'], ...told },
      });
    }
  });

  it('may stand behind findUser too', async () => {
    const site = await openSite(
      express,
      new BackupCodeStrategy<Person>({
        findUser,
        format: formats.recovery,
        consumeCode: (user, code) => user.id === 'bob' && code === 'ABCD-EFGH-JKLM-NPQR',
      }),
    );

    expect(
      (await site.post('/login', { username: 'bob', code: 'abcdefghjklmnpqr' })).body,
    ).toMatchObject({ user: people['bob'] });
  });
});

describe.each(expresses)('verify, the last word, on %s', (_name, express) => {
  it('is told the user and what is left, and lets in whom it names', async () => {
    const { backupCodes, issue } = service();
    const [code] = await issue();
    const told: unknown[] = [];
    const site = await openSite(
      express,
      new BackupCodeStrategy<Person>(
        { currentUser: () => ada, backupCodes },
        (user, info, done) => {
          told.push(user, info);
          done(null, { ...user, roles: ['owner'] });
        },
      ),
    );

    const answer = await site.post('/login', { code });

    expect(told).toEqual([ada, expect.objectContaining({ method: 'backup-code', remaining: 9 })]);
    expect(answer.body).toEqual({ user: { id: 'ada', roles: ['owner'] }, info: told[1] });
  });

  it('is given the request first with passReqToCallback', async () => {
    const { backupCodes, issue } = service();
    const [code] = await issue();
    const site = await openSite(
      express,
      new BackupCodeStrategy(
        { currentUser: () => ada, backupCodes, passReqToCallback: true },
        (req, user, _info, done) => {
          done(null, { ...user, path: req.path });
        },
      ),
    );

    expect((await site.post('/login', { code })).body).toMatchObject({
      user: { id: 'ada', path: '/login' },
    });
  });

  it('may add to the info, but not to how somebody proved who they are', async () => {
    const { backupCodes, issue } = service();
    const [code] = await issue();
    const site = await openSite(
      express,
      new BackupCodeStrategy({ backupCodes }, (user, _info, done) =>
        done(null, user, { scope: 'all', method: 'pwd', amr: ['hwk'] }),
      ),
    );

    expect((await site.post('/login', { code })).body.info).toMatchObject({
      scope: 'all',
      method: 'backup-code',
      amr: ['otp'],
      remaining: 9,
    });
  });

  it.each([
    ['a text', 'welcome'],
    ['null', null],
    ['recovery', undefined],
  ])('may say %s, which adds nothing', async (_what, said) => {
    const { backupCodes, issue } = service();
    const [code] = await issue();
    const site = await openSite(
      express,
      new BackupCodeStrategy({ backupCodes }, (user, _info, done) => done(null, user, said)),
    );
    expect(Object.keys((await site.post('/login', { code })).body.info as object).sort()).toEqual([
      'amr',
      'expiresAt',
      'low',
      'method',
      'remaining',
      'total',
    ]);
  });

  it('may answer later', async () => {
    const { backupCodes, issue } = service();
    const [code] = await issue();
    const site = await openSite(
      express,
      new BackupCodeStrategy({ backupCodes }, (user, _info, done) =>
        setImmediate(done, null, user),
      ),
    );

    expect((await site.post('/login', { code })).status).toBe(200);
  });

  it('is asked once a code was consumed, and not before', async () => {
    const { backupCodes, issue } = service();
    const [code] = await issue();
    let asked = 0;
    const site = await openSite(
      express,
      new BackupCodeStrategy({ backupCodes }, (user, _info, done) => {
        asked += 1;
        done(null, user);
      }),
    );

    await site.post('/login', { code: 'AAAA-AAAA' });
    await site.post('/login', { code: 'no code' });
    expect(asked).toBe(0);
    await site.post('/login', { code });
    expect(asked).toBe(1);
  });

  it('settles a request once, however often it answers', async () => {
    const { backupCodes, issue } = service();
    const [code] = await issue();
    const site = await openSite(
      express,
      new BackupCodeStrategy({ backupCodes }, (user, _info, done) => {
        done(null, user);
        done(null, false);
        done(new Error('too late'));
        throw new Error('later still');
      }),
    );

    expect((await site.post('/login', { code })).status).toBe(200);
    expect(site.errors).toEqual([]);
  });

  it('is what NestJS appends: a callback without parameters of its own, whose validate(user) says nothing about the code', async () => {
    const { backupCodes, issue } = service();
    const [code] = await issue();
    const validate = (user: unknown): unknown => user;
    const appended = async (...params: unknown[]): Promise<void> => {
      const done = params.at(-1) as (error: unknown, user?: unknown) => void;
      done(null, await Promise.resolve(validate(params[0])));
    };
    expect(appended).toHaveLength(0);
    const site = await openSite(express, new BackupCodeStrategy({ backupCodes }, appended));

    expect((await site.post('/login', { code: 'AAAA-AAAA' })).status).toBe(401);
    expect((await site.post('/login', { code })).body).toMatchObject({
      user: ada,
      info: { method: 'backup-code' },
    });
    expect((await site.post('/login', { code })).status).toBe(401);
  });
});
