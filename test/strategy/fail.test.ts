// Failures: the table of outcomes on both channels, with status, code and message.
import {
  BackupCodeStrategy,
  formats,
  MemoryStore,
  type BackupCodeStrategyOptions,
  type ConsumeResult,
  type Hasher,
  type Reason,
} from '../../lib';
import { countingHasher } from '../helpers/counting-hasher';
import {
  ada,
  expressVersions,
  findUser,
  openLoginApp,
  makeService,
  makeStrategy,
  type Answer,
  type Service,
  type TestApp,
  type Person,
} from './test-app';

const INVALID = {
  code: 'invalid_code',
  message: 'That backup code is not valid. Please try another one.',
};
const MALFORMED = {
  code: 'malformed',
  message: 'That does not look like a backup code. Please enter one code and try again.',
};
const WRONG = 'AAAA-AAAA-AAAA-AAAA';
const DAY_MS = 86_400_000;

describe.each(expressVersions)('after the last attempt, on %s', (_name, express) => {
  const open = async (channel: 'second_factor' | 'recovery'): Promise<LastAttempt> => {
    const service = makeService({ format: formats.recovery, attempts: { lockAfter: 1 } });
    const [code] = await service.issue();
    const site = await openLoginApp(express, makeStrategy(service.backupCodes, channel), {
      user: channel === 'recovery' ? null : ada,
    });
    const send = (typed: unknown): Promise<Answer> =>
      site.post('/callback', { username: 'ada', code: typed });
    await send(WRONG);
    service.hasher.count = 0;
    return { ...service, code, send };
  };

  it('a locked channel is answered with 429 and no wait until a new set unlocks it', async () => {
    const { backupCodes, issue, hasher, code, send } = await open('second_factor');
    const answer = await send(code);
    expect(answer.status).toBe(429);
    expect(answer.body.info).toEqual({
      code: 'too_many_attempts',
      message:
        'Too many attempts: these backup codes no longer work. Sign in another way and make new ones.',
    });
    expect(answer.headers.get('retry-after')).toBeNull();
    expect([hasher.count, (await backupCodes.status('ada'))?.remaining]).toEqual([0, 10]);
    const [fresh] = await issue();
    expect((await send(fresh)).status).toBe(200);
  });

  it('a recovery login is not locked', async () => {
    const { code, send } = await open('recovery');
    expect((await send(code)).status).toBe(200);
  });
});

interface LastAttempt extends Service {
  readonly code: string | undefined;
  send(typed: unknown): Promise<Answer>;
}

describe.each(expressVersions)('on %s', (_name, express) => {
  describe.each([
    ['after a first factor', 'second_factor'],
    ['in a recovery login', 'recovery'],
  ] as const)('%s', (_where, channel) => {
    /** Passport's default answer at /login, and what a custom callback gets at /callback. */
    const open = (
      backupCodes: Parameters<typeof makeStrategy>[0],
      verify?: Parameters<typeof makeStrategy>[2],
    ): Promise<TestApp> =>
      openLoginApp(express, makeStrategy(backupCodes, channel, verify), {
        user: channel === 'recovery' ? null : ada,
      });
    const send = (site: TestApp, code: unknown): Promise<Answer> =>
      site.post('/callback', { username: 'ada', code });

    it('an invalid code is answered with 401 and invalid_code', async () => {
      const { backupCodes, issue } = makeService({ format: formats.recovery });
      await issue();
      const answer = await send(await open(backupCodes), WRONG);
      expect(answer.status).toBe(401);
      expect(answer.body).toEqual({ user: false, info: INVALID });
    });

    it("another user's code is answered like an invalid one, and works for its owner", async () => {
      const { backupCodes, issue } = makeService({ format: formats.recovery });
      await issue();
      const [code] = await issue('bob');
      const answer = await send(await open(backupCodes), code);
      expect([answer.status, answer.body.info]).toEqual([401, INVALID]);
      expect(await backupCodes.consume('bob', code)).toMatchObject({ ok: true });
    });

    it('a consumed code is answered like an invalid one', async () => {
      const { backupCodes, issue } = makeService({ format: formats.recovery });
      const [code] = await issue();
      const site = await open(backupCodes);
      expect((await send(site, code)).status).toBe(200);
      const answer = await send(site, code);
      expect([answer.status, answer.body.info]).toEqual([401, INVALID]);
    });

    it('an expired code is answered like an invalid one', async () => {
      const { backupCodes, issue, clock } = makeService({ format: formats.recovery });
      const [code] = await issue();
      clock.now += 365 * DAY_MS;
      const answer = await send(await open(backupCodes), code);
      expect([answer.status, answer.body.info]).toEqual([401, INVALID]);
    });

    it('a user without a set is answered like one who gave an invalid code', async () => {
      const answer = await send(
        await open(makeService({ format: formats.recovery }).backupCodes),
        WRONG,
      );
      expect([answer.status, answer.body.info]).toEqual([401, INVALID]);
    });

    it('a pasted list of codes is answered with 400 and the request to enter one code', async () => {
      const { backupCodes, issue, hasher, countAttempts } = makeService({
        format: formats.recovery,
      });
      const codes = await issue();
      const site = await open(backupCodes);
      const list = codes.map((code, index) => `${index + 1}. ${code}`);
      for (const pasted of [list.join('\n'), list.slice(0, 2).join(', '), codes.join(' ')]) {
        const { status, body } = await send(site, pasted);
        expect([status, body.info]).toEqual([400, MALFORMED]);
      }
      expect(MALFORMED.message).toContain('enter one code');
      expect([hasher.count, await countAttempts()]).toEqual([0, 0]);
      expect((await send(site, list[1])).status).toBe(200);
    });

    it('input that is not a code is answered with 400, without a hash or an attempt', async () => {
      const { backupCodes, issue, hasher, countAttempts } = makeService({
        format: formats.recovery,
      });
      await issue();
      const site = await open(backupCodes);
      for (const code of ['123456', '', undefined]) {
        const answer = await send(site, code);
        expect([answer.status, answer.body.info]).toEqual([400, MALFORMED]);
      }
      expect([hasher.count, await countAttempts()]).toEqual([0, 0]);
    });

    it('too many attempts are answered with 429 and a wait, unchecked', async () => {
      const { backupCodes, issue, hasher, clock } = makeService({
        format: formats.recovery,
        attempts: { free: 2, firstDelaySeconds: 60 },
      });
      const [code] = await issue();
      const site = await open(backupCodes);
      await send(site, WRONG);
      await send(site, WRONG);
      hasher.count = 0;
      clock.now += 1;

      const answer = await send(site, code);

      expect(answer.status).toBe(429);
      expect(answer.body.info).toEqual({
        code: 'too_many_attempts',
        message: 'Too many attempts. Please wait 60 seconds before you try again.',
        retryAfterSeconds: 60,
      });
      expect(answer.headers.get('retry-after')).toBe('60');
      expect(hasher.count).toBe(0);
      clock.now += 60_000;
      expect((await send(site, code)).status).toBe(200);
    });

    it('an attempt beyond the queue of slow hashes is answered with 503, uncounted', async () => {
      const gate = blockedHasher();
      const { backupCodes, countAttempts } = makeService({
        format: formats.recovery,
        hasher: gate.hasher,
        hashConcurrency: 1,
        maxQueuedHashes: 0,
      });
      const {
        codes: [code],
      } = await backupCodes.issue('ada');
      const [occupied, let_go] = gate.block();
      const site = await open(backupCodes);
      const first = send(site, WRONG);
      await occupied;

      const answer = await send(site, code);
      let_go();

      expect(answer.status).toBe(503);
      expect(answer.body.info).toEqual({
        code: 'busy',
        message: 'The service is busy. Please try again in a few seconds.',
        retryAfterSeconds: 5,
      });
      expect(answer.headers.get('retry-after')).toBe('5');
      expect((await first).status).toBe(401);
      expect(await countAttempts()).toBe(1);
      expect((await send(site, code)).status).toBe(200);
    });

    it('a veto of verify is answered with 401 and a message, and the code is spent', async () => {
      const { backupCodes, issue } = makeService({ format: formats.recovery });
      const codes = await issue();
      const refusals: unknown[] = [
        { code: 'suspended' },
        'Your account is suspended.',
        undefined,
        null,
      ];
      const site = await open(backupCodes, (_user, _info, done) =>
        done(null, false, refusals.shift()),
      );
      const answers = [
        await send(site, codes[0]),
        await send(site, codes[1]),
        await send(site, codes[2]),
        await send(site, codes[3]),
      ];
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
      expect(answers.map(({ body }) => body.info)).toEqual([
        { code: 'suspended' },
        { code: 'denied', message: 'Your account is suspended.' },
        { code: 'denied', message: 'This sign-in was refused.' },
        { code: 'denied', message: 'This sign-in was refused.' },
      ]);
      expect((await backupCodes.status('ada'))?.remaining).toBe(6);
    });

    it.each([
      [423, 423],
      [400, 400],
      [599, 599],
      [200, 401],
      [399, 401],
      [600, 401],
      [403.5, 401],
      ['423', 401],
      [NaN, 401],
    ])(
      'verify may veto with info.status %p, which is answered with %p and not a success',
      async (given, status) => {
        const { backupCodes, issue } = makeService({ format: formats.recovery });
        const [code] = await issue();
        const app = await open(backupCodes, (_user, _info, done) =>
          done(null, false, { code: 'suspended', status: given }),
        );
        const answer = await send(app, code);
        expect([answer.status, answer.body.user, answer.body.info.code]).toEqual([
          status,
          false,
          'suspended',
        ]);
      },
    );

    it("a failure is answered with Passport's bare status text without a callback", async () => {
      const { backupCodes, issue } = makeService({ format: formats.recovery });
      await issue();
      const site = await open(backupCodes);
      expect(await site.post('/login', { username: 'ada', code: WRONG })).toMatchObject({
        status: 401,
        text: 'Unauthorized',
      });
      expect(await site.post('/login', { username: 'ada', code: 1 })).toMatchObject({
        status: 400,
        text: 'Bad Request',
      });
    });
  });

  it('a request without a user is answered with 401, and costs no hash', async () => {
    const { backupCodes, issue, hasher } = makeService();
    const [code] = await issue();
    for (const currentUser of [
      undefined,
      () => null,
      () => undefined,
      () => false as const,
      () => Promise.resolve(null),
    ]) {
      const site = await openLoginApp(
        express,
        new BackupCodeStrategy({ backupCodes, ...(currentUser && { currentUser }) }),
        { user: null },
      );
      const answer = await site.post('/callback', { code });
      expect([answer.status, answer.body]).toEqual([
        401,
        { user: false, info: { code: 'login_required', message: 'Please sign in first.' } },
      ]);
    }
    expect(hasher.count).toBe(0);
  });

  it('a user name in the body is ignored if the user comes from the first factor', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue('bob');
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }));
    expect(
      (await site.post('/login', { code, username: 'bob', user: { id: 'bob' }, userId: 'bob' }))
        .status,
    ).toBe(401);
  });

  it.each([
    ['deny', { code: 'denied', message: 'This sign-in was refused.' }],
    ['step_up', { code: 'step_up_required', message: 'This sign-in needs another check first.' }],
  ] as const)(
    'a risk of %s is 403 after a first factor, and like an invalid code in a recovery login',
    async (risk, info) => {
      const { backupCodes, issue, hasher, countAttempts } = makeService({
        format: formats.recovery,
        assessRisk: () => risk,
      });
      const [code] = await issue();

      const second = await (
        await openLoginApp(express, makeStrategy(backupCodes, 'second_factor'))
      ).post('/callback', { code });
      const recovery = await (
        await openLoginApp(express, makeStrategy(backupCodes, 'recovery'))
      ).post('/callback', { username: 'ada', code });

      expect([second.status, second.body.info]).toEqual([403, info]);
      expect([recovery.status, recovery.body.info]).toEqual([401, INVALID]);
      expect([
        hasher.count,
        await countAttempts(),
        (await backupCodes.status('ada'))?.remaining,
      ]).toEqual([0, 0, 10]);
    },
  );

  it.each<[string, ConsumeResult, number, string]>([
    ['false', false, 401, 'invalid_code'],
    ['malformed', { ok: false, reason: 'malformed' }, 400, 'malformed'],
    ['mismatch', { ok: false, reason: 'mismatch' }, 401, 'invalid_code'],
    ['reused', { ok: false, reason: 'reused' }, 401, 'invalid_code'],
    ['expired', { ok: false, reason: 'expired' }, 401, 'invalid_code'],
    ['none', { ok: false, reason: 'none' }, 401, 'invalid_code'],
    ['unknown_user', { ok: false, reason: 'unknown_user' }, 401, 'invalid_code'],
    [
      'throttled',
      { ok: false, reason: 'throttled', retryAfterSeconds: 12.2 },
      429,
      'too_many_attempts',
    ],
    ['locked', { ok: false, reason: 'locked' }, 429, 'too_many_attempts'],
    ['denied', { ok: false, reason: 'denied' }, 403, 'denied'],
    ['step_up', { ok: false, reason: 'step_up' }, 403, 'step_up_required'],
    ['busy', { ok: false, reason: 'busy', retryAfterSeconds: 3 }, 503, 'busy'],
  ])("an app's own consumeCode may return %s", async (_what, result, status, code) => {
    for (const given of [result, Promise.resolve(result)]) {
      const site = await openLoginApp(
        express,
        new BackupCodeStrategy({ consumeCode: () => given }),
      );
      const answer = await site.post('/callback', { code: 'ABCD-EFGH' });
      expect([answer.status, answer.body.user, answer.body.info.code]).toEqual([
        status,
        false,
        code,
      ]);
      const seconds =
        typeof result === 'object' && 'retryAfterSeconds' in result
          ? Math.ceil(result.retryAfterSeconds!)
          : undefined;
      expect(answer.body.info.retryAfterSeconds).toBe(seconds);
      expect(answer.headers.get('retry-after')).toBe(
        seconds === undefined ? null : String(seconds),
      );
    }
  });

  it.each([0, -1, NaN, Infinity, '60'])(
    'a wait of %p seconds is not announced',
    async (retryAfterSeconds) => {
      const site = await openLoginApp(
        express,
        new BackupCodeStrategy({
          consumeCode: () => ({
            ok: false,
            reason: 'throttled',
            retryAfterSeconds: retryAfterSeconds as number,
          }),
        }),
      );
      const answer = await site.post('/callback', { code: 'ABCD-EFGH' });
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, null]);
      expect(answer.body.info).not.toHaveProperty('retryAfterSeconds');
    },
  );

  it("an app's own consumeCode is called only with codes and for existing users", async () => {
    let asked = 0;
    const strategy = new BackupCodeStrategy<Person>({
      findUser,
      format: formats.recovery,
      consumeCode: () => (asked += 1) > 0,
    });
    const site = await openLoginApp(express, strategy);
    expect(
      (await site.post('/callback', { username: 'ada', code: 'ABCD-EFGH' })).body.info,
    ).toEqual(MALFORMED);
    expect((await site.post('/callback', { username: 'unknown', code: WRONG })).body.info).toEqual(
      INVALID,
    );
    expect(asked).toBe(0);
  });
});

describe.each(expressVersions)('the messages option on %s', (_name, express) => {
  const GERMAN = {
    malformed: 'Das sieht nicht wie ein Backup-Code aus.',
    invalid_code: 'Dieser Backup-Code ist nicht gültig.',
    login_required: 'Bitte melden Sie sich zuerst an.',
    too_many_attempts: 'Zu viele Versuche.',
    denied: 'Die Anmeldung wurde abgelehnt.',
    step_up_required: 'Bitte bestätigen Sie zuerst, dass Sie es sind.',
    busy: 'Bitte versuchen Sie es später noch einmal.',
  };
  const messages: BackupCodeStrategyOptions<Person>['messages'] = (code, info, req) =>
    [req.acceptsLanguages('de', 'en') === 'de' ? GERMAN[code] : code, info.retryAfterSeconds]
      .join(' ')
      .trim();
  const inGerman = { 'accept-language': 'de-AT, de;q=0.9' };

  it.each<[string, ConsumeResult, object]>([
    ['false', false, { code: 'invalid_code', message: GERMAN.invalid_code }],
    [
      'malformed',
      { ok: false, reason: 'malformed' },
      { code: 'malformed', message: GERMAN.malformed },
    ],
    [
      'throttled',
      { ok: false, reason: 'throttled', retryAfterSeconds: 60 },
      {
        code: 'too_many_attempts',
        message: `${GERMAN.too_many_attempts} 60`,
        retryAfterSeconds: 60,
      },
    ],
    [
      'locked',
      { ok: false, reason: 'locked' },
      { code: 'too_many_attempts', message: GERMAN.too_many_attempts },
    ],
    ['denied', { ok: false, reason: 'denied' }, { code: 'denied', message: GERMAN.denied }],
    [
      'step_up',
      { ok: false, reason: 'step_up' },
      { code: 'step_up_required', message: GERMAN.step_up_required },
    ],
    [
      'busy',
      { ok: false, reason: 'busy', retryAfterSeconds: 5 },
      { code: 'busy', message: `${GERMAN.busy} 5`, retryAfterSeconds: 5 },
    ],
  ])(
    'messages gives the message of the outcome %s, in the language of the request',
    async (_what, result, info) => {
      const app = await openLoginApp(
        express,
        new BackupCodeStrategy<Person>({ consumeCode: () => result, messages }),
      );
      const answer = await app.post('/callback', { code: 'ABCD-EFGH' }, inGerman);
      expect(answer.body).toEqual({ user: false, info });
    },
  );

  it('messages gives the message of a request without a user', async () => {
    const app = await openLoginApp(
      express,
      new BackupCodeStrategy<Person>({ consumeCode: () => true, messages }),
      { user: null },
    );
    const answer = await app.post('/callback', { code: 'ABCD-EFGH' }, inGerman);
    expect([answer.status, answer.body.info.message]).toEqual([401, GERMAN.login_required]);
  });

  it('messages gives the message of a veto, unless verify gives one itself', async () => {
    const vetoes: unknown[] = [undefined, 'Your account is suspended.'];
    const app = await openLoginApp(
      express,
      new BackupCodeStrategy<Person>({ consumeCode: () => true, messages }, (_user, _info, done) =>
        done(null, false, vetoes.shift()),
      ),
    );
    const code = 'ABCD-EFGH';
    const first = await app.post('/callback', { code }, inGerman);
    const second = await app.post('/callback', { code }, inGerman);
    expect([first.status, first.body.info]).toEqual([
      401,
      { code: 'denied', message: GERMAN.denied },
    ]);
    expect([second.status, second.body.info]).toEqual([
      401,
      { code: 'denied', message: 'Your account is suspended.' },
    ]);
  });

  it('messages is not called for a valid code', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    let calls = 0;
    const app = await openLoginApp(
      express,
      new BackupCodeStrategy<Person>({ backupCodes, messages: () => `message ${(calls += 1)}` }),
    );
    expect((await app.post('/login', { code })).status).toBe(200);
    expect(calls).toBe(0);
  });

  it.each<Reason>(['mismatch', 'reused', 'expired', 'none', 'unknown_user', 'denied', 'step_up'])(
    'messages gets the same frozen arguments for %s as for an invalid code',
    async (reason) => {
      const received: unknown[] = [];
      const strategy = (result: ConsumeResult): BackupCodeStrategy<Person> =>
        new BackupCodeStrategy<Person>({
          findUser,
          format: 'any',
          consumeCode: () => result,
          messages: (code, info, req) => {
            received.push([code, info, Object.isFrozen(info), req.path]);
            return code;
          },
        });
      const answers: unknown[] = [];
      for (const result of [false, { ok: false, reason } as const]) {
        const app = await openLoginApp(express, strategy(result), { user: null });
        const { status, text } = await app.post('/callback', { username: 'ada', code: 'typed' });
        answers.push([status, text]);
      }
      expect(received).toEqual(
        Array(2).fill(['invalid_code', { code: 'invalid_code' }, true, '/callback']),
      );
      expect(answers[1]).toEqual(answers[0]);
    },
  );

  it('messages gets the same arguments for an unknown user name as for a known one', async () => {
    const { backupCodes, issue } = makeService({
      format: formats.recovery,
      attempts: { free: 2, firstDelaySeconds: 60 },
    });
    await issue();
    const received: Record<string, unknown[]> = { ada: [], bob: [], unknown: [] };
    const app = await openLoginApp(
      express,
      new BackupCodeStrategy<Person>({
        findUser,
        backupCodes,
        messages: (code, info, req) => {
          received[(req.body as { username: string }).username]!.push([code, { ...info }]);
          return code;
        },
      }),
      { user: null },
    );
    for (const username of Object.keys(received)) {
      for (const code of ['not a code', WRONG, WRONG, WRONG])
        await app.post('/callback', { username, code });
    }
    expect(received['ada']).toEqual([
      ['malformed', { code: 'malformed' }],
      ['invalid_code', { code: 'invalid_code' }],
      ['invalid_code', { code: 'invalid_code' }],
      ['too_many_attempts', { code: 'too_many_attempts', retryAfterSeconds: 60 }],
    ]);
    expect(received['bob']).toEqual(received['ada']);
    expect(received['unknown']).toEqual(received['ada']);
  });
});

describe.each(expressVersions)('an unknown user name on %s', (_name, express) => {
  /** What an attacker sees of six attempts in a row, one of them malformed, and what they cost. */
  async function attack(
    username: string,
    path: string,
  ): Promise<{ seen: unknown[]; work: object }> {
    const calls: string[] = [];
    const compared = jest.spyOn(
      jest.requireActual<{ timingSafeEqual: () => boolean }>('node:crypto'),
      'timingSafeEqual',
    );
    const { backupCodes, hasher, clock } = makeService({
      format: formats.recovery,
      attempts: { free: 3, firstDelaySeconds: 60 },
      store: recordCalls(calls),
    });
    await backupCodes.issue('ada');
    // The key of user names is read once in the life of a process, with the first unknown name.
    await backupCodes.rejectUnknownUser('another name', WRONG, { channel: 'recovery' });
    hasher.count = calls.length = 0;
    compared.mockClear();
    const site = await openLoginApp(express, makeStrategy(backupCodes, 'recovery'), { user: null });
    const seen: unknown[] = [];
    for (const code of [WRONG, 'no code', WRONG, WRONG, WRONG, WRONG]) {
      const { status, headers, text } = await site.post(path, { username, code });
      seen.push([status, text, [...headers].filter(([name]) => name !== 'date')]);
      clock.now += 20_000;
    }
    const work = { hashes: hasher.count, compared: compared.mock.calls.length, calls: [...calls] };
    compared.mockRestore();
    return { seen, work };
  }

  it.each(['/login', '/callback'])(
    'an unknown name gets the status, body, headers and work of a known one, at %s',
    async (path) => {
      const ofKnownName = await attack('ada', path);
      const withoutSet = await attack('bob', path);
      const unknown = await attack('unknown', path);

      expect(unknown).toEqual(ofKnownName);
      expect(withoutSet).toEqual(ofKnownName);
      expect(ofKnownName.work).toMatchObject({ hashes: 3, compared: 30 });
      expect(ofKnownName.seen.map((answer) => (answer as [number])[0])).toEqual([
        401, 400, 401, 401, 429, 429,
      ]);
    },
  );
});

/** A store that records which of its methods were called. */
function recordCalls(calls: string[]): MemoryStore {
  return new Proxy(new MemoryStore(), {
    get: (store, name) => {
      const value: unknown = Reflect.get(store, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        calls.push(String(name));
        return Reflect.apply(value, store, args);
      };
    },
  });
}

/** A hasher whose hashes can be held. */
function blockedHasher(): { hasher: Hasher; block: () => [Promise<void>, () => void] } {
  const quick = countingHasher();
  let waiting: { entered: () => void; until: Promise<void> } | null = null;
  return {
    hasher: {
      ...quick,
      hash: async (code, salt) => {
        waiting?.entered();
        await waiting?.until;
        return quick.hash(code, salt);
      },
    },
    block: () => {
      let [entered, release] = [(): void => undefined, (): void => undefined];
      const occupied = new Promise<void>((resolve) => (entered = resolve));
      const until = new Promise<void>((resolve) => (release = resolve));
      waiting = { entered, until };
      return [
        occupied,
        () => {
          waiting = null;
          release();
        },
      ];
    },
  };
}
