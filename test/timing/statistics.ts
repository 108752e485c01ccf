// Whether two samples of times differ: Welch's t on the whole and without the slowest, and a rank statistic. Measures nothing.
//
// The slowest few samples are the machine's (collections, other processes) and drown a small difference; how many they are is
// not known, so t is taken at several crops, as dudect does (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", 2017).

/** How much of both samples together, from the quickest on, is looked at. */
export const CROPS = [1, 0.99, 0.95, 0.9, 0.75] as const;

/** The bound of dudect and of TVLA (ISO/IEC 17825): chance alone exceeds it in one of 150 000 comparisons. */
export const BOUND = 4.5;

export interface Comparison {
  /** The t of largest magnitude over all crops; positive: the first sample is slower. */
  readonly t: number;
  /** Mann-Whitney's U as a standard score, of the same sign. */
  readonly z: number;
  /** Of the medians, in the unit of the samples. */
  readonly difference: number;
}

export function compare(a: readonly number[], b: readonly number[]): Comparison {
  const all = CROPS.map((share) => welchT(...crop([a, b], share)));
  const t = all.reduce((largest, candidate) =>
    Math.abs(candidate) > Math.abs(largest) ? candidate : largest,
  );
  return { t, z: rankZ(a, b), difference: quantile(a, 0.5) - quantile(b, 0.5) };
}

export function isTold({ t, z }: Comparison): boolean {
  return Math.abs(t) > BOUND || Math.abs(z) > BOUND;
}

/** Welch's t: means that differ by so many of their standard errors. Infinite where neither sample varies and they differ. */
export function welchT(a: readonly number[], b: readonly number[]): number {
  const difference = mean(a) - mean(b);
  return difference === 0
    ? 0
    : difference / Math.sqrt(variance(a) / a.length + variance(b) / b.length);
}

/** What lies at or below one threshold for both, which leaves that share of all. */
export function crop(
  [a, b]: readonly [readonly number[], readonly number[]],
  share: number,
): [number[], number[]] {
  const threshold = quantile([...a, ...b], share);
  return [a.filter((time) => time <= threshold), b.filter((time) => time <= threshold)];
}

/** Mann-Whitney's U as a standard score, ties at their middle rank (Lehmann, "Nonparametrics", section 1.4). */
export function rankZ(a: readonly number[], b: readonly number[]): number {
  const sorted = [...a, ...b].sort((x, y) => x - y);
  const ranks = new Map<number, number>();
  let tied = 0;
  for (let from = 0; from < sorted.length;) {
    let to = from + 1;
    while (sorted[to] === sorted[from]) to += 1;
    ranks.set(sorted[from] ?? NaN, (from + 1 + to) / 2);
    tied += (to - from) ** 3 - (to - from);
    from = to;
  }
  const size = sorted.length;
  const u =
    a.reduce((sum, time) => sum + (ranks.get(time) ?? NaN), 0) - (a.length * (a.length + 1)) / 2;
  const spread = Math.sqrt(((a.length * b.length) / 12) * (size + 1 - tied / (size * (size - 1))));
  return spread === 0 ? 0 : (u - (a.length * b.length) / 2) / spread;
}

/**
 * The standard deviation as the quicker half tells it: of a normal distribution it is the same. The machine's disturbances
 * only ever slow down, and an attacker leaves them out (Crosby, Wallach, Riedi: "Opportunities and Limits of Remote Timing Attacks", 2009).
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
  const middle = mean(times);
  return times.reduce((sum, time) => sum + (time - middle) ** 2, 0) / (times.length - 1);
}
