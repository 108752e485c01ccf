// How fast the rest of an app is while backup codes are checked, with and without admission
// control.
//
// An attempt takes the same work with and without a set. So the users have no sets: it would take
// longer to issue them than to run the case.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express, { type Request } from 'express';
import { Authenticator } from 'passport';
import { BackupCodes, BackupCodeStrategy, MemoryStore } from '../lib';
import { MAX_WAIT_SECONDS } from '../lib/codes/hash-queue';
import type { Order, Report } from './load-client';
import { startProbes, summarize, type Summary } from './probes';
import type { Effort } from './sampling';
import type { Table } from './table';
import type { Target } from './targets';

const MIN_SECONDS = { quick: 1, full: 5 } as const;
/** Pairs: the attempts in flight at the same time, and all attempts. */
const LOADS = {
  quick: [[10, 20]],
  full: [
    [10, 60],
    [200, 200],
  ],
} as const;
/** Without admission control the median is 160 ms. */
const MAX_STAT_MS = 2;

const WITH_CONTROL = 'with admission control';
const WITHOUT_CONTROL = 'without admission control';

interface Condition {
  readonly name: string;
  /** Missing: the default of this package. */
  readonly hashConcurrency?: number;
  readonly attempts: number;
}

interface Observation {
  readonly condition: string;
  readonly probes: readonly Summary[];
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
        { name: WITH_CONTROL, attempts },
        { name: WITHOUT_CONTROL, attempts, hashConcurrency: inFlight },
      ];
      const observations: Observation[] = [];
      for (const condition of conditions)
        observations.push(
          await observe(client, { condition, inFlight, minSeconds: MIN_SECONDS[effort] }),
        );
      const table = compare(
        `The rest of the app with ${inFlight} attempts in flight (bcrypt 12), in ms`,
        observations,
      );
      yield inFlight === 10 ? { ...table, targets: [statTarget(observations)] } : table;
      yield summarizeAttempts(
        `The answers to ${attempts} attempts, ${inFlight} in flight`,
        observations.slice(1),
      );
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
    minSeconds,
  }: { condition: Condition; inFlight: number; minSeconds: number },
): Promise<Observation> {
  const { name, attempts, ...options } = condition;
  const site = await openSite(new BackupCodes({ store: new MemoryStore(), ...options }));
  const probes = startProbes();
  const order: Order = {
    origin: site.origin,
    attempts,
    inFlight: Math.min(inFlight, attempts),
    minSeconds,
  };
  client.send(order);
  const ended = once(client, 'exit').then(() =>
    Promise.reject(new Error('The process of the callers ended without a report.')),
  );
  const [report] = (await Promise.race([once(client, 'message'), ended])) as [Report];
  const probed = await probes.stop();
  await site.close();
  return { condition: name, probes: [summarize('plain route', report.plainMs), ...probed], report };
}

/** An app that checks backup codes as a second factor, and that has a route without any work. */
async function openSite(
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

function statTarget(observations: readonly Observation[]): Target {
  const probes = observations.find(({ condition }) => condition === WITH_CONTROL)?.probes ?? [];
  const figure = probes.find(({ name }) => name === 'stat')?.p50 ?? NaN;
  return {
    claim: 'the median stat of a file with ten bcrypt attempts in flight, in ms',
    figure,
    bound: MAX_STAT_MS,
    must: 'stay under',
  };
}

/** Each ratio is to the same probe in the first condition. */
function compare(title: string, observations: readonly Observation[]): Table {
  const [base] = observations;
  const rows = (base?.probes ?? []).flatMap(({ name, p50: idle }) =>
    observations.map(({ condition, probes }) => {
      const { p50, p99, max } = probes.find((probe) => probe.name === name) ?? {
        p50: NaN,
        p99: NaN,
        max: NaN,
      };
      return {
        name: `${name}, ${condition}`,
        figures: { p50, p99, max, 'p50 / idle': p50 / idle },
      };
    }),
  );
  return { title, rows };
}

function summarizeAttempts(title: string, observations: readonly Observation[]): Table {
  const rows = observations.map(({ condition, report: { attempts, seconds } }) => {
    const invalid = attempts.filter(({ status }) => status === 401);
    const busy = attempts.filter(
      ({ status, retryAfter }) => status === 503 && retryAfter === String(MAX_WAIT_SECONDS),
    );
    const others = attempts.length - invalid.length - busy.length;
    const immediate = busy.filter(({ ms }) => ms < MAX_WAIT_SECONDS * 1000);
    const slowest = Math.max(...invalid.map(({ ms }) => ms)) / 1000;
    return {
      name: condition,
      figures: {
        '401': invalid.length,
        '503 with Retry-After': busy.length,
        'of these immediate': immediate.length,
        other: others,
        'slowest 401, s': slowest,
        'total, s': seconds,
      },
    };
  });
  return { title, rows };
}
