// Each store call of each operation fails in each way: no code is accepted, nothing is left half
// done, the attempt is charged or not as it must be, and other users are not affected.
import { BackupCodes, type BackupCodesOptions } from '../../lib';
import { failure } from '../helpers/errors';
import { openService, WRONG, type Service } from '../helpers/service';
import { memory } from '../helpers/stores';
import { faultyStore, type StoreFault, type FaultyStore } from '../helpers/faulty-store';
import { storeFault, type StoreMethod } from '../helpers/watched-store';

type Opened = Service &
  Pick<FaultyStore, 'replaceNext'> & {
    readonly codes: string[];
    readonly codeOfBob: string;
    readonly staged: string;
    /** The number of the next attempt of the operation's user, as the risk hook receives it. */
    nextAttempt(): Promise<number>;
  };

interface Operation {
  readonly what: string;
  /** The store calls of the operation. Each of them fails in turn. */
  readonly calls: readonly StoreMethod[];
  /** The calls after whose failure the attempt stays charged. */
  readonly charging?: readonly StoreMethod[];
  readonly options?: Partial<BackupCodesOptions>;
  readonly run: (service: Opened) => Promise<unknown>;
  /** The result if no call fails. */
  readonly gives: unknown;
}

const hashFault = new Error('out of memory');
let answerOfRisk: 'allow' | 'deny' = 'allow';

const operations: readonly Operation[] = [
  {
    what: 'issue',
    calls: ['replace'],
    run: ({ backupCodes }) => backupCodes.issue('ada'),
    gives: expect.objectContaining({ codes: expect.any(Array) }),
  },
  {
    what: 'stage',
    calls: ['stage'],
    run: ({ backupCodes }) => backupCodes.stage('ada'),
    gives: expect.objectContaining({ codes: expect.any(Array) }),
  },
  {
    what: 'activate',
    calls: ['activate'],
    run: ({ backupCodes, staged }) => backupCodes.activate('ada', staged),
    gives: true,
  },
  {
    what: 'status',
    calls: ['find'],
    run: ({ backupCodes }) => backupCodes.status('ada'),
    gives: expect.objectContaining({ remaining: 10 }),
  },
  {
    what: 'revoke',
    calls: ['revoke'],
    run: ({ backupCodes }) => backupCodes.revoke('ada'),
    gives: true,
  },
  {
    what: 'forget',
    calls: ['forget'],
    run: ({ backupCodes }) => backupCodes.forget('ada', { audit: 'erase' }),
    gives: undefined,
  },
  {
    what: 'unlock',
    calls: ['unlock', 'find'],
    run: ({ backupCodes }) => backupCodes.unlock('ada', 'recovery', { actor: 'admin-9' }),
    gives: false,
  },
  {
    what: 'consume, with a valid code',
    calls: ['takeAttempt', 'consume'],
    run: ({ backupCodes, codes }) => backupCodes.consume('ada', codes[0]),
    gives: expect.objectContaining({ ok: true, remaining: 9 }),
  },
  {
    what: 'consume, with a replacement',
    calls: ['takeAttempt', 'consume'],
    options: { replaceConsumed: true },
    run: ({ backupCodes, codes }) => backupCodes.consume('ada', codes[0]),
    gives: expect.objectContaining({ ok: true, remaining: 10, total: 11 }),
  },
  {
    what: 'consume, with an invalid code',
    calls: ['takeAttempt', 'append'],
    charging: ['append'],
    run: ({ backupCodes }) => backupCodes.consume('ada', WRONG),
    gives: { ok: false, reason: 'mismatch' },
  },
  {
    what: 'consume, refused by the risk hook',
    calls: ['takeAttempt', 'giveBack', 'count'],
    charging: ['giveBack'],
    run: ({ backupCodes, codes }) => {
      answerOfRisk = 'deny';
      return backupCodes.consume('ada', codes[0]);
    },
    gives: { ok: false, reason: 'denied' },
  },
  {
    what: 'rejectUnknownUser',
    calls: ['nameKey', 'takeAttempt', 'append'],
    charging: ['append'],
    run: ({ backupCodes }) => backupCodes.rejectUnknownUser('eve', WRONG),
    gives: { ok: false, reason: 'unknown_user' },
  },
];

const calls = operations.flatMap((operation) =>
  operation.calls.map((method) => ({ ...operation, method })),
);

async function open({ what, options }: Operation): Promise<Opened> {
  answerOfRisk = 'allow';
  const opened = await memory.open();
  const { store, replaceNext } = faultyStore(opened.store);
  const attempts: number[] = [];
  const assessRisk: BackupCodesOptions['assessRisk'] = ({ attempt, userId }) => {
    attempts.push(attempt);
    return userId === 'ada' ? answerOfRisk : 'allow';
  };
  const service = await openService(() => Promise.resolve({ ...opened, store }), {
    assessRisk,
    hashConcurrency: 1,
    ...options,
  });
  const { backupCodes, received, watched } = service;
  const { codes } = await backupCodes.issue('ada');
  const { setId: staged } = await backupCodes.stage('ada');
  const [codeOfBob = ''] = (await backupCodes.issue('bob')).codes;
  received.length = 0;
  watched.reset();
  const nextAttempt = async (): Promise<number> => {
    answerOfRisk = 'allow';
    await (what === 'rejectUnknownUser'
      ? backupCodes.rejectUnknownUser('eve', WRONG)
      : backupCodes.consume('ada', WRONG));
    return attempts.at(-1)!;
  };
  return { ...service, replaceNext, codes, codeOfBob, staged, nextAttempt };
}

function rejectWith(reason: unknown): StoreFault {
  return async () => {
    throw reason as Error;
  };
}

/** Waits until all steps that can run have run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const unhandled = jest.fn();
beforeAll(() => process.on('unhandledRejection', unhandled));
afterAll(() => process.off('unhandledRejection', unhandled));
beforeEach(() => unhandled.mockClear());

it.each(operations)(
  'The store calls of $what are the ones that fail in these tests',
  async (operation) => {
    const service = await open(operation);
    expect(await operation.run(service)).toEqual(operation.gives);
    expect(service.watched.calls).toEqual(operation.calls);
  },
);

describe.each<[string, StoreFault, unknown]>([
  [
    'throws',
    () => {
      throw storeFault;
    },
    storeFault,
  ],
  ['rejects', rejectWith(storeFault), storeFault],
  ['rejects with undefined', rejectWith(undefined), undefined],
  ['rejects with null', rejectWith(null), null],
])('a store that %s', (_how, fault, thrown) => {
  it.each(calls)(
    'A fault of $method in $what accepts no code, and no guess is free',
    async ({ method, ...operation }) => {
      const service = await open(operation);
      const before = await service.written();
      service.replaceNext(method, fault);
      await expect(operation.run(service)).rejects.toBe(thrown);
      await settle();
      expect(service.received).toEqual([]);
      expect(await service.written()).toEqual(before);
      expect(await service.nextAttempt()).toBe(operation.charging?.includes(method) ? 2 : 1);
      expect(await service.backupCodes.consume('ada', service.codes[0])).toMatchObject({
        ok: true,
      });
      expect(unhandled).not.toHaveBeenCalled();
    },
  );
});

it.each<[string, StoreFault]>([
  [
    'throws',
    () => {
      throw storeFault;
    },
  ],
  ['rejects with undefined', rejectWith(undefined)],
])(
  'If giveBack %s, the first fault is thrown and the attempt stays charged',
  async (_how, fault) => {
    const service = await open({
      what: 'consume',
      calls: [],
      run: () => Promise.resolve(),
      gives: undefined,
    });
    jest.spyOn(service.hasher, 'hash').mockRejectedValueOnce(hashFault);
    service.replaceNext('giveBack', fault);
    await expect(service.backupCodes.consume('ada', service.codes[0])).rejects.toBe(hashFault);
    expect(await service.nextAttempt()).toBe(2);
    expect(service.received.map(({ reason }) => reason)).toEqual(['mismatch']);
  },
);

describe('a store that hangs', () => {
  /** The event loop runs, and each timer can be counted. */
  beforeEach(() =>
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }),
  );
  afterEach(() => jest.useRealTimers());

  function hang(): { fault: StoreFault; answer: () => void; fail: () => void } {
    let answer = (): void => undefined;
    let fail = answer;
    return {
      fault: async (call) => {
        await new Promise<void>((resolve, reject) => {
          [answer, fail] = [resolve, () => reject(storeFault)];
        });
        return call();
      },
      answer: () => answer(),
      fail: () => fail(),
    };
  }

  it.each(calls)(
    'A $method of $what that hangs accepts no code and does not block other users',
    async ({ method, ...operation }) => {
      const service = await open(operation);
      const { fault, answer } = hang();
      service.replaceNext(method, fault);
      const outcome = operation.run(service);
      const became = jest.fn();
      void outcome.then(became, became);
      await settle();
      // The one timer is the time limit of the call.
      expect([became.mock.calls, service.received, jest.getTimerCount()]).toEqual([[], [], 1]);

      expect(await service.backupCodes.consume('bob', service.codeOfBob)).toMatchObject({
        ok: true,
      });
      expect(service.received.map(({ userId }) => userId)).not.toContain('ada');
      expect(became).not.toHaveBeenCalled();

      answer();
      expect(await outcome).toEqual(operation.gives);
    },
  );

  it.each(calls)(
    'A $method of $what that hangs and then fails accepts no code',
    async ({ method, ...operation }) => {
      const service = await open(operation);
      const before = await service.written();
      const { fault, fail } = hang();
      service.replaceNext(method, fault);
      const outcome = operation.run(service);
      await settle();
      fail();
      await expect(outcome).rejects.toBe(storeFault);
      await settle();
      expect([service.received, await service.written(), jest.getTimerCount()]).toEqual([
        [],
        before,
        0,
      ]);
      expect(await service.nextAttempt()).toBe(operation.charging?.includes(method) ? 2 : 1);
      expect(unhandled).not.toHaveBeenCalled();
    },
  );

  it.each(calls)(
    'A $method of $what that does not answer in ten seconds is a store_timeout, and lets no user in',
    async ({ method, ...operation }) => {
      for (const late of ['answer', 'fail'] as const) {
        const service = await open(operation);
        const hung = hang();
        service.replaceNext(method, hung.fault);
        const outcome = operation.run(service);
        const became = jest.fn();
        void outcome.then(became, became);
        await settle();
        jest.advanceTimersByTime(9999);
        await settle();
        expect(became).not.toHaveBeenCalled();
        jest.advanceTimersByTime(1);
        await expect(outcome).rejects.toEqual(failure('store_timeout'));
        hung[late]();
        await settle();
        expect([service.received, became.mock.calls.length, jest.getTimerCount()]).toEqual([
          [],
          1,
          0,
        ]);
        expect(unhandled).not.toHaveBeenCalled();
      }
    },
  );

  it('After a store_timeout the caller does not wait for the attempt to be given back', async () => {
    const service = await open(
      operations.find(({ what }) => what === 'consume, with a valid code')!,
    );
    const never = (): Promise<never> => new Promise(() => undefined);
    service.replaceNext('consume', never);
    service.replaceNext('giveBack', never);
    const outcome = service.backupCodes.consume('ada', service.codes[0]);
    void outcome.catch(() => undefined);
    await settle();
    jest.advanceTimersByTime(10_000);
    await expect(outcome).rejects.toEqual(failure('store_timeout'));
    expect(service.watched.calls.slice(-1)).toEqual(['giveBack']);
    // Giving back still runs, with a time limit of its own.
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(10_000);
    await settle();
    expect([jest.getTimerCount(), unhandled.mock.calls]).toEqual([0, []]);
  });

  it('storeTimeoutSeconds is from 1 to 60, and holds for audit.events', async () => {
    const { store } = await memory.open();
    for (const storeTimeoutSeconds of [0, 61, 1.5, NaN]) {
      expect(() => new BackupCodes({ store, storeTimeoutSeconds })).toThrow(
        failure('invalid_option'),
      );
    }
    Object.assign(store, { readEvents: () => new Promise(() => undefined) });
    const backupCodes = new BackupCodes({ store, storeTimeoutSeconds: 60 });
    const page = backupCodes.audit.events();
    void page.catch(() => undefined);
    await settle();
    jest.advanceTimersByTime(60_000);
    await expect(page).rejects.toEqual(failure('store_timeout'));
  });

  it('Hanging takeAttempt calls of one user do not delay the hash of another', async () => {
    const service = await open(operations[5]!);
    for (let n = 0; n < 10; n += 1) {
      service.replaceNext('takeAttempt', () => new Promise(() => undefined));
      void service.backupCodes.consume('ada', service.codes[0]);
      await settle();
    }
    expect(await service.backupCodes.consume('bob', service.codeOfBob)).toMatchObject({ ok: true });
    expect([await service.charged('ada'), jest.getTimerCount()]).toEqual([0, 10]);
  });
});
