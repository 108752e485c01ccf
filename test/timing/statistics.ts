// Whether two samples of response times differ: Welch's t on all samples and without the slowest
// ones, and a rank statistic.
//
// The slowest samples come from the machine (garbage collection, other processes) and hide a small
// difference. How many these are is not known. So t is computed at several crops, as in dudect
// (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", 2017).

/** The shares of both samples together, from the fastest on, that a comparison looks at. */
export const CROPS = [1, 0.99, 0.95, 0.9, 0.75] as const;

/**
 * The bound of dudect and of TVLA (ISO/IEC 17825). Two samples of one distribution exceed it in one
 * of 150,000 comparisons.
 */
export const BOUND = 4.5;

export interface Comparison {
  /** The t of the largest magnitude over all crops. If positive, the first sample is slower. */
  readonly t: number;
  /** Mann-Whitney's U as a standard score, with the same sign as t. */
  readonly z: number;
  /** The difference of the medians, in the unit of the samples. */
  readonly difference: number;
}

export function compare(a: readonly number[], b: readonly number[]): Comparison {
  const all = CROPS.map((share) => welchT(...crop([a, b], share)));
  const t = all.reduce((largest, candidate) =>
    Math.abs(candidate) > Math.abs(largest) ? candidate : largest,
  );
  return { t, z: rankZ(a, b), difference: quantile(a, 0.5) - quantile(b, 0.5) };
}

/** Whether an attacker can tell the two samples apart. One of the two statistics is enough. */
export function isDistinguishable({ t, z }: Comparison): boolean {
  return Math.abs(t) > BOUND || Math.abs(z) > BOUND;
}

/**
 * Welch's t: the difference of the means in units of its standard error. Infinite if the means
 * differ and no sample varies.
 */
export function welchT(a: readonly number[], b: readonly number[]): number {
  const difference = mean(a) - mean(b);
  return difference === 0
    ? 0
    : difference / Math.sqrt(variance(a) / a.length + variance(b) / b.length);
}

/** Both samples up to one threshold, which is chosen so that this share of all samples is left. */
export function crop(
  [a, b]: readonly [readonly number[], readonly number[]],
  share: number,
): [number[], number[]] {
  const threshold = quantile([...a, ...b], share);
  return [a.filter((time) => time <= threshold), b.filter((time) => time <= threshold)];
}

/**
 * Mann-Whitney's U as a standard score. Ties have their middle rank (Lehmann, "Nonparametrics",
 * section 1.4).
 */
export function rankZ(a: readonly number[], b: readonly number[]): number {
  const sorted = [...a, ...b].sort((x, y) => x - y);
  const ranks = new Map<number, number>();
  let tieCorrection = 0;
  for (let from = 0; from < sorted.length;) {
    let to = from + 1;
    while (sorted[to] === sorted[from]) to += 1;
    ranks.set(sorted[from] ?? NaN, (from + 1 + to) / 2);
    tieCorrection += (to - from) ** 3 - (to - from);
    from = to;
  }
  const size = sorted.length;
  const rankSum = a.reduce((sum, time) => sum + (ranks.get(time) ?? NaN), 0);
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const ties = tieCorrection / (size * (size - 1));
  const spread = Math.sqrt(((a.length * b.length) / 12) * (size + 1 - ties));
  return spread === 0 ? 0 : (u - (a.length * b.length) / 2) / spread;
}

/**
 * The standard deviation, estimated from the faster half. For a normal distribution this is the
 * same. The machine only slows samples down, and an attacker drops the slow ones (Crosby, Wallach,
 * Riedi: "Opportunities and Limits of Remote Timing Attacks", 2009).
 */
export function spreadOf(times: readonly number[]): number {
  return quantile(times, 0.5) - quantile(times, 0.1587);
}

export function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((x, y) => x - y);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;
}

function mean(times: readonly number[]): number {
  return times.reduce((sum, time) => sum + time, 0) / times.length;
}

function variance(times: readonly number[]): number {
  const average = mean(times);
  return times.reduce((sum, time) => sum + (time - average) ** 2, 0) / (times.length - 1);
}
