// Samples of several cases, taken in turns, so that whatever else the machine does meets all of them alike.
import { quantile } from '../test/timing/statistics';
import type { Row } from './table';

/** How long a run may take: a look whether all is well, or figures that are worth a table. */
export type Effort = 'quick' | 'full';

export interface Case {
  readonly name: string;
  /** Makes one call ready, which is not timed. */
  readonly prepare: () => Promise<() => Promise<unknown>>;
  /** Samples of a round; default 1. */
  readonly perRound?: number;
  /** Sampled in each so-manieth round; default each. */
  readonly everyRounds?: number;
  /** The name of the case that its ratio is to. */
  readonly beside?: string;
}

export type Samples = ReadonlyMap<string, readonly number[]>;

/** A case that needs nothing made ready. */
export function plain(name: string, run: () => Promise<unknown>): Case {
  return { name, prepare: () => Promise.resolve(run) };
}

/** Milliseconds, by name. The order is turned by one place each round; the first round is thrown away. */
export async function sample<C extends Case>(
  cases: readonly C[],
  {
    rounds,
    stopwatch = timesOf,
  }: { rounds: number; stopwatch?: (one: C) => Promise<readonly number[]> },
): Promise<Samples> {
  const samples = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    const due = cases.filter(
      ({ everyRounds = 1 }) => round === 0 || (round - 1) % everyRounds === 0,
    );
    const first = round % due.length;
    for (const one of [...due.slice(first), ...due.slice(0, first)]) {
      const times = await stopwatch(one);
      if (round > 0) samples.get(one.name)?.push(...times);
    }
  }
  return samples;
}

async function timesOf({ name, prepare, perRound = 1 }: Case): Promise<readonly number[]> {
  // An ES module, which Jest cannot load on every Node.
  const { Bench } = await import('tinybench');
  let run: () => Promise<unknown>;
  const bench = new Bench({ iterations: perRound, time: 0, warmup: false, retainSamples: true });
  const beforeEach = async (): Promise<void> => {
    run = await prepare();
  };
  bench.add(name, () => run(), { async: true, beforeEach });
  const [task] = await bench.run();
  if (task?.result === undefined || !('latency' in task.result)) {
    throw new Error(`The case "${name}" did not run to its end.`, {
      cause: task && 'error' in task.result ? task.result.error : undefined,
    });
  }
  return task.result.latency.samples ?? [];
}

/** Median, the middle half of all samples, and the ratio of the medians. */
export function rowsOf(cases: readonly Pick<Case, 'name' | 'beside'>[], samples: Samples): Row[] {
  return cases.map(({ name, beside }) => {
    const times = samples.get(name) ?? [];
    const spread = {
      'median ms': quantile(times, 0.5),
      '25 %': quantile(times, 0.25),
      '75 %': quantile(times, 0.75),
    };
    return {
      name,
      figures: {
        ...spread,
        samples: times.length,
        ...(beside !== undefined && { ratio: ratio(samples, [name, beside]), to: beside }),
      },
    };
  });
}

/** Of the medians of two cases. */
export function ratio(samples: Samples, [name, base]: readonly [string, string]): number {
  return median(samples, name) / median(samples, base);
}

export function median(samples: Samples, name: string): number {
  return quantile(samples.get(name) ?? [], 0.5);
}
