// Successes: the user who is let in, the info, and what is recorded.
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
  expressVersions,
  findUser,
  openTestApp,
  openLoginApp,
  people,
  makeService,
  makeStrategy,
  watchActions,
  type Person,
} from './test-app';

describe.each(expressVersions)('a valid code on %s', (_name, express) => {
  it('a valid code lets in the user of the first factor, and info has the codes left', async () => {
    const { backupCodes, issue, clock } = makeService();
    const [code] = await issue();
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }));

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

  it('a valid code lets in the user of a typed name in a recovery login', async () => {
    const { backupCodes, issue } = makeService({ format: formats.recovery });
    const [code] = await issue();
    const site = await openLoginApp(express, makeStrategy(backupCodes, 'recovery'), { user: null });

    const answer = await site.postForm('/login', { username: 'ada', code: code! });

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ user: ada, info: { method: 'backup-code', remaining: 9 } });
  });

  it('a valid code costs one slow hash, whichever code of the set it is', async () => {
    const { backupCodes, issue, hasher } = makeService();
    const codes = await issue();
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }));

    for (const [index, code] of codes.entries()) {
      expect((await site.post('/login', { code })).status).toBe(200);
      expect(hasher.count).toBe(index + 1);
    }
  });

  it('a valid code lets in one of twenty simultaneous requests, and no later one', async () => {
    const { backupCodes, issue } = makeService({ attempts: { free: 50 } });
    const [code] = await issue();
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }));

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => site.post('/login', { code })),
    );

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    // The hash queue takes six calls of one user at once. The others are busy.
    const refused = answers.filter(({ status }) => status === 401).length;
    expect(refused).toBeGreaterThanOrEqual(5);
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(19 - refused);
    expect((await site.post('/login', { code })).status).toBe(401);
    expect((await backupCodes.status('ada'))?.remaining).toBe(9);
  });

  it.each([
    ['as it was printed', (code: string) => code],
    ['in lower case, without the dash', (code: string) => code.toLowerCase().replace('-', '')],
    [
      'with a long dash and spaces around it',
      (code: string) => `  ${code.replace('-', ' \u2014 ')}\n`,
    ],
  ])('a valid code is accepted %s', async (_how, typed) => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }));

    expect((await site.postForm('/login', { code: typed(code!) })).status).toBe(200);
  });

  it('a valid code is read from the fields that codeField and usernameField name', async () => {
    const { backupCodes, issue } = makeService({ format: formats.recovery });
    const [code] = await issue();
    const site = await openLoginApp(
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

  it('the set of a user is looked up by the id that userId returns', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue('tenant:7');
    const site = await openLoginApp(
      express,
      new BackupCodeStrategy({
        backupCodes,
        currentUser: () => ({ tenant: 7 }),
        userId: ({ tenant }) => `tenant:${tenant}`,
      }),
    );

    expect((await site.post('/login', { code })).body).toMatchObject({ user: { tenant: 7 } });
  });

  it('the set belongs to the user in the property that the app chose for Passport', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }), {
      userProperty: 'account',
    });

    expect((await site.post('/login', { code })).body).toMatchObject({ user: ada });
  });

  it('info says that few codes are left, without a replacement', async () => {
    const { backupCodes, issue } = makeService({ count: 3, replaceConsumed: true });
    const [code] = await issue();
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }));

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

describe.each(expressVersions)('the context recorded with a valid code on %s', (_name, express) => {
  async function recorded(
    options: { channel?: 'recovery'; context?: () => object } = {},
  ): Promise<AuditEvent | undefined> {
    const { backupCodes, issue } = makeService({ format: formats.recovery });
    const [code] = await issue();
    const events: AuditEvent[] = [];
    backupCodes.on('consumed', (event) => events.push(event));
    const { context } = options;
    const strategy = new BackupCodeStrategy<Person>({
      ...(options.channel === 'recovery' ? { findUser } : { currentUser: () => ada }),
      backupCodes,
      ...(context && { context }),
    });
    const site = await openTestApp(express, (app, { passport }) => {
      app.use((req, _res, next) => {
        Reflect.set(req, 'id', 'request-1');
        next();
      });
      app.post(
        '/login',
        passport.authenticate(watchActions(strategy), { session: false }) as RequestHandler,
        (_req, res) => res.json({}),
      );
    });
    expect(
      (await site.post('/login', { username: 'ada', code }, { 'user-agent': 'Phone' })).status,
    ).toBe(200);
    return events[0];
  }

  it('the recorded context has the address, the user agent and the request id', async () => {
    expect((await recorded())?.context).toEqual({
      ip: '127.0.0.1',
      userAgent: 'Phone',
      requestId: 'request-1',
      actor: null,
      channel: 'second_factor',
    });
  });

  it('the recorded context is what the context option returns, and nothing else', async () => {
    expect((await recorded({ context: () => ({ ip: '192.0.2.1' }) }))?.context).toEqual({
      ip: '192.0.2.1',
      userAgent: null,
      requestId: null,
      actor: null,
      channel: 'second_factor',
    });
  });

  it('the recorded context has the recovery channel if findUser found the user', async () => {
    expect((await recorded({ channel: 'recovery' }))?.context.channel).toBe('recovery');
  });

  it('the recorded context has the actual channel, not one from the option', async () => {
    expect(
      (await recorded({ channel: 'recovery', context: () => ({ channel: 'second_factor' }) }))
        ?.context.channel,
    ).toBe('recovery');
    expect((await recorded({ context: () => ({ channel: 'recovery' }) }))?.context.channel).toBe(
      'second_factor',
    );
  });
});

describe.each(expressVersions)("an app's own consumeCode on %s", (_name, express) => {
  it('consumeCode gets the user, the code as it was issued, and the cleaned context', async () => {
    const calls: [unknown, string, CleanContext][] = [];
    const site = await openLoginApp(
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

  it('consumeCode gets the code in the format of the option format', async () => {
    const codes: string[] = [];
    const site = await openLoginApp(
      express,
      new BackupCodeStrategy({
        format: formats.hex,
        consumeCode: (_user, code) => codes.push(code) === 1,
      }),
    );

    expect((await site.post('/login', { code: 'ABCDE01234' })).status).toBe(200);
    expect(codes).toEqual(['abcde-01234']);
  });

  it("consumeCode gets the trimmed input with format 'any'", async () => {
    const codes: string[] = [];
    const site = await openLoginApp(
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
      '{ ok: true } with the number of codes left',
      { ok: true, remaining: 2, total: 8, low: true, expiresAt: null },
      { remaining: 2, total: 8, low: true, expiresAt: null },
    ],
    [
      '{ ok: true } with ids and a replacement, which info does not get',
      { ok: true, setId: 's', codeId: 'c', replacement: 'SECR-ETSE' },
      {},
    ],
  ])(
    'consumeCode lets the user in if it returns %s, or a promise of it',
    async (_what, result, copied) => {
      for (const given of [result, Promise.resolve(result)]) {
        const site = await openLoginApp(
          express,
          new BackupCodeStrategy({ consumeCode: () => given }),
        );
        const answer = await site.post('/login', { code: 'ABCD-EFGH' });
        expect(answer.status).toBe(200);
        expect(answer.body).toEqual({
          user: ada,
          info: { method: 'backup-code', amr: ['otp'], ...copied },
        });
      }
    },
  );

  it('consumeCode works with findUser too', async () => {
    const site = await openLoginApp(
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

describe.each(expressVersions)('a verify callback on %s', (_name, express) => {
  it('verify gets the user and the info, and lets in the user that it gives to done', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const received: unknown[] = [];
    const site = await openLoginApp(
      express,
      new BackupCodeStrategy<Person>(
        { currentUser: () => ada, backupCodes },
        (user, info, done) => {
          received.push(user, info);
          done(null, { ...user, roles: ['owner'] });
        },
      ),
    );

    const answer = await site.post('/login', { code });

    expect(received).toEqual([
      ada,
      expect.objectContaining({ method: 'backup-code', remaining: 9 }),
    ]);
    expect(answer.body).toEqual({ user: { id: 'ada', roles: ['owner'] }, info: received[1] });
  });

  it('verify gets the request first with passReqToCallback', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const site = await openLoginApp(
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

  it('verify may add fields to the info, but cannot change method and amr', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const site = await openLoginApp(
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
    ['a string', 'welcome'],
    ['null', null],
    ['undefined', undefined],
  ])('verify may give %s as info, which adds nothing', async (_what, said) => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const site = await openLoginApp(
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

  it('verify may call done later', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const site = await openLoginApp(
      express,
      new BackupCodeStrategy({ backupCodes }, (user, _info, done) =>
        setImmediate(done, null, user),
      ),
    );

    expect((await site.post('/login', { code })).status).toBe(200);
  });

  it('verify is called after a code was consumed, and not for an invalid code', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    let asked = 0;
    const site = await openLoginApp(
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

  it('verify settles a request once, however often it calls done', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const site = await openLoginApp(
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

  it('a validate of NestJS that returns each user makes no invalid code valid', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const validate = (user: unknown): unknown => user;
    const appended = async (...params: unknown[]): Promise<void> => {
      const done = params.at(-1) as (error: unknown, user?: unknown) => void;
      done(null, await Promise.resolve(validate(params[0])));
    };
    expect(appended).toHaveLength(0);
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }, appended));

    expect((await site.post('/login', { code: 'AAAA-AAAA' })).status).toBe(401);
    expect((await site.post('/login', { code })).body).toMatchObject({
      user: ada,
      info: { method: 'backup-code' },
    });
    expect((await site.post('/login', { code })).status).toBe(401);
  });
});
