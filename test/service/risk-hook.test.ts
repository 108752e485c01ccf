import type { BackupCodesOptions, RiskAttempt } from '../../lib';
import { assess } from '../../lib/service/risk';

type Hook = NonNullable<BackupCodesOptions['assessRisk']>;

const attempt: RiskAttempt = {
  userId: 'ada',
  attempt: 1,
  context: {
    ip: '192.0.2.1',
    userAgent: null,
    requestId: null,
    actor: null,
    channel: 'second_factor',
  },
};

let warn: jest.SpyInstance;
beforeEach(() => {
  warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});
afterEach(() => warn.mockRestore());

describe('the risk hook', () => {
  it.each(['allow', 'step_up', 'deny'] as const)(
    'The decision %s of the risk hook is followed, as a value or a promise',
    async (answer) => {
      expect(await assess(() => answer, attempt)).toBe(answer);
      expect(await assess(() => Promise.resolve(answer), attempt)).toBe(answer);
      expect(warn).not.toHaveBeenCalled();
    },
  );

  it.each<[string, Hook]>([
    [
      'throws',
      () => {
        throw new Error('no connection');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no connection'))],
  ])('A risk hook that %s denies the attempt and causes a warning', async (_how, hook) => {
    expect(await assess(hook, attempt)).toBe('deny');
    expect(warn).toHaveBeenCalledWith(
      'assessRisk failed, so the attempt is denied: no connection',
      { code: 'BACKUP_CODE_RISK' },
    );
  });

  it.each([true, undefined, null, 'ALLOW', 'allow ', '', 1, {}, ['allow'], new Boolean(true)])(
    'A risk hook that returns %p denies the attempt',
    async (answer) => {
      expect(await assess((() => answer) as unknown as Hook, attempt)).toBe('deny');
      expect(await assess((async () => answer) as unknown as Hook, attempt)).toBe('deny');
      expect(warn.mock.calls).toEqual(
        Array(2).fill([
          "assessRisk failed, so the attempt is denied: it must return 'allow', 'step_up' or 'deny'",
          { code: 'BACKUP_CODE_RISK' },
        ]),
      );
    },
  );

  it('A risk hook that rejects without an error denies the attempt', async () => {
    expect(await assess(() => Promise.reject(undefined as unknown as Error), attempt)).toBe('deny');
    expect(warn).toHaveBeenCalledWith(
      'assessRisk failed, so the attempt is denied: it threw something that is not an Error',
      {
        code: 'BACKUP_CODE_RISK',
      },
    );
  });

  describe('within five seconds', () => {
    beforeEach(() => jest.useFakeTimers());
    afterEach(() => jest.useRealTimers());

    it('The risk hook has five seconds to answer', async () => {
      const late =
        (milliseconds: number): Hook =>
        () =>
          new Promise((resolve) => setTimeout(() => resolve('allow'), milliseconds));
      const [inTime, tooLate, never] = [
        assess(late(4999), attempt),
        assess(late(5001), attempt),
        assess(() => new Promise(() => undefined), attempt),
      ];
      await jest.advanceTimersByTimeAsync(5000);
      expect(await Promise.all([inTime, tooLate, never])).toEqual(['allow', 'deny', 'deny']);
      expect(warn.mock.calls).toEqual(
        Array(2).fill([
          'assessRisk failed, so the attempt is denied: it did not answer within 5 seconds',
          { code: 'BACKUP_CODE_RISK' },
        ]),
      );
    });

    it('A risk hook that fails after its time limit has no effect', async () => {
      const denied = assess(
        () => new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 6000)),
        attempt,
      );
      await jest.advanceTimersByTimeAsync(10_000);
      expect(await denied).toBe('deny');
    });

    it('An answer of the risk hook clears its timer', async () => {
      await assess(() => 'allow', attempt);
      await assess(() => Promise.reject(new Error('no')), attempt);
      expect(jest.getTimerCount()).toBe(0);
    });
  });
});
