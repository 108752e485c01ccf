// A hasher that hangs, returns one hash for all codes, or makes unreadable salts: no code is
// accepted, and the process continues.
import type { BackupCodesOptions, Hasher } from '../../lib';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import { openService, WRONG, type Service } from '../helpers/service';
import { memory } from '../helpers/stores';

type Opened = Service & {
  readonly codes: string[];
  /** The hashes that hang, oldest first. */
  readonly hanging: { answer(): void; fail(): void }[];
  /** Makes hashes hang, from the nth one after this call. */
  hangFrom(nth: number): void;
  stopHanging(): void;
};

async function open(options: Partial<BackupCodesOptions> = {}): Promise<Opened> {
  const good = countingHasher();
  const hanging: { answer(): void; fail(): void }[] = [];
  let untilHang = Infinity;
  const hasher: Hasher = {
    ...good,
    hash: async (code, salt) => {
      untilHang -= 1;
      if (untilHang <= 0)
        await new Promise<void>((answer, reject) =>
          hanging.push({ answer, fail: () => reject(new Error('late')) }),
        );
      return good.hash(code, salt);
    },
  };
  const service = await openService(memory.open, { hasher, hashConcurrency: 1, ...options });
  const { codes } = await service.backupCodes.issue('ada');
  await service.backupCodes.issue('bob');
  service.received.length = 0;
  service.watched.reset();
  return {
    ...service,
    codes,
    hanging,
    hangFrom: (nth) => (untilHang = nth),
    stopHanging: () => (untilHang = Infinity),
  };
}

/** Waits until all steps that can run have run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The result so far, or `pending`, so that the test does not hang with the call. */
async function soFar(outcome: Promise<unknown>): Promise<unknown> {
  let became: unknown = 'pending';
  const note = (result: unknown): void => {
    became = result;
  };
  outcome.then(note, note);
  await settle();
  return became;
}

const unhandled = jest.fn();
beforeAll(() => process.on('unhandledRejection', unhandled));
afterAll(() => process.off('unhandledRejection', unhandled));

describe('a slow hash that hangs', () => {
  beforeEach(() => {
    unhandled.mockClear();
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  });
  afterEach(() => jest.useRealTimers());

  it('A slow hash that hangs is an error after 30 seconds, and costs no attempt', async () => {
    const { backupCodes, codes, received, charged, hangFrom, stopHanging } = await open();
    for (const code of [codes[0], WRONG]) {
      hangFrom(1);
      const outcome = backupCodes.consume('ada', code);
      expect(await soFar(outcome)).toBe('pending');
      jest.advanceTimersByTime(29_999);
      expect(await soFar(outcome)).toBe('pending');
      expect(await charged('ada')).toBe(1);
      jest.advanceTimersByTime(1);
      expect(await soFar(outcome)).toEqual(failure('hash_timeout'));
      await expect(outcome).rejects.toThrow('A slow hash took longer than 30 seconds.');
      expect([await charged('ada'), received, jest.getTimerCount()]).toEqual([0, [], 0]);
    }
    stopHanging();
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
  });

  it('A slow hash that hangs frees its place, and waiting and later calls continue', async () => {
    const { backupCodes, codes, hangFrom, stopHanging } = await open();
    hangFrom(1);
    const hung = backupCodes.consume('bob', WRONG);
    await soFar(hung);
    jest.advanceTimersByTime(26_000);
    stopHanging();
    const waiting = backupCodes.consume('ada', codes[0]);
    expect(await soFar(waiting)).toBe('pending');
    jest.advanceTimersByTime(4000);
    expect(await soFar(hung)).toEqual(failure('hash_timeout'));
    expect(await soFar(waiting)).toMatchObject({ ok: true, remaining: 9 });
    expect(await soFar(backupCodes.consume('ada', codes[1]))).toMatchObject({
      ok: true,
      remaining: 8,
    });
  });

  it('A slow hash that settles late consumes no code, and no rejection is unhandled', async () => {
    const { backupCodes, codes, received, watched, charged, hanging, hangFrom } = await open();
    for (const late of ['answer', 'fail'] as const) {
      hangFrom(1);
      const hung = backupCodes.consume('ada', codes[0]);
      await soFar(hung);
      jest.advanceTimersByTime(30_000);
      expect(await soFar(hung)).toEqual(failure('hash_timeout'));
      hanging.pop()?.[late]();
      await settle();
    }
    expect([received, await charged('ada')]).toEqual([[], 0]);
    expect(watched.calls).toEqual(['takeAttempt', 'giveBack', 'takeAttempt', 'giveBack']);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it.each(['issue', 'stage'] as const)(
    'A slow hash that hangs during %s stores nothing, and the old set works',
    async (call) => {
      const { backupCodes, codes, received, watched, hanging, hangFrom, stopHanging } =
        await open();
      hangFrom(5);
      const hung = backupCodes[call]('ada');
      expect(await soFar(hung)).toBe('pending');
      expect(hanging).toHaveLength(1);
      jest.advanceTimersByTime(30_000);
      expect(await soFar(hung)).toEqual(failure('hash_timeout'));
      expect([watched.calls, received, jest.getTimerCount()]).toEqual([[], [], 0]);
      stopHanging();
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    },
  );

  it('A hash that hangs for a replacement costs neither attempt nor code', async () => {
    const { backupCodes, codes, received, charged, hangFrom, stopHanging } = await open({
      replaceConsumed: true,
    });
    hangFrom(2);
    const hung = backupCodes.consume('ada', codes[0]);
    await soFar(hung);
    jest.advanceTimersByTime(30_000);
    expect(await soFar(hung)).toEqual(failure('hash_timeout'));
    expect([received, await charged('ada')]).toEqual([[], 0]);
    stopHanging();
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({
      ok: true,
      remaining: 10,
      total: 11,
    });
  });
});

describe('a hasher that gives one hash for all codes', () => {
  const always = (): Promise<Buffer> => Promise.resolve(Buffer.alloc(32, 7));

  it.each(['issue', 'stage'] as const)(
    'A hasher with one hash for all codes is detected by %s, which stores nothing',
    async (call) => {
      const hasher = countingHasher();
      const { backupCodes, watched, received } = await openService(memory.open, { hasher });
      const { codes } = await backupCodes.issue('ada');
      watched.reset();
      received.length = 0;
      jest.spyOn(hasher, 'hash').mockImplementation(always);
      const failed: unknown = await backupCodes[call]('ada').catch((error: unknown) => error);
      expect(failed).toEqual(failure('invalid_result'));
      expect((failed as Error).message).toBe(
        'A hasher gave the same hash for two codes. (docs/errors.md#invalid_result)',
      );
      expect([watched.calls, received, hasher.count]).toEqual([[], [], 10]);
      jest.restoreAllMocks();
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
    },
  );

  it('A hasher with one hash for all codes is detected when a replacement is made', async () => {
    const hash = jest.fn(always);
    const { backupCodes, watched, charged, received } = await openService(memory.open, {
      hasher: { ...countingHasher(), hash },
      count: 1,
      replaceConsumed: true,
    });
    const { codes } = await backupCodes.issue('ada');
    hash.mockClear();
    const failed: unknown = await backupCodes
      .consume('ada', codes[0])
      .catch((error: unknown) => error);
    expect(failed).toEqual(failure('invalid_result'));
    expect((failed as Error).message).toBe(
      'A hasher gave the same hash for several codes. (docs/errors.md#invalid_result)',
    );
    expect(hash).toHaveBeenCalledTimes(1 + 5);
    expect([watched.calls, await charged('ada'), received.map(({ type }) => type)]).toEqual([
      ['replace', 'takeAttempt', 'giveBack'],
      0,
      ['issued'],
    ]);
  });
});

it.each([
  undefined,
  null,
  7,
  '',
  'salt',
  Buffer.from('salt'),
  Promise.resolve('$counted$00'),
  `$counted$${'0'.repeat(300)}`,
])('An unreadable salt of %p makes no set, and the old one works', async (salt) => {
  const hasher = countingHasher();
  const { backupCodes, watched } = await openService(memory.open, { hasher });
  const { codes } = await backupCodes.issue('ada');
  watched.reset();
  const newSalt = jest.spyOn(hasher, 'newSalt').mockReturnValue(salt as string);
  await expect(backupCodes.issue('ada')).rejects.toEqual(failure('invalid_hasher'));
  newSalt.mockImplementation(() => {
    throw new Error('no entropy');
  });
  await expect(backupCodes.stage('ada')).rejects.toThrow('no entropy');
  expect(watched.calls).toEqual([]);
  newSalt.mockRestore();
  expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
});

it.each<[string, () => boolean]>([
  [
    'throws',
    () => {
      throw new Error('cannot say');
    },
  ],
  ['returns false', () => false],
])(
  'If reads() of a hasher %s, no code is accepted and no attempt is charged',
  async (_how, reads) => {
    const hasher = countingHasher();
    const { backupCodes, charged } = await openService(memory.open, { hasher });
    const { codes } = await backupCodes.issue('ada');
    hasher.count = 0;
    const spy = jest.spyOn(hasher, 'reads').mockImplementation(reads);
    for (const code of [codes[0], WRONG])
      await expect(backupCodes.consume('ada', code)).rejects.toThrow(
        /cannot say|none of the configured hashers/,
      );
    expect([hasher.count, await charged('ada')]).toEqual([0, 0]);
    spy.mockRestore();
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
  },
);
