import type { Outcome, Risk, RiskAttempt } from '../../lib';
import { START } from '../helpers/clock';
import {
  openServiceForBoth as openService,
  WRONG_ON_BOTH as WRONG,
  type Service,
} from '../helpers/service';
import { onEachStore } from '../helpers/stores';
import { storeFault } from '../helpers/watched-store';

const context = {
  ip: '192.0.2.1',
  userAgent: 'Firefox',
  requestId: 'r-1',
  channel: 'recovery',
} as const;

const kinds: readonly {
  kind: string;
  userId: string | null;
  attempt: (service: Service, code: unknown) => Promise<Outcome>;
}[] = [
  {
    kind: 'a user with a set',
    userId: 'ada',
    attempt: ({ backupCodes }, code) => backupCodes.consume('ada', code, context),
  },
  {
    kind: 'a user without a set',
    userId: 'bob',
    attempt: ({ backupCodes }, code) => backupCodes.consume('bob', code, context),
  },
  {
    kind: 'an unknown user name',
    userId: null,
    attempt: ({ backupCodes }, code) => backupCodes.rejectUnknownUser('eve', code, context),
  },
];

let warn: jest.SpyInstance;
beforeEach(() => {
  warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});
afterEach(() => warn.mockRestore());

onEachStore('the risk hook', (open) => {
  const hook = jest.fn<Risk | Promise<Risk>, [RiskAttempt]>();
  beforeEach(() => hook.mockReset());

  async function withSet(): Promise<Service & { codes: string[] }> {
    const service = await openService(open, { assessRisk: hook });
    const { codes } = await service.backupCodes.issue('ada');
    service.hasher.count = 0;
    return { ...service, codes };
  }

  describe.each(kinds)('for $kind', ({ userId, attempt }) => {
    it('The risk hook is called before any hash, with user, attempt and origin', async () => {
      const service = await withSet();
      hook.mockImplementation(() => {
        expect(service.hasher.count).toBe(hook.mock.calls.length - 1);
        return 'allow';
      });
      for (let n = 0; n < 2; n += 1) await attempt(service, WRONG);
      expect(hook.mock.calls).toEqual(
        [1, 2].map((n) => [{ userId, attempt: n, context: { ...context, actor: null } }]),
      );
      expect(service.hasher.count).toBe(2);
    });

    it.each([
      ['deny', 'denied', 'rejected'],
      ['step_up', 'step_up', 'step_up_required'],
    ] as const)(
      'The decision %s refuses with %s: no hash, no charged attempt, one event a day',
      async (answer, reason, type) => {
        const service = await withSet();
        hook.mockReturnValue(answer);
        for (let n = 0; n < 20; n += 1)
          expect(await attempt(service, service.codes[0])).toEqual({ ok: false, reason });
        expect(service.hasher.count).toBe(0);
        expect(hook.mock.calls.map(([asked]) => asked.attempt)).toEqual(Array(20).fill(1));
        expect(service.received.slice(1)).toHaveLength(1);
        const [, written, ...others] = await service.written();
        expect([written, others]).toEqual([{ ...service.received[1], refusals: 20 }, []]);
        expect(service.received[1]).toMatchObject({
          type,
          reason,
          at: START,
          userId,
          setId: null,
          codeId: null,
          context,
        });
      },
    );
  });

  it('The decision `allow` changes nothing', async () => {
    const { backupCodes, codes, watched } = await withSet();
    hook.mockReturnValue('allow');
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
    expect(watched.calls).toEqual(['replace', 'takeAttempt', 'consume']);
  });

  it('A valid code that was denied stays unconsumed', async () => {
    const { backupCodes, codes } = await withSet();
    hook.mockReturnValueOnce('deny').mockReturnValueOnce('step_up').mockReturnValueOnce('allow');
    for (let n = 0; n < 2; n += 1)
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: false });
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no connection');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no connection'))],
    ['returns true', () => true],
    ['returns undefined', () => undefined],
  ])('A risk hook that %s denies without charging the attempt', async (_how, answer) => {
    const { backupCodes, codes, charged, hasher } = await withSet();
    hook.mockImplementation(answer as () => Risk);
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'denied' });
    expect([hasher.count, await charged('ada')]).toEqual([0, 0]);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('The risk hook is not called for a throttled attempt', async () => {
    const { backupCodes } = await withSet();
    hook.mockReturnValue('allow');
    for (let n = 0; n < 8; n += 1) await backupCodes.consume('ada', WRONG);
    expect(hook).toHaveBeenCalledTimes(5);
  });

  it('A denial that cannot be recorded is an error, and the attempt is given back', async () => {
    const { backupCodes, codes, watched, charged } = await withSet();
    hook.mockReturnValue('deny');
    watched.failAt(3, 'before');
    await expect(backupCodes.consume('ada', codes[0])).rejects.toBe(storeFault);
    expect(watched.calls.slice(-3)).toEqual(['takeAttempt', 'giveBack', 'count']);
    expect(await charged('ada')).toBe(0);
  });

  it('A risk hook that does not answer within five seconds denies', async () => {
    const { backupCodes, codes, charged } = await withSet();
    hook.mockReturnValue(new Promise(() => undefined));
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const outcome = backupCodes.consume('ada', codes[0]);
    while (jest.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve));
    jest.advanceTimersByTime(5000);
    jest.useRealTimers();
    expect(await outcome).toEqual({ ok: false, reason: 'denied' });
    expect(await charged('ada')).toBe(0);
  });
});
