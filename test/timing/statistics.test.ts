import { compare, crop, isDistinguishable, quantile, rankZ, spreadOf, welchT } from './statistics';

/** Numbers from 0 to 1 that look random and are always the same (Park and Miller, 1988). */
function noise(seed: number, count: number): number[] {
  let state = seed;
  return Array.from(
    { length: count },
    () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647,
  );
}

describe("Welch's t", () => {
  it("Welch's t is the difference of the means in units of its standard error", () => {
    // Means 2 and 5, variances 1 and 4: -3 / sqrt(1/3 + 4/3).
    expect(welchT([1, 2, 3], [3, 5, 7])).toBeCloseTo(-3 / Math.sqrt(5 / 3), 12);
    expect(welchT([3, 5, 7], [1, 2, 3])).toBeCloseTo(3 / Math.sqrt(5 / 3), 12);
  });

  it("Welch's t is 0 for equal samples, and infinite if different samples do not vary", () => {
    expect(welchT([4, 4, 4], [4, 4, 4])).toBe(0);
    expect(welchT([5, 5, 5], [4, 4, 4])).toBe(Infinity);
  });
});

describe('the rank statistic', () => {
  it("The rank statistic is Mann-Whitney's U as a standard score", () => {
    // U is 0, its mean is 4.5 and its variance is 9 / 12 * 7.
    expect(rankZ([1, 2, 3], [4, 5, 6])).toBeCloseTo(-4.5 / Math.sqrt(5.25), 12);
    expect(rankZ([4, 5, 6], [1, 2, 3])).toBeCloseTo(4.5 / Math.sqrt(5.25), 12);
  });

  it('The rank statistic gives ties their middle rank and reduces the variance', () => {
    // The ranks are 1, 3, 3 of 1, 3, 3, 3, 5, 6. U is 1 and the variance is 9 / 12 * (7 - 24 / 30).
    expect(rankZ([1, 2, 2], [2, 3, 4])).toBeCloseTo(-3.5 / Math.sqrt(4.65), 12);
    expect(rankZ([1, 1], [1, 1])).toBe(0);
  });
});

describe('a crop of two samples', () => {
  it('A crop of two samples has the times up to one threshold for both', () => {
    expect(
      crop(
        [
          [1, 2, 90],
          [3, 4, 95],
        ],
        0.7,
      ),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(
      crop(
        [
          [1, 2, 90],
          [3, 4, 95],
        ],
        1,
      ),
    ).toEqual([
      [1, 2, 90],
      [3, 4, 95],
    ]);
  });
});

describe('the comparison of two samples', () => {
  const fast = noise(1, 1000);
  const similar = noise(2, 1000);
  const slower = noise(3, 1000).map((time) => time + 0.1);
  const disturbed = (times: readonly number[]): number[] =>
    times.map((time, index) => (index % 50 === 0 ? time + 1000 * (1 + (index % 7)) : time));

  it('The comparison does not distinguish samples of one distribution', () => {
    expect(isDistinguishable(compare(fast, similar))).toBe(false);
    expect(isDistinguishable(compare(disturbed(fast), disturbed(similar)))).toBe(false);
  });

  it('The comparison distinguishes a slower sample, and gives the difference', () => {
    const { t, z, difference } = compare(slower, fast);
    expect([t > 4.5, z > 4.5]).toEqual([true, true]);
    expect(difference).toBeCloseTo(0.1, 1);
    const reversed = compare(fast, slower);
    expect([reversed.t, reversed.z, reversed.difference]).toEqual([
      -t,
      expect.closeTo(-z, 9),
      -difference,
    ]);
  });

  it('The comparison sees through disturbances that hide the difference of the means', () => {
    expect(Math.abs(welchT(disturbed(slower), disturbed(fast)))).toBeLessThan(1);
    const { t, z } = compare(disturbed(slower), disturbed(fast));
    expect([t > 4.5, z > 4.5]).toEqual([true, true]);
  });

  it('The comparison needs only one of its two statistics', () => {
    expect([
      isDistinguishable({ t: 4.6, z: 0, difference: 1 }),
      isDistinguishable({ t: 0, z: -4.6, difference: 1 }),
      isDistinguishable({ t: -4.5, z: 4.5, difference: 1 }),
    ]).toEqual([true, true, false]);
  });
});

describe('quantile and spread', () => {
  it('Quantile and spread do not change with the slowest samples', () => {
    expect([quantile([3, 1, 2], 0), quantile([3, 1, 2], 0.5), quantile([3, 1, 2], 1)]).toEqual([
      1, 2, 3,
    ]);
    const times = Array.from({ length: 101 }, (_, index) => index);
    expect(spreadOf(times)).toBe(50 - 15);
    expect(spreadOf([...times.slice(0, 60), ...Array<number>(41).fill(1e9)])).toBe(50 - 15);
  });

  it('Quantile and spread give the standard deviation of a normal distribution', () => {
    // The sum of twelve numbers from 0 to 1 is nearly normal, with a standard deviation of 1.
    const draws = noise(4, 12 * 2000);
    const normal = Array.from({ length: 2000 }, (_, index) =>
      draws.slice(12 * index, 12 * index + 12).reduce((sum, draw) => sum + draw, 0),
    );
    expect(Math.abs(spreadOf(normal) - 1)).toBeLessThan(0.1);
  });
});
