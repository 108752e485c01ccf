// Whom the strategy turns away, and in which words: the table of outcomes, on both channels.
import {
  BackupCodeStrategy,
  formats,
  MemoryStore,
  type ConsumeResult,
  type Hasher,
} from '../../lib';
import { countingHasher } from '../helpers/counting-hasher';
import {
  ada,
  expresses,
  findUser,
  openSite,
  service,
  strategyOf,
  type Answer,
  type Host,
  type Person,
} from './host';

const INVALID = {
  code: 'invalid_code',
  message: 'That backup code is not valid. Please try another one.',
};
const MALFORMED = {
  code: 'malformed',
  message: 'That does not look like a backup code. Please check it and try again.',
};
const WRONG = 'AAAA-AAAA-AAAA-AAAA';
const DAY_MS = 86_400_000;

describe.each(expresses)('on %s', (_name, express) => {
  describe.each([
    ['behind a first factor', 'second_factor'],
    ['with nothing before it', 'recovery'],
  ] as const)('%s', (_where, channel) => {
    /** The default answer of Passport and what a custom callback is told, of two services alike. */
    const open = (
      backupCodes: Parameters<typeof strategyOf>[0],
      verify?: Parameters<typeof strategyOf>[2],
    ): Promise<Host> =>
      openSite(express, strategyOf(backupCodes, channel, verify), {
        user: channel === 'recovery' ? null : ada,
      });
    const send = (site: Host, code: unknown): Promise<Answer> =>
      site.post('/callback', { username: 'ada', code });

    it('a wrong code is 401, invalid_code', async () => {
      const { backupCodes, issue } = service({ format: formats.recovery });
      await issue();
      const answer = await send(await open(backupCodes), WRONG);
      expect(answer.status).toBe(401);
      expect(answer.body).toEqual({ user: false, info: INVALID });
    });

    it('a code of somebody else is answered as a wrong one, and goes on working for its owner', async () => {
      const { backupCodes, issue } = service({ format: formats.recovery });
      await issue();
      const [code] = await issue('bob');
      const answer = await send(await open(backupCodes), code);
      expect([answer.status, answer.body.info]).toEqual([401, INVALID]);
      expect(await backupCodes.consume('bob', code)).toMatchObject({ ok: true });
    });

    it('a consumed code is answered as a wrong one', async () => {
      const { backupCodes, issue } = service({ format: formats.recovery });
      const [code] = await issue();
      const site = await open(backupCodes);
      expect((await send(site, code)).status).toBe(200);
      const answer = await send(site, code);
      expect([answer.status, answer.body.info]).toEqual([401, INVALID]);
    });

    it('an expired code is answered as a wrong one', async () => {
      const { backupCodes, issue, clock } = service({ format: formats.recovery });
      const [code] = await issue();
      clock.now += 365 * DAY_MS;
      const answer = await send(await open(backupCodes), code);
      expect([answer.status, answer.body.info]).toEqual([401, INVALID]);
    });

    it('a user without a set is answered as for a wrong code', async () => {
      const answer = await send(
        await open(service({ format: formats.recovery }).backupCodes),
        WRONG,
      );
      expect([answer.status, answer.body.info]).toEqual([401, INVALID]);
    });

    it('what is no code is 400, malformed: no hash, no charge', async () => {
      const { backupCodes, issue, hasher, charged } = service({ format: formats.recovery });
      await issue();
      const site = await open(backupCodes);
      for (const code of ['123456', '', undefined]) {
        const answer = await send(site, code);
        expect([answer.status, answer.body.info]).toEqual([400, MALFORMED]);
      }
      expect([hasher.count, await charged()]).toEqual([0, 0]);
    });

    it('too many attempts are 429 with the wait in seconds, in info and in Retry-After; a right code is not looked at meanwhile', async () => {
      const { backupCodes, issue, hasher, clock } = service({
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
        message: 'Too many attempts. Please wait before you try again.',
        retryAfterSeconds: 60,
      });
      expect(answer.headers.get('retry-after')).toBe('60');
      expect(hasher.count).toBe(0);
      clock.now += 60_000;
      expect((await send(site, code)).status).toBe(200);
    });

    it('a locked channel is 429 without a time: only a new set helps, and a right code stays unspent', async () => {
      const { backupCodes, issue, hasher } = service({
        format: formats.recovery,
        attempts: { lockAfter: 1 },
      });
      const [code] = await issue();
      const site = await open(backupCodes);
      await send(site, WRONG);
      hasher.count = 0;

      const answer = await send(site, code);

      expect(answer.status).toBe(429);
      expect(answer.body.info).toEqual({
        code: 'too_many_attempts',
        message:
          'Too many attempts: these backup codes no longer work. Sign in another way and make new ones.',
      });
      expect(answer.headers.get('retry-after')).toBeNull();
      expect([hasher.count, (await backupCodes.status('ada'))?.remaining]).toEqual([0, 10]);
      const [fresh] = await issue();
      expect((await send(site, fresh)).status).toBe(200);
    });

    it('more slow hashes than the process has room for are 503, busy, with Retry-After, and nobody is charged', async () => {
      const gate = blockedHasher();
      const { backupCodes, charged } = service({
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
      expect(await charged()).toBe(1);
      expect((await send(site, code)).status).toBe(200);
    });

    it('verify may refuse: 403 with its own info, or in our words; the code is spent all the same', async () => {
      const { backupCodes, issue } = service({ format: formats.recovery });
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
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
      expect(answers.map(({ body }) => body.info)).toEqual([
        { code: 'suspended' },
        { code: 'denied', message: 'Your account is suspended.' },
        { code: 'denied', message: 'This sign-in was refused.' },
        { code: 'denied', message: 'This sign-in was refused.' },
      ]);
      expect((await backupCodes.status('ada'))?.remaining).toBe(6);
    });

    it("is answered by Passport's bare text where the app gives no callback", async () => {
      const { backupCodes, issue } = service({ format: formats.recovery });
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

  it('nobody to check is 401, login_required, and no hash', async () => {
    const { backupCodes, issue, hasher } = service();
    const [code] = await issue();
    for (const currentUser of [
      undefined,
      () => null,
      () => undefined,
      () => false as const,
      () => Promise.resolve(null),
    ]) {
      const site = await openSite(
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

  it('a name in the body means nothing where the user comes from the first factor', async () => {
    const { backupCodes, issue } = service();
    const [code] = await issue('bob');
    const site = await openSite(express, new BackupCodeStrategy({ backupCodes }));
    expect(
      (await site.post('/login', { code, username: 'bob', user: { id: 'bob' }, userId: 'bob' }))
        .status,
    ).toBe(401);
  });

  it.each([
    ['deny', { code: 'denied', message: 'This sign-in was refused.' }],
    ['step_up', { code: 'step_up_required', message: 'This sign-in needs another check first.' }],
  ] as const)(
    'a risk of %s is 403 behind a first factor, and a wrong code to whoever has nothing but a name',
    async (risk, info) => {
      const { backupCodes, issue, hasher, charged } = service({
        format: formats.recovery,
        assessRisk: () => risk,
      });
      const [code] = await issue();

      const second = await (
        await openSite(express, strategyOf(backupCodes, 'second_factor'))
      ).post('/callback', { code });
      const alone = await (
        await openSite(express, strategyOf(backupCodes, 'recovery'))
      ).post('/callback', { username: 'ada', code });

      expect([second.status, second.body.info]).toEqual([403, info]);
      expect([alone.status, alone.body.info]).toEqual([401, INVALID]);
      expect([hasher.count, await charged(), (await backupCodes.status('ada'))?.remaining]).toEqual(
        [0, 0, 10],
      );
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
  ])("the app's own consumeCode may answer %s", async (_what, result, status, code) => {
    for (const given of [result, Promise.resolve(result)]) {
      const site = await openSite(express, new BackupCodeStrategy({ consumeCode: () => given }));
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
    'a wait of %p seconds is none to announce',
    async (retryAfterSeconds) => {
      const site = await openSite(
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

  it("the app's own consumeCode is not asked about what is no code, nor for a name that belongs to nobody", async () => {
    let asked = 0;
    const strategy = new BackupCodeStrategy<Person>({
      findUser,
      format: formats.recovery,
      consumeCode: () => (asked += 1) > 0,
    });
    const site = await openSite(express, strategy);
    expect(
      (await site.post('/callback', { username: 'ada', code: 'ABCD-EFGH' })).body.info,
    ).toEqual(MALFORMED);
    expect((await site.post('/callback', { username: 'nobody', code: WRONG })).body.info).toEqual(
      INVALID,
    );
    expect(asked).toBe(0);
  });
});

describe.each(expresses)('a user name that belongs to nobody on %s', (_name, express) => {
  /** What a stranger can see of seven wrong codes in a row and one malformed, and what they cost. */
  async function attack(
    username: string,
    path: string,
  ): Promise<{ seen: unknown[]; work: object }> {
    const calls: string[] = [];
    const compared = jest.spyOn(
      jest.requireActual<{ timingSafeEqual: () => boolean }>('node:crypto'),
      'timingSafeEqual',
    );
    const { backupCodes, hasher, clock } = service({
      format: formats.recovery,
      attempts: { free: 3, firstDelaySeconds: 60 },
      store: noting(calls),
    });
    await backupCodes.issue('ada');
    // The key of names is asked for once in the life of a process; the names of later strangers are told by nothing.
    await backupCodes.rejectUnknownUser('somebody else', WRONG, { channel: 'recovery' });
    hasher.count = calls.length = 0;
    compared.mockClear();
    const site = await openSite(express, strategyOf(backupCodes, 'recovery'), { user: null });
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
    'cannot be told from one that belongs to somebody, by status, body, headers or work (%s)',
    async (path) => {
      const known = await attack('ada', path);
      const withoutSet = await attack('bob', path);
      const unknown = await attack('nobody', path);

      expect(unknown).toEqual(known);
      expect(withoutSet).toEqual(known);
      expect(known.work).toMatchObject({ hashes: 3, compared: 30 });
      expect(known.seen.map((answer) => (answer as [number])[0])).toEqual([
        401, 400, 401, 401, 429, 429,
      ]);
    },
  );
});

/** A store that notes which of its methods were called. */
function noting(calls: string[]): MemoryStore {
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

/** A hash that can be held up in the middle of its work. */
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
