import fc from 'fast-check';
import { attemptWaits } from '../../lib/service/back-off';
import { failure } from '../helpers/errors';

const MINUTE_MS = 60_000;

describe('the waits after attempts', () => {
  it('By default waits start after four attempts and double up to an hour', () => {
    const { second_factor: waits, recovery } = attemptWaits();
    expect(waits).toHaveLength(50);
    expect(recovery).toEqual(waits.slice(0, 11));
    expect(waits.slice(0, 12)).toEqual(
      [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60].map((minutes) => minutes * MINUTE_MS),
    );
    expect(new Set(waits.slice(10))).toEqual(new Set([60 * MINUTE_MS]));
  });

  it('Waits can start after the first attempt', () => {
    expect(
      attemptWaits({ free: 1, firstDelaySeconds: 30, maxDelaySeconds: 100, lockAfter: 4 }),
    ).toEqual({
      second_factor: [30_000, 60_000, 100_000, 100_000],
      recovery: [30_000, 60_000, 100_000],
    });
  });

  it('A channel can lock before the first wait', () => {
    expect(attemptWaits({ free: 5, lockAfter: 2 }).second_factor).toEqual([0, 0]);
  });

  it('All waits can be equally long', () => {
    expect(
      attemptWaits({ free: 2, firstDelaySeconds: 600, maxDelaySeconds: 600, lockAfter: 4 }),
    ).toEqual({
      second_factor: [0, 600_000, 600_000, 600_000],
      recovery: [0, 600_000],
    });
  });

  it('Waits never get shorter, and are 0 or from 30 seconds to an hour', () => {
    const options = fc.record({
      free: fc.integer({ min: 1, max: 50 }),
      firstDelaySeconds: fc.integer({ min: 30, max: 3600 }),
      maxDelaySeconds: fc.integer({ min: 30, max: 3600 }),
      lockAfter: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(options, (given) => {
        fc.pre(given.firstDelaySeconds <= given.maxDelaySeconds);
        const { second_factor: secondFactor, recovery: waits } = attemptWaits(given);
        expect(secondFactor).toHaveLength(given.lockAfter);
        // On recovery the last wait is repeated, and no wait comes sooner or later.
        const repeated = secondFactor.map((_, n) => waits[Math.min(n, waits.length - 1)]);
        expect(repeated).toEqual(secondFactor);
        expect(waits.at(-1)).toBe(given.maxDelaySeconds * 1000);
        expect(waits.every((wait, index) => index === 0 || wait >= (waits[index - 1] ?? 0))).toBe(
          true,
        );
        expect(waits.slice(0, given.free - 1).every((wait) => wait === 0)).toBe(true);
        expect(
          waits
            .slice(given.free - 1)
            .every((wait) => Number.isSafeInteger(wait) && wait >= 30_000 && wait <= 3_600_000),
        ).toBe(true);
      }),
    );
  });

  it.each([
    [{ free: 0 }, 'attempts.free must be a whole number from 1 to 50, but was 0.'],
    [{ free: 51 }, 'attempts.free'],
    [{ free: 1.5 }, 'attempts.free'],
    [{ free: null }, 'attempts.free'],
    [
      { firstDelaySeconds: 29 },
      'attempts.firstDelaySeconds must be a whole number from 30 to 3600, but was 29.',
    ],
    [{ firstDelaySeconds: 3601 }, 'attempts.firstDelaySeconds'],
    [
      { maxDelaySeconds: 29 },
      'attempts.maxDelaySeconds must be a whole number from 30 to 3600, but was 29.',
    ],
    [{ maxDelaySeconds: 3601 }, 'attempts.maxDelaySeconds'],
    [{ lockAfter: 0 }, 'attempts.lockAfter must be a whole number from 1 to 50, but was 0.'],
    [{ lockAfter: 51 }, 'attempts.lockAfter'],
    [{ lockAfter: Infinity }, 'attempts.lockAfter'],
    [
      { firstDelaySeconds: 600, maxDelaySeconds: 599 },
      'attempts.maxDelaySeconds (599) must not be less than attempts.firstDelaySeconds (600).',
    ],
    [{ freeAttempts: 5 }, 'attempts has no option "freeAttempts". Did you mean "free"?'],
    [[5], 'attempts takes an options object'],
  ])('The options %j are refused, and the message names the option', (options, message) => {
    const make = (): unknown => attemptWaits(options as never);
    expect(make).toThrow(failure('invalid_option'));
    expect(make).toThrow(message);
  });
});
