// Takes samples of several cases in turn, so that other work on the machine slows all of them
// equally.
import { quantile } from '../test/timing/statistics';
import type { Row } from './table';

/** `quick`: a few samples, to see that every suite runs. `full`: samples that are worth a table. */
export type Effort = 'quick' | 'full';

export interface Case {
  readonly name: string;
  /** Prepares one call and returns it. Only the call is timed. */
  readonly prepare: () => Promise<() => Promise<unknown>>;
  /**
   * The number of samples in each round.
   *
   * @default 1
   */
  readonly perRound?: number;
  /**
   * The case is in every n-th round only.
   *
   * @default 1
   */
  readonly everyRounds?: number;
  /** The name of the case that the ratio compares this one with. */
  readonly beside?: string;
}

/** Milliseconds, by the name of the case. */
export type Samples = ReadonlyMap<string, readonly number[]>;

export interface SampleOptions<C extends Case> {
  readonly rounds: number;
  /** Measures one case for one round, in milliseconds. Tests give their own. */
  readonly stopwatch?: (measured: C) => Promise<readonly number[]>;
}

/** A case that needs no preparation. */
export function plainCase(name: string, run: () => Promise<unknown>): Case {
  return { name, prepare: () => Promise.resolve(run) };
}

/** Each round starts with the next case. The first round warms up and is dropped. */
export async function sample<C extends Case>(
  cases: readonly C[],
  { rounds, stopwatch = measureCase }: SampleOptions<C>,
): Promise<Samples> {
  const samples = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    const due = cases.filter(
      ({ everyRounds = 1 }) => round === 0 || (round - 1) % everyRounds === 0,
    );
    const first = round % due.length;
    for (const measured of [...due.slice(first), ...due.slice(0, first)]) {
      const times = await stopwatch(measured);
      if (round > 0) samples.get(measured.name)?.push(...times);
    }
  }
  return samples;
}

async function measureCase({ name, prepare, perRound = 1 }: Case): Promise<readonly number[]> {
  // Imported here because it is an ES module, which Jest cannot load on every version of Node.
  const { Bench } = await import('tinybench');
  let run: () => Promise<unknown>;
  const bench = new Bench({ iterations: perRound, time: 0, warmup: false, retainSamples: true });
  const beforeEach = async (): Promise<void> => {
    run = await prepare();
  };
  bench.add(name, () => run(), { async: true, beforeEach });
  const [task] = await bench.run();
  if (task?.result === undefined || !('latency' in task.result)) {
    throw new Error(`The case "${name}" failed.`, {
      cause: task && 'error' in task.result ? task.result.error : undefined,
    });
  }
  return task.result.latency.samples ?? [];
}

/** For each case: the median, the quartiles and, if it is compared, the ratio of the medians. */
export function rowsOf(cases: readonly Pick<Case, 'name' | 'beside'>[], samples: Samples): Row[] {
  return cases.map(({ name, beside }) => {
    const times = samples.get(name) ?? [];
    return {
      name,
      figures: {
        'median ms': quantile(times, 0.5),
        '25 %': quantile(times, 0.25),
        '75 %': quantile(times, 0.75),
        samples: times.length,
        ...(beside !== undefined && { ratio: medianRatio(samples, [name, beside]), to: beside }),
      },
    };
  });
}

/** The median of the first case divided by the median of the second. */
export function medianRatio(
  samples: Samples,
  [name, base]: readonly [name: string, base: string],
): number {
  return median(samples, name) / median(samples, base);
}

/** `NaN` if the case has no samples. */
export function median(samples: Samples, name: string): number {
  return quantile(samples.get(name) ?? [], 0.5);
}
