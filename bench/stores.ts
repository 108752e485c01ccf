// One verification at a time, on each store: beside the limits of the same machine and server, and beside the peers.
import bcrypt from 'bcrypt';
import type { Dialect } from 'kysely';
import { bcryptHasher, fastHasher, formats } from '../lib';
import { issue, rightCode, unknownUser, wrongCode } from './cases';
import { bcryptLoop } from './contestants/bcrypt-loop';
import { betterAuth } from './contestants/better-auth';
import type { Contestant } from './contestants/contestant';
import { passportBackupCodes } from './contestants/passport-backup-codes';
import { MANY_FREE, thisPackage } from './contestants/this-package';
import { limitsOf, type Limits } from './limits';
import { places, type Place } from './places';
import { median, plain, ratio, rowsOf, sample, type Case, type Effort } from './rounds';
import type { Table } from './table';
import type { Target } from './targets';

const COST = 12;
const ROUNDS = { quick: 3, full: 30 } as const;
const PER_ROUND = 10;
/** What takes microseconds is only as quick as it will be once it was compiled. */
const PER_ROUND_IN_MEMORY = 200;
/** Ten slow hashes for each sample. */
const SLOW_LOOP = { everyRounds: 3 } as const;
const CODE = 'ABCD-EFGH';
const LONG_CODE = 'ABCDE-FGHJK-LMNPQ-RSTUV-WXYZ2';

const HASH = 'limit: a slow hash';
const RIGHT = 'limit: statements of a right code';
const WRONG = 'limit: statements of a wrong code';
const withHash = (limit: string): string => `${limit}, and a slow hash`;

export async function* stores(effort: Effort): AsyncGenerator<Table> {
  for await (const place of places('memory', 'SQLite', 'PostgreSQL', 'MariaDB', 'Redis')) {
    const limits = await limitsOf(place);
    yield await behindSlowHash(place, { limits, rounds: ROUNDS[effort] });
    yield await withoutSlowHash(place, { limits, rounds: ROUNDS[effort] });
    yield await issuing(place, { rounds: Math.ceil(ROUNDS[effort] / 6) });
  }
}

/** An own database for each peer, where the peers speak its SQL. */
function peerDatabase({ name, dialect }: Place): (() => Promise<Dialect>) | null {
  return (name === 'SQLite' || name === 'PostgreSQL') && dialect ? dialect : null;
}

async function behindSlowHash(
  place: Place,
  { limits, rounds }: { limits: Limits | null; rounds: number },
): Promise<Table> {
  const ours = thisPackage(`this package, bcrypt ${COST}`, {
    store: await place.store(),
    hasher: bcryptHasher({ cost: COST }),
    attempts: MANY_FREE,
  });
  const database = peerDatabase(place);
  const salt = await bcrypt.genSalt(COST);
  const hash = (): Promise<string> => bcrypt.hash(CODE, salt);
  const [right, wrong] = limits ? [withHash(RIGHT), withHash(WRONG)] : [HASH, HASH];
  const bare = limits
    ? [plain(right, () => hash().then(limits.right)), plain(wrong, () => hash().then(limits.wrong))]
    : [];
  const cases = [
    plain(HASH, hash),
    ...bare,
    rightCode(ours, { beside: right }),
    wrongCode(ours, { beside: wrong }),
    unknownUser(ours, { like: CODE, beside: wrong }),
    ...(database ? loopCases(await bcryptLoop(await database(), { cost: COST })) : []),
  ];
  const samples = await sample(cases, { rounds });
  const targets = cases
    .filter(({ name }) => name.startsWith(ours.name))
    .map(({ name, beside = '' }): Target => ({
      claim: `${place.name}, ${name}, to ${beside}`,
      figure: ratio(samples, [name, beside]),
      bound: 1.05,
      must: 'be at most',
    }));
  return {
    title: `${place.name}: a verification behind bcrypt ${COST}`,
    rows: rowsOf(cases, samples),
    targets,
  };
}

function loopCases(loop: Contestant): Case[] {
  return [
    rightCode(loop, { ...SLOW_LOOP, beside: HASH }),
    wrongCode(loop, { ...SLOW_LOOP, beside: HASH }),
    unknownUser(loop, { like: CODE, beside: HASH }),
  ];
}

async function withoutSlowHash(
  place: Place,
  { limits, rounds }: { limits: Limits | null; rounds: number },
): Promise<Table> {
  const perRound = limits ? PER_ROUND : PER_ROUND_IN_MEMORY;
  const ours = thisPackage('this package, fastHasher', {
    store: await place.store(),
    hasher: fastHasher(),
    format: formats.long,
  });
  const [right, wrong] = limits
    ? [
        { perRound, beside: RIGHT },
        { perRound, beside: WRONG },
      ]
    : [{ perRound }, { perRound }];
  const bare = limits
    ? [
        plain('limit: a round trip', limits.roundTrip),
        plain('limit: a commit', limits.commit),
        plain(RIGHT, limits.right),
        plain(WRONG, limits.wrong),
      ]
    : [];
  const peers = await fastPeers(place);
  const cases = [
    ...bare.map((one): Case => ({ ...one, perRound })),
    rightCode(ours, right),
    wrongCode(ours, wrong),
    unknownUser(ours, { ...wrong, like: LONG_CODE }),
    ...peers.flatMap((peer) => [rightCode(peer, right), wrongCode(peer, wrong)]),
  ];
  const samples = await sample(cases, { rounds });
  const overheads = ['right code', 'wrong code', 'unknown user'].map((kind): Target => ({
    claim: `${ours.name}: ${kind} in memory, in ms`,
    figure: median(samples, `${ours.name}: ${kind}`),
    bound: 0.1,
    must: 'stay under',
  }));
  const [rival] = place.name === 'PostgreSQL' ? peers : [];
  const quicker = (rival ? ['right code', 'wrong code'] : []).map((kind): Target => {
    const name = `${rival?.name ?? ''}: ${kind}`;
    return {
      claim: `${place.name}, ${ours.name}: ${kind}, to ${name}`,
      figure: ratio(samples, [`${ours.name}: ${kind}`, name]),
      bound: 1,
      must: 'stay under',
    };
  });
  return {
    title: `${place.name}: a verification without a slow hash`,
    rows: rowsOf(cases, samples),
    targets: limits ? quicker : overheads,
  };
}

/** None of them hashes. The first one counts attempts, as this package does. */
async function fastPeers(place: Place): Promise<Contestant[]> {
  const database = peerDatabase(place);
  if (database === null) return [];
  const type = place.name === 'SQLite' ? 'sqlite' : 'postgres';
  return [
    await betterAuth(await database(), { type, channel: 'challenge' }),
    await betterAuth(await database(), { type, channel: 'session' }),
    await passportBackupCodes(await database()),
  ];
}

async function issuing(place: Place, { rounds }: { rounds: number }): Promise<Table> {
  const slow = thisPackage(`this package, bcrypt ${COST}`, {
    store: await place.store(),
    hasher: bcryptHasher({ cost: COST }),
  });
  const fast = thisPackage('this package, fastHasher', {
    store: await place.store(),
    hasher: fastHasher(),
    format: formats.long,
  });
  const limit = 'limit: ten slow hashes';
  const salt = await bcrypt.genSalt(COST);
  const ten = plain(limit, async () => {
    for (let n = 0; n < 10; n += 1) await bcrypt.hash(CODE, salt);
  });
  const database = peerDatabase(place);
  const loop = database
    ? [issue(await bcryptLoop(await database(), { cost: COST }), { beside: limit })]
    : [];
  const cases = [
    ten,
    issue(slow, { beside: limit }),
    ...loop,
    issue(fast, { perRound: PER_ROUND }),
  ];
  return {
    title: `${place.name}: a set of ten`,
    rows: rowsOf(cases, await sample(cases, { rounds })),
  };
}
