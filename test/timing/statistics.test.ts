import { compare, crop, isTold, quantile, rankZ, spreadOf, welchT } from './statistics';

/** Numbers from 0 to 1 that look random and are always the same (Park and Miller's generator). */
function noise(seed: number, count: number): number[] {
  let state = seed;
  return Array.from(
    { length: count },
    () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647,
  );
}

describe("Welch's t", () => {
  it('is the difference of the means in its standard errors', () => {
    // Means 2 and 5, variances 1 and 4: -3 / sqrt(1/3 + 4/3).
    expect(welchT([1, 2, 3], [3, 5, 7])).toBeCloseTo(-3 / Math.sqrt(5 / 3), 12);
    expect(welchT([3, 5, 7], [1, 2, 3])).toBeCloseTo(3 / Math.sqrt(5 / 3), 12);
  });

  it('is nothing between samples that are the same, and without end between two that never vary', () => {
    expect(welchT([4, 4, 4], [4, 4, 4])).toBe(0);
    expect(welchT([5, 5, 5], [4, 4, 4])).toBe(Infinity);
  });
});

describe('the rank statistic', () => {
  it("is Mann-Whitney's U as a standard score", () => {
    // U = 0 of a mean of 4.5, variance 9 / 12 * 7.
    expect(rankZ([1, 2, 3], [4, 5, 6])).toBeCloseTo(-4.5 / Math.sqrt(5.25), 12);
    expect(rankZ([4, 5, 6], [1, 2, 3])).toBeCloseTo(4.5 / Math.sqrt(5.25), 12);
  });

  it('gives ties their middle rank, and takes them from the variance', () => {
    // Ranks 1, 3, 3 of 1, 3, 3, 3, 5, 6: U = 1; variance 9 / 12 * (7 - 24 / 30).
    expect(rankZ([1, 2, 2], [2, 3, 4])).toBeCloseTo(-3.5 / Math.sqrt(4.65), 12);
    expect(rankZ([1, 1], [1, 1])).toBe(0);
  });
});

describe('cropping', () => {
  it('leaves what is at or below one threshold for both', () => {
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

describe('the comparison', () => {
  const quick = noise(1, 1000);
  const alike = noise(2, 1000);
  const slower = noise(3, 1000).map((time) => time + 0.1);
  const disturbed = (times: readonly number[]): number[] =>
    times.map((time, index) => (index % 50 === 0 ? time + 1000 * (1 + (index % 7)) : time));

  it('does not tell apart what is of one distribution', () => {
    expect(isTold(compare(quick, alike))).toBe(false);
    expect(isTold(compare(disturbed(quick), disturbed(alike)))).toBe(false);
  });

  it('tells apart what is slower by a tenth, and says by how much and which', () => {
    const { t, z, difference } = compare(slower, quick);
    expect([t > 4.5, z > 4.5]).toEqual([true, true]);
    expect(difference).toBeCloseTo(0.1, 1);
    const reversed = compare(quick, slower);
    expect([reversed.t, reversed.z, reversed.difference]).toEqual([
      -t,
      expect.closeTo(-z, 9),
      -difference,
    ]);
  });

  it('tells them apart through disturbances that drown the mean of all', () => {
    expect(Math.abs(welchT(disturbed(slower), disturbed(quick)))).toBeLessThan(1);
    const { t, z } = compare(disturbed(slower), disturbed(quick));
    expect([t > 4.5, z > 4.5]).toEqual([true, true]);
  });

  it('needs but one of its two statistics', () => {
    expect([
      isTold({ t: 4.6, z: 0, difference: 1 }),
      isTold({ t: 0, z: -4.6, difference: 1 }),
      isTold({ t: -4.5, z: 4.5, difference: 1 }),
    ]).toEqual([true, true, false]);
  });
});

describe('quantile and spread', () => {
  it('are of the samples in order, and no disturbance changes them', () => {
    expect([quantile([3, 1, 2], 0), quantile([3, 1, 2], 0.5), quantile([3, 1, 2], 1)]).toEqual([
      1, 2, 3,
    ]);
    const times = Array.from({ length: 101 }, (_, index) => index);
    expect(spreadOf(times)).toBe(50 - 15);
    expect(spreadOf([...times.slice(0, 60), ...Array<number>(41).fill(1e9)])).toBe(50 - 15);
  });

  it('give the standard deviation of a normal distribution', () => {
    // Twelve numbers from 0 to 1 add up to a normal one, of deviation 1.
    const draws = noise(4, 12 * 2000);
    const normal = Array.from({ length: 2000 }, (_, index) =>
      draws.slice(12 * index, 12 * index + 12).reduce((sum, draw) => sum + draw, 0),
    );
    expect(Math.abs(spreadOf(normal) - 1)).toBeLessThan(0.1);
  });
});
