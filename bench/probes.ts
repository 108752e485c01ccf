// Measures how long an app waits for the threads of libuv and for its event loop, while it does
// other work.
import { lookup } from 'node:dns/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { quantile } from '../test/timing/statistics';

/** Probes start at this pace and do not wait for each other. */
const PROBE_INTERVAL_MS = 20;
/** Node measures at this interval, and its figure for the delay contains the interval. */
const LOOP_INTERVAL_MS = 10;

/** The times of one probe, in milliseconds. */
export interface Summary {
  readonly name: string;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function summarize(name: string, samples: readonly number[]): Summary {
  return {
    name,
    p50: quantile(samples, 0.5),
    p99: quantile(samples, 0.99),
    max: quantile(samples, 1),
  };
}

/** Starts the probes. They run until `stop` is called. */
export function startProbes(): { stop: () => Promise<Summary[]> } {
  const directory = mkdtempSync(join(tmpdir(), 'backup-codes-bench-'));
  const file = join(directory, 'page.html');
  writeFileSync(file, 'x'.repeat(4096));
  const probes: Record<string, () => Promise<unknown>> = {
    stat: () => stat(file),
    readFile: () => readFile(file),
    'dns.lookup': () => lookup('localhost'),
  };
  const running = Object.entries(probes).map(([name, probe]) => ({
    name,
    probe,
    times: [] as Promise<number>[],
  }));
  const loop = monitorEventLoopDelay({ resolution: LOOP_INTERVAL_MS });
  loop.enable();
  const timer = setInterval(() => {
    for (const { probe, times } of running) times.push(timeOf(probe));
  }, PROBE_INTERVAL_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      loop.disable();
      const delay = (nanoseconds: number): number =>
        Math.max(0, nanoseconds / 1e6 - LOOP_INTERVAL_MS);
      const samples = await Promise.all(
        running.map(async ({ name, times }) => summarize(name, await Promise.all(times))),
      );
      rmSync(directory, { recursive: true });
      return [
        ...samples,
        {
          name: 'event-loop delay',
          p50: delay(loop.percentile(50)),
          p99: delay(loop.percentile(99)),
          max: delay(loop.max),
        },
      ];
    },
  };
}

async function timeOf(probe: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await probe();
  return performance.now() - started;
}
