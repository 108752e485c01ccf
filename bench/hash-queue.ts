// What the hash queue adds to a call, beside the same call without it. Nothing is hashed.
import { quantile } from '../test/timing/statistics';
import { runInHashQueue, type HashRequest } from '../lib/codes/hash-queue';
import { plainCase, sample, type Effort } from './sampling';
import type { Table } from './table';

const MAX_MICROSECONDS = 10;
const ROUNDS = { quick: 5, full: 200 } as const;
const CALLS_PER_SAMPLE = 129;
const LIMITS = { concurrency: 2, maxQueued: 128 } as const;

const WITHOUT_QUEUE = 'without the queue';
const ONE_AT_A_TIME = 'one caller at a time';
const IN_A_FLOOD = 'one caller at a time, 128 recovery logins wait';
const ALL_AT_ONCE = '128 callers wait';

export async function* hashQueue(effort: Effort): AsyncGenerator<Table> {
  const work = async (): Promise<void> => {};
  const cases = [
    plainCase(WITHOUT_QUEUE, () => inTurn(work)),
    plainCase(ONE_AT_A_TIME, () => inTurn((n) => runInHashQueue(callerOf(n), work))),
    plainCase(IN_A_FLOOD, () => inTurn((n) => runInHashQueue(callerOf(n), work))),
    plainCase(ALL_AT_ONCE, () =>
      Promise.all(
        Array.from({ length: CALLS_PER_SAMPLE }, (_, n) => runInHashQueue(callerOf(n), work)),
      ),
    ),
  ];
  const samples = await sample(cases, {
    rounds: ROUNDS[effort],
    stopwatch: async ({ name, prepare }) => {
      const end = name === IN_A_FLOOD ? startFlood() : () => Promise.resolve();
      const call = await prepare();
      const start = performance.now();
      await call();
      const milliseconds = performance.now() - start;
      await end();
      return [(1000 * milliseconds) / CALLS_PER_SAMPLE];
    },
  });
  const microseconds = (name: string, share = 0.5): number =>
    quantile(samples.get(name) ?? [], share);
  yield {
    title: `A call through the hash queue, in microseconds (${LIMITS.concurrency} hashes at once)`,
    rows: cases.map(({ name }) => ({
      name,
      figures: {
        median: microseconds(name),
        '25 %': microseconds(name, 0.25),
        '75 %': microseconds(name, 0.75),
        added: microseconds(name) - microseconds(WITHOUT_QUEUE),
      },
    })),
    targets: [ONE_AT_A_TIME, IN_A_FLOOD, ALL_AT_ONCE].map((name) => ({
      claim: `${name}: what the queue adds to a call, in microseconds`,
      figure: microseconds(name) - microseconds(WITHOUT_QUEUE),
      bound: MAX_MICROSECONDS,
      must: 'be at most' as const,
    })),
  };
}

function callerOf(n: number): HashRequest {
  return { channel: 'second_factor', subjectKey: `user ${n}`, ...LIMITS };
}

async function inTurn(call: (n: number) => Promise<void>): Promise<void> {
  for (let n = 0; n < CALLS_PER_SAMPLE; n += 1) await call(n);
}

/** Recovery logins that hold their place and fill their line. @returns what ends them */
function startFlood(): () => Promise<unknown> {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const flood = Array.from({ length: CALLS_PER_SAMPLE }, (_, n) =>
    runInHashQueue({ channel: 'recovery', subjectKey: `name ${n}`, ...LIMITS }, () => ended),
  );
  return () => {
    end();
    return Promise.all(flood);
  };
}
