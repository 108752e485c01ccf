// How many verifications a second, with 1, 10 and 50 in flight.
import bcrypt from 'bcrypt';
import { bcryptHasher, fastHasher, formats } from '../lib';
import { quantile } from '../test/timing/statistics';
import { rightCode, wrongCode } from './cases';
import { bcryptLoop } from './contestants/bcrypt-loop';
import { betterAuth } from './contestants/better-auth';
import { MANY_FREE, thisPackage } from './contestants/this-package';
import { places, sqlPlace, type Place } from './places';
import { plain, sample, type Case, type Effort } from './rounds';
import type { Row, Table } from './table';
import type { Target } from './targets';

/** The lowest that is taken: at 12, the last of fifty would wait longer than the five seconds that a queue allows. */
const COST = 10;
/** As by default, on libuv's four threads. */
const THREADS = 2;
const IN_FLIGHT = [1, 10, 50];
/** Calls of a sample. */
const CALLS = 50;
const ROUNDS = { quick: 2, full: 12 } as const;

interface Stream extends Case {
  readonly inFlight: number;
  readonly calls?: number;
}

export async function* inFlight(effort: Effort): AsyncGenerator<Table> {
  const rounds = ROUNDS[effort];
  for await (const place of places('memory', sqlPlace())) {
    yield await throughput(
      `${place.name}: verifications a second behind bcrypt ${COST}, ${THREADS} hashes at once`,
      { streams: await slowStreams(place), rounds },
    );
    const fast = await fastStreams(place);
    yield await throughput(`${place.name}: verifications a second without a slow hash`, {
      streams: fast,
      rounds: 2 * rounds,
    });
  }
}

async function slowStreams(place: Place): Promise<Stream[]> {
  const ours = thisPackage('this package', {
    store: await place.store(),
    hasher: bcryptHasher({ cost: COST }),
    hashConcurrency: THREADS,
    attempts: MANY_FREE,
  });
  const salt = await bcrypt.genSalt(COST);
  const streams: Stream[] = [];
  const check = wrongCode(ours, { users: CALLS });
  for (const inFlight of IN_FLIGHT) {
    const bare = `limit: slow hashes, ${Math.min(inFlight, THREADS)} at once`;
    if (inFlight <= 10)
      streams.push({
        ...plain(bare, () => bcrypt.hash('ABCD-EFGH', salt)),
        inFlight: Math.min(inFlight, THREADS),
      });
    streams.push({
      ...check,
      name: `${check.name}, ${inFlight} in flight`,
      inFlight,
      beside: bare,
    });
  }
  if (!place.dialect) return streams;
  const loop = wrongCode(await bcryptLoop(await place.dialect(), { cost: COST }), {
    everyRounds: 4,
  });
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

async function fastStreams(place: Place): Promise<Stream[]> {
  const ours = thisPackage('this package, fastHasher', {
    store: await place.store(),
    hasher: fastHasher(),
    format: formats.long,
  });
  const type = place.name === 'PostgreSQL' ? 'postgres' : 'sqlite';
  const peers = place.dialect
    ? [await betterAuth(await place.dialect(), { type, channel: 'challenge' })]
    : [];
  const checks = [ours, ...peers].map((contestant) => rightCode(contestant, { users: CALLS }));
  return IN_FLIGHT.flatMap((inFlight) =>
    checks.map((check): Stream => ({
      ...check,
      name: `${check.name}, ${inFlight} in flight`,
      inFlight,
      ...(check !== checks[0] && { beside: `${checks[0]?.name ?? ''}, ${inFlight} in flight` }),
    })),
  );
}

async function throughput(
  title: string,
  { streams, rounds }: { streams: readonly Stream[]; rounds: number },
): Promise<Table> {
  const samples = await sample(streams, {
    rounds,
    stopwatch: async (stream) => [await millisecondsPerCall(stream)],
  });
  const rate = (name: string, share = 0.5): number =>
    1000 / quantile(samples.get(name) ?? [], share);
  const rows = streams.map(({ name, beside }): Row => {
    const spread = { 'a second': rate(name), '25 %': rate(name, 0.75), '75 %': rate(name, 0.25) };
    return {
      name,
      figures: {
        ...spread,
        ...(beside !== undefined && { ratio: rate(name) / rate(beside), to: beside }),
      },
    };
  });
  const ours = streams.filter(
    ({ name, inFlight, beside = '' }) =>
      name.startsWith('this package') && inFlight === 50 && beside.startsWith('limit'),
  );
  const targets = ours.map(({ name, beside = '' }): Target => ({
    claim: `${title.split(':')[0] ?? ''}, ${name}, to ${beside}`,
    figure: rate(name) / rate(beside),
    bound: 0.95,
    must: 'be at least',
  }));
  return { title, rows, targets };
}

async function millisecondsPerCall({ prepare, inFlight, calls = CALLS }: Stream): Promise<number> {
  const ready: (() => Promise<unknown>)[] = [];
  for (let n = 0; n < calls; n += 1) ready.push(await prepare());
  const caller = async (): Promise<void> => {
    for (let run = ready.pop(); run; run = ready.pop()) await run();
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, caller));
  return (performance.now() - started) / calls;
}
