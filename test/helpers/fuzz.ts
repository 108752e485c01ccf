// How fuzz tests draw: from a fixed seed, so that CI says the same twice. FUZZ_SEED and FUZZ_RUNS search further.
import type { Parameters } from 'fast-check';

const { FUZZ_SEED, FUZZ_RUNS } = process.env;

/** Stands in the titles of the tests, and so in the report. */
export const SEED = Number(FUZZ_SEED ?? 20261121);

/** The second argument of `fc.assert`. FUZZ_RUNS takes the place of the number that a test asks for. */
export function fuzz<T>(numRuns: number): Parameters<T> {
  return { seed: SEED, numRuns: Number(FUZZ_RUNS ?? numRuns) };
}
