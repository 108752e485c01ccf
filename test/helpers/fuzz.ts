// Fuzz tests draw from a fixed seed, so that a run can be repeated. FUZZ_SEED and FUZZ_RUNS change
// that.
import type { Parameters } from 'fast-check';

const { FUZZ_SEED, FUZZ_RUNS } = process.env;

/** Part of the test names, and so of the report. */
export const SEED = Number(FUZZ_SEED ?? 20261121);

/** The second argument of `fc.assert`. FUZZ_RUNS overrides the number of runs. */
export function fuzz<T>(numRuns: number): Parameters<T> {
  return { seed: SEED, numRuns: Number(FUZZ_RUNS ?? numRuns) };
}
