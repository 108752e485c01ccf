// How the rest of an app fares while backup codes are checked: with admission control, and without it. In one run.
//
// Every attempt is the same work, so the users have no sets: issuing them would take longer than the case.
import { fork, type ChildProcess } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import express, { type Request } from 'express';
import { Authenticator } from 'passport';
import { BackupCodes, BackupCodeStrategy, MemoryStore } from '../lib';
import { MAX_WAIT_SECONDS } from '../lib/codes/hash-queue';
import { quantile } from '../test/timing/statistics';
import type { Order, Report } from './load-client';
import type { Effort } from './rounds';
import type { Table } from './table';
import type { Target } from './targets';

/** Started at this pace whether the one before came back or not. */
const PROBE_EVERY_MS = 20;
const LEAST_SECONDS = { quick: 1, full: 5 } as const;
/** Attempts, so many in flight. */
const LOADS = {
  quick: [[10, 20]],
  full: [
    [10, 60],
    [200, 200],
  ],
} as const;
/** Without admission control it is 160. */
const MAX_STAT_MS = 2;
/** The delay that Node measures contains the interval at which it looks. */
const LOOP_INTERVAL_MS = 10;

const CONTROLLED = 'with admission control';

interface Condition {
  readonly name: string;
  /** None: the default. */
  readonly hashConcurrency?: number;
  readonly attempts: number;
}

interface Samples {
  readonly name: string;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface Observation {
  readonly condition: string;
  readonly probes: readonly Samples[];
  readonly report: Report;
}

export async function* load(effort: Effort): AsyncGenerator<Table> {
  const client = fork(join(__dirname, 'load-client.ts'), {
    execArgv: ['--require', join(__dirname, '../test/helpers/run-typescript.js')],
  });
  try {
    for (const [inFlight, attempts] of LOADS[effort]) {
      const conditions: Condition[] = [
        { name: 'idle', attempts: 0 },
        { name: CONTROLLED, attempts },
        { name: 'without', attempts, hashConcurrency: inFlight },
      ];
      const seen: Observation[] = [];
      for (const condition of conditions)
        seen.push(
          await observe(client, { condition, inFlight, leastSeconds: LEAST_SECONDS[effort] }),
        );
      const table = compare(
        `The rest of the app with ${inFlight} attempts in flight (bcrypt 12), in ms`,
        seen,
      );
      yield inFlight === 10 ? { ...table, targets: [quickStat(seen)] } : table;
      yield answers(`What became of ${attempts} attempts, ${inFlight} in flight`, seen.slice(1));
    }
  } finally {
    client.kill();
  }
}

async function observe(
  client: ChildProcess,
  {
    condition,
    inFlight,
    leastSeconds,
  }: { condition: Condition; inFlight: number; leastSeconds: number },
): Promise<Observation> {
  const { name, attempts, ...options } = condition;
  const site = await open(new BackupCodes({ store: new MemoryStore(), ...options }));
  const probes = startProbes();
  const order: Order = {
    origin: site.origin,
    attempts,
    inFlight: Math.min(inFlight, attempts),
    leastSeconds,
  };
  client.send(order);
  const ended = once(client, 'exit').then(() =>
    Promise.reject(new Error('The callers ended before they had answered.')),
  );
  const [report] = (await Promise.race([once(client, 'message'), ended])) as [Report];
  const probed = await probes.stop();
  await site.close();
  return { condition: name, probes: [samplesOf('plain route', report.plain), ...probed], report };
}

/** A strategy behind a first factor, as an app mounts it, and a route that does nothing. */
async function open(
  backupCodes: BackupCodes,
): Promise<{ origin: string; close: () => Promise<unknown> }> {
  const passport = new Authenticator();
  passport.use(
    new BackupCodeStrategy<{ id: string }>({
      backupCodes,
      currentUser: (req: Request) => ({ id: (req.body as { username: string }).username }),
    }),
  );
  const app = express();
  app.get('/plain', (_req, res) => res.json({}));
  app.post(
    '/login',
    express.json(),
    passport.authenticate('backup-code', { session: false }) as express.RequestHandler,
    (_req, res) => res.json({}),
  );
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      return closed;
    },
  };
}

/** What else wants libuv's threads, and the event loop itself. */
function startProbes(): { stop: () => Promise<Samples[]> } {
  const directory = mkdtempSync(join(tmpdir(), 'backup-codes-bench-'));
  const file = join(directory, 'page.html');
  writeFileSync(file, 'x'.repeat(4096));
  const probes: Record<string, () => Promise<unknown>> = {
    stat: () => stat(file),
    readFile: () => readFile(file),
    'dns.lookup': () => lookup('localhost'),
  };
  const taken = Object.entries(probes).map(([name, probe]) => ({
    name,
    probe,
    times: [] as Promise<number>[],
  }));
  const loop = monitorEventLoopDelay({ resolution: LOOP_INTERVAL_MS });
  loop.enable();
  const timer = setInterval(() => {
    for (const { probe, times } of taken) times.push(timed(probe));
  }, PROBE_EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      loop.disable();
      const delay = (nanoseconds: number): number =>
        Math.max(0, nanoseconds / 1e6 - LOOP_INTERVAL_MS);
      const samples = await Promise.all(
        taken.map(async ({ name, times }) => samplesOf(name, await Promise.all(times))),
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

async function timed(probe: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await probe();
  return performance.now() - started;
}

function quickStat(seen: readonly Observation[]): Target {
  const probes = seen.find(({ condition }) => condition === CONTROLLED)?.probes ?? [];
  const figure = probes.find(({ name }) => name === 'stat')?.p50 ?? NaN;
  return {
    claim: 'ten bcrypt attempts in flight: the median stat of a file, in ms',
    figure,
    bound: MAX_STAT_MS,
    must: 'stay under',
  };
}

/** Ratios are to the same probe in the first condition. */
function compare(title: string, seen: readonly Observation[]): Table {
  const [base] = seen;
  const rows = (base?.probes ?? []).flatMap(({ name, p50: idle }) =>
    seen.map(({ condition, probes }) => {
      const { p50, p99, max } = probes.find((probe) => probe.name === name) ?? {
        p50: NaN,
        p99: NaN,
        max: NaN,
      };
      return {
        name: `${name}, ${condition}`,
        figures: { p50, p99, max, 'p50 to idle': p50 / idle },
      };
    }),
  );
  return { title, rows };
}

function answers(title: string, seen: readonly Observation[]): Table {
  const rows = seen.map(({ condition, report: { attempts, seconds } }) => {
    const invalid = attempts.filter(({ status }) => status === 401);
    const busy = attempts.filter(
      ({ status, retryAfter }) => status === 503 && retryAfter === String(MAX_WAIT_SECONDS),
    );
    const others = attempts.length - invalid.length - busy.length;
    const atOnce = busy.filter(({ ms }) => ms < MAX_WAIT_SECONDS * 1000);
    const slowest = Math.max(...invalid.map(({ ms }) => ms)) / 1000;
    return {
      name: condition,
      figures: {
        '401': invalid.length,
        '503 with Retry-After': busy.length,
        'of these at once': atOnce.length,
        other: others,
        'slowest 401 s': slowest,
        'total s': seconds,
      },
    };
  });
  return { title, rows };
}

function samplesOf(name: string, samples: readonly number[]): Samples {
  return {
    name,
    p50: quantile(samples, 0.5),
    p99: quantile(samples, 0.99),
    max: quantile(samples, 1),
  };
}
