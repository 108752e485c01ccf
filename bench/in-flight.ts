// The number of verifications per second with 1, 10 and 50 of them in flight.
import bcrypt from 'bcrypt';
import { bcryptHasher, fastHasher, formats } from '../lib';
import { quantile } from '../test/timing/statistics';
import { mainSqlBackend, openBackends, type Backend } from './backends';
import { invalidCode, validCode } from './cases';
import { bcryptLoop } from './contestants/bcrypt-loop';
import { betterAuth } from './contestants/better-auth';
import { MANY_FREE, thisPackage } from './contestants/this-package';
import { plainCase, sample, type Case, type Effort } from './sampling';
import type { Row, Table } from './table';
import type { Target } from './targets';

/**
 * The lowest cost that this package accepts. At 12, the last of fifty attempts would wait longer
 * than the five seconds that the queue permits.
 */
const COST = 10;
/** The default on the four threads of libuv. */
const THREADS = 2;
const IN_FLIGHT = [1, 10, 50];
const CALLS_PER_SAMPLE = 50;
const ROUNDS = { quick: 2, full: 12 } as const;

interface Stream extends Case {
  readonly inFlight: number;
  /** @default CALLS_PER_SAMPLE */
  readonly calls?: number;
}

export async function* inFlight(effort: Effort): AsyncGenerator<Table> {
  const rounds = ROUNDS[effort];
  for await (const backend of openBackends('memory', mainSqlBackend())) {
    yield await measureThroughput(
      `${backend.name}: verifications per second with bcrypt ${COST}, ${THREADS} hashes at once`,
      { streams: await slowStreams(backend), rounds },
    );
    yield await measureThroughput(`${backend.name}: verifications per second without a slow hash`, {
      streams: await fastStreams(backend),
      rounds: 2 * rounds,
    });
  }
}

async function slowStreams(backend: Backend): Promise<Stream[]> {
  const ours = thisPackage('this package', {
    store: await backend.openStore(),
    hasher: bcryptHasher({ cost: COST }),
    hashConcurrency: THREADS,
    attempts: MANY_FREE,
  });
  const salt = await bcrypt.genSalt(COST);
  const streams: Stream[] = [];
  const check = invalidCode(ours, { users: CALLS_PER_SAMPLE });
  for (const inFlight of IN_FLIGHT) {
    const hashesAtOnce = Math.min(inFlight, THREADS);
    const limit = `limit: slow hashes, ${hashesAtOnce} at once`;
    if (inFlight <= 10) {
      const hash = plainCase(limit, () => bcrypt.hash('ABCD-EFGH', salt));
      streams.push({ ...hash, inFlight: hashesAtOnce });
    }
    const name = `${check.name}, ${inFlight} in flight`;
    streams.push({ ...check, name, inFlight, beside: limit });
  }
  if (!backend.openDatabase) return streams;
  const contestant = await bcryptLoop(await backend.openDatabase(), { cost: COST });
  const loop = invalidCode(contestant, { everyRounds: 4 });
  for (const inFlight of IN_FLIGHT) {
    streams.push({
      ...loop,
      name: `${loop.name}, ${inFlight} in flight`,
      inFlight,
      calls: Math.max(10, inFlight),
      beside: streams[0]?.name ?? '',
    });
  }
  return streams;
}

async function fastStreams(backend: Backend): Promise<Stream[]> {
  const ours = thisPackage('this package, fastHasher', {
    store: await backend.openStore(),
    hasher: fastHasher(),
    format: formats.long,
  });
  const type = backend.name === 'PostgreSQL' ? 'postgres' : 'sqlite';
  const peers = backend.openDatabase
    ? [await betterAuth(await backend.openDatabase(), { type, channel: 'challenge' })]
    : [];
  const checks = [ours, ...peers].map((contestant) =>
    validCode(contestant, { users: CALLS_PER_SAMPLE }),
  );
  return IN_FLIGHT.flatMap((inFlight) =>
    checks.map((check): Stream => ({
      ...check,
      name: `${check.name}, ${inFlight} in flight`,
      inFlight,
      ...(check !== checks[0] && { beside: `${checks[0]?.name ?? ''}, ${inFlight} in flight` }),
    })),
  );
}

async function measureThroughput(
  title: string,
  { streams, rounds }: { streams: readonly Stream[]; rounds: number },
): Promise<Table> {
  const samples = await sample(streams, {
    rounds,
    stopwatch: async (stream) => [await measureCall(stream)],
  });
  const rateOf = (name: string, share = 0.5): number =>
    1000 / quantile(samples.get(name) ?? [], share);
  const rows = streams.map(({ name, beside }): Row => ({
    name,
    figures: {
      'per second': rateOf(name),
      '25 %': rateOf(name, 0.75),
      '75 %': rateOf(name, 0.25),
      ...(beside !== undefined && { ratio: rateOf(name) / rateOf(beside), to: beside }),
    },
  }));
  const ours = streams.filter(
    ({ name, inFlight, beside = '' }) =>
      name.startsWith('this package') && inFlight === 50 && beside.startsWith('limit'),
  );
  const targets = ours.map(({ name, beside = '' }): Target => ({
    claim: `${title.split(':')[0] ?? ''}, ${name}, relative to ${beside}`,
    figure: rateOf(name) / rateOf(beside),
    bound: 0.95,
    must: 'be at least',
  }));
  return { title, rows, targets };
}

/** Milliseconds per call, when this many callers send one call after the other. */
async function measureCall({
  prepare,
  inFlight,
  calls = CALLS_PER_SAMPLE,
}: Stream): Promise<number> {
  const prepared: (() => Promise<unknown>)[] = [];
  for (let n = 0; n < calls; n += 1) prepared.push(await prepare());
  const runCaller = async (): Promise<void> => {
    for (let run = prepared.pop(); run; run = prepared.pop()) await run();
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, runCaller));
  return (performance.now() - started) / calls;
}
