// The clock and the random source of the operating system fail at each of their calls in turn.
import crypto from 'node:crypto';
import type { BackupCodesOptions } from '../../lib';
import { DAY_MS, fakeClock, HOUR_MS, SECOND_MS, START } from '../helpers/clock';
import { openService, WRONG, type Service } from '../helpers/service';
import { memory } from '../helpers/stores';

interface Operation {
  readonly what: string;
  readonly run: (service: Service & { codes: string[]; staged: string }) => Promise<unknown>;
  /**
   * The attempts that are charged after a failure at each call of the clock, in order. The list has
   * one item for each call.
   */
  readonly clock: readonly number[];
  readonly random: readonly number[];
  readonly options?: Partial<BackupCodesOptions>;
}

/** The draws of a set: its id and salt, and for each of ten codes its symbols, id and salt. */
const SET = Array<number>(32).fill(0);

const operations: readonly Operation[] = [
  { what: 'issue', run: ({ backupCodes }) => backupCodes.issue('ada'), clock: [0], random: SET },
  { what: 'stage', run: ({ backupCodes }) => backupCodes.stage('ada'), clock: [0], random: SET },
  {
    what: 'activate',
    run: ({ backupCodes, staged }) => backupCodes.activate('ada', staged),
    clock: [0],
    random: [],
  },
  { what: 'revoke', run: ({ backupCodes }) => backupCodes.revoke('ada'), clock: [0], random: [] },
  {
    what: 'forget',
    run: async ({ backupCodes }) => {
      await backupCodes.forget('ada', { audit: 'anonymize' });
      return 'forgotten';
    },
    clock: [0],
    random: [],
  },
  {
    what: 'unlock',
    run: ({ backupCodes }) => backupCodes.unlock('ada', 'recovery', { actor: 'admin-9' }),
    clock: [0],
    random: [],
  },
  { what: 'status', run: ({ backupCodes }) => backupCodes.status('ada'), clock: [0], random: [] },
  // The clock is read once before the attempt and once after the comparison.
  {
    what: 'consume, with a valid code',
    run: ({ backupCodes, codes }) => backupCodes.consume('ada', codes[0]),
    clock: [0, 0],
    random: [],
  },
  {
    what: 'consume, with an invalid code',
    run: ({ backupCodes }) => backupCodes.consume('ada', WRONG),
    clock: [0, 1],
    random: [],
  },
  {
    what: 'consume, with malformed input',
    run: ({ backupCodes }) => backupCodes.consume('ada', '123'),
    clock: [0],
    random: [],
  },
  {
    what: 'rejectUnknownUser',
    run: ({ backupCodes }) => backupCodes.rejectUnknownUser('eve', WRONG),
    clock: [0, 0],
    random: [],
  },
  {
    what: 'consume, refused by the risk hook',
    run: ({ backupCodes, codes }) => backupCodes.consume('ada', codes[0]),
    clock: [0, 0],
    random: [],
    options: { assessRisk: () => 'deny' },
  },
  {
    what: 'consume, with a replacement',
    run: ({ backupCodes, codes }) => backupCodes.consume('ada', codes[0]),
    clock: [0, 0],
    random: [0, 0, 0],
    options: { replaceConsumed: true },
  },
];

const fault = new Error('the source is down');

async function open(
  options: Partial<BackupCodesOptions> = {},
): Promise<Service & { codes: string[]; staged: string }> {
  const service = await openService(memory.open, options);
  const { codes } = await service.backupCodes.issue('ada');
  const { setId: staged } = await service.backupCodes.stage('ada');
  service.received.length = 0;
  return { ...service, codes, staged };
}

/** Expects that nothing was written or delivered, and that only `charged` attempts count. */
async function expectUntouched(
  service: Service & { codes: string[] },
  before: unknown,
  charged: number,
): Promise<void> {
  expect([service.received, await service.written(), await service.charged('ada')]).toEqual([
    [],
    before,
    charged,
  ]);
  expect(await service.backupCodes.status('ada')).toMatchObject({
    remaining: 10,
    lastConsumedAt: null,
  });
}

describe.each<[string, () => number]>([
  [
    'throws',
    () => {
      throw fault;
    },
  ],
  ['returns NaN', () => NaN],
  ['returns a time after the last date', () => 9e15],
  ['returns a time before 1970', () => -1],
])('a clock that %s', (_how, nonsense) => {
  it.each(operations)('A clock fault in $what accepts no code', async ({ run, clock, options }) => {
    for (const [place, charged] of [...clock, null].entries()) {
      let untilFault = Infinity;
      const now = (): number => ((untilFault -= 1) === 0 ? nonsense() : START);
      const service = await open({ ...options, now });
      const before = await service.written();
      untilFault = place + 1;
      if (charged === null) {
        await expect(run(service)).resolves.toBeDefined();
        continue;
      }
      await expect(run(service)).rejects.toThrow(/the source is down|now\(\) must return/);
      await expectUntouched(service, before, charged);
    }
  });
});

describe('a clock that goes back', () => {
  it('A clock that goes back neither ends a wait nor unlocks a channel', async () => {
    const clock = fakeClock();
    const { backupCodes } = await openService(memory.open, {
      now: clock.now,
      attempts: { lockAfter: 6 },
    });
    const { codes } = await backupCodes.issue('ada');
    for (let n = 0; n < 5; n += 1) await backupCodes.consume('ada', WRONG);
    clock.set(START - 1);
    expect(await backupCodes.consume('ada', codes[0])).toEqual({
      ok: false,
      reason: 'throttled',
      retryAfterSeconds: 61,
    });
    clock.set(START + 60 * SECOND_MS);
    expect(await backupCodes.consume('ada', WRONG)).toEqual({ ok: false, reason: 'mismatch' });
    for (const time of [START + 60 * SECOND_MS, START, START - HOUR_MS, 0]) {
      clock.set(time);
      expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'locked' });
    }
  });

  it('A clock that goes back between steps makes no code work twice', async () => {
    let time = START;
    const { backupCodes, received } = await openService(memory.open, {
      now: () => (time -= DAY_MS),
    });
    const { codes } = await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    for (let n = 0; n < 4; n += 1) {
      expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'reused' });
      expect(received.at(-1)).toMatchObject({ reason: 'reused', consumedSecondsAgo: 0 });
    }
  });
});

describe('the random source of the operating system', () => {
  it.each(operations.filter(({ random }) => random.length > 0))(
    'A random source that fails in $what changes nothing',
    async ({ run, random, options }) => {
      for (const [place, charged] of [...random, null].entries()) {
        const service = await open(options);
        const before = await service.written();
        const { randomBytes } = crypto;
        let untilFault = place + 1;
        const spy = jest.spyOn(crypto, 'randomBytes').mockImplementation((size: number) => {
          if ((untilFault -= 1) === 0) throw fault;
          return randomBytes(size);
        });
        try {
          if (charged === null) await expect(run(service)).resolves.toBeDefined();
          else await expect(run(service)).rejects.toBe(fault);
        } finally {
          spy.mockRestore();
        }
        if (charged === null) continue;
        await expectUntouched(service, before, charged);
        expect(await service.backupCodes.consume('ada', service.codes[0])).toMatchObject({
          ok: true,
        });
      }
    },
  );

  it.each<[string, (size: number) => Buffer]>([
    ['returns the same bytes each time', (size) => Buffer.alloc(size, 9)],
    ['returns no bytes', () => Buffer.alloc(0)],
  ])('A random source that %s makes no set', async (_how, broken) => {
    const service = await open();
    const before = await service.written();
    const spy = jest.spyOn(crypto, 'randomBytes').mockImplementation(broken);
    try {
      for (const call of ['issue', 'stage'] as const)
        await expect(service.backupCodes[call]('ada')).rejects.toThrow(
          'The random source does not give random bytes.',
        );
    } finally {
      spy.mockRestore();
    }
    await expectUntouched(service, before, 0);
  });

  it('If no event id can be drawn, no code is accepted', async () => {
    for (const place of [0, 1, 2, 3]) {
      const service = await open();
      const before = await service.written();
      const { randomUUID } = crypto;
      let untilFault = place + 1;
      const spy = jest.spyOn(crypto, 'randomUUID').mockImplementation(() => {
        if ((untilFault -= 1) === 0) throw fault;
        return randomUUID();
      });
      await expect(service.backupCodes.consume('ada', service.codes[0])).rejects.toBe(fault);
      spy.mockRestore();
      await expectUntouched(service, before, 0);
    }
  });
});
