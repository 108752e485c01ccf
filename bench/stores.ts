// One verification at a time on each store, compared with the limits of the same machine and server
// and with other packages.
import bcrypt from 'bcrypt';
import type { Dialect } from 'kysely';
import { bcryptHasher, fastHasher, formats } from '../lib';
import { openBackends, type Backend } from './backends';
import { invalidCode, issueSet, unknownUser, validCode } from './cases';
import { bcryptLoop } from './contestants/bcrypt-loop';
import { betterAuth } from './contestants/better-auth';
import type { Contestant } from './contestants/contestant';
import { passportBackupCodes } from './contestants/passport-backup-codes';
import { MANY_FREE, thisPackage } from './contestants/this-package';
import { limitsOf, type Limits } from './limits';
import { median, medianRatio, plainCase, rowsOf, sample, type Case, type Effort } from './sampling';
import type { Table } from './table';
import type { Target } from './targets';

const COST = 12;
const ROUNDS = { quick: 3, full: 30 } as const;
const PER_ROUND = 10;
/** A call of microseconds needs many samples, because the first ones run uncompiled. */
const PER_ROUND_IN_MEMORY = 200;
/** Each sample of this case takes ten slow hashes. */
const SLOW_LOOP = { everyRounds: 3 } as const;
const CODE = 'ABCD-EFGH';
const LONG_CODE = 'ABCDE-FGHJK-LMNPQ-RSTUV-WXYZ2';

const HASH = 'limit: a slow hash';
const VALID = 'limit: statements of a valid code';
const INVALID = 'limit: statements of an invalid code';
const withHash = (limit: string): string => `${limit}, and a slow hash`;

interface Setting {
  readonly limits: Limits | null;
  readonly rounds: number;
}

export async function* stores(effort: Effort): AsyncGenerator<Table> {
  const rounds = ROUNDS[effort];
  for await (const backend of openBackends('memory', 'SQLite', 'PostgreSQL', 'MariaDB', 'Redis')) {
    const limits = await limitsOf(backend);
    yield await measureWithSlowHash(backend, { limits, rounds });
    yield await measureWithoutSlowHash(backend, { limits, rounds });
    yield await measureIssuing(backend, Math.ceil(rounds / 6));
  }
}

/** Opens a database for a peer, if the peers support this kind of database. */
function peerDatabase({ name, openDatabase }: Backend): (() => Promise<Dialect>) | null {
  return (name === 'SQLite' || name === 'PostgreSQL') && openDatabase ? openDatabase : null;
}

async function measureWithSlowHash(backend: Backend, { limits, rounds }: Setting): Promise<Table> {
  const ours = thisPackage(`this package, bcrypt ${COST}`, {
    store: await backend.openStore(),
    hasher: bcryptHasher({ cost: COST }),
    attempts: MANY_FREE,
  });
  const openDatabase = peerDatabase(backend);
  const salt = await bcrypt.genSalt(COST);
  const hash = (): Promise<string> => bcrypt.hash(CODE, salt);
  const validLimit = limits ? withHash(VALID) : HASH;
  const invalidLimit = limits ? withHash(INVALID) : HASH;
  const limitCases = limits
    ? [
        plainCase(validLimit, () => hash().then(limits.validCode)),
        plainCase(invalidLimit, () => hash().then(limits.invalidCode)),
      ]
    : [];
  const cases = [
    plainCase(HASH, hash),
    ...limitCases,
    validCode(ours, { beside: validLimit }),
    invalidCode(ours, { beside: invalidLimit }),
    unknownUser(ours, { like: CODE, beside: invalidLimit }),
    ...(openDatabase ? loopCases(await bcryptLoop(await openDatabase(), { cost: COST })) : []),
  ];
  const samples = await sample(cases, { rounds });
  const targets = cases
    .filter(({ name }) => name.startsWith(ours.name))
    .map(({ name, beside = '' }): Target => ({
      claim: `${backend.name}, ${name}, relative to ${beside}`,
      figure: medianRatio(samples, [name, beside]),
      bound: 1.05,
      must: 'be at most',
    }));
  return {
    title: `${backend.name}: a verification with bcrypt ${COST}`,
    rows: rowsOf(cases, samples),
    targets,
  };
}

function loopCases(loop: Contestant): Case[] {
  return [
    validCode(loop, { ...SLOW_LOOP, beside: HASH }),
    invalidCode(loop, { ...SLOW_LOOP, beside: HASH }),
    unknownUser(loop, { like: CODE, beside: HASH }),
  ];
}

async function measureWithoutSlowHash(
  backend: Backend,
  { limits, rounds }: Setting,
): Promise<Table> {
  const perRound = limits ? PER_ROUND : PER_ROUND_IN_MEMORY;
  const ours = thisPackage('this package, fastHasher', {
    store: await backend.openStore(),
    hasher: fastHasher(),
    format: formats.long,
  });
  const validOptions = limits ? { perRound, beside: VALID } : { perRound };
  const invalidOptions = limits ? { perRound, beside: INVALID } : { perRound };
  const limitCases = limits
    ? [
        plainCase('limit: a round trip', limits.roundTrip),
        plainCase('limit: a commit', limits.commit),
        plainCase(VALID, limits.validCode),
        plainCase(INVALID, limits.invalidCode),
      ]
    : [];
  const peers = await openFastPeers(backend);
  const cases = [
    ...limitCases.map((limitCase): Case => ({ ...limitCase, perRound })),
    validCode(ours, validOptions),
    invalidCode(ours, invalidOptions),
    unknownUser(ours, { ...invalidOptions, like: LONG_CODE }),
    ...peers.flatMap((peer) => [validCode(peer, validOptions), invalidCode(peer, invalidOptions)]),
  ];
  const samples = await sample(cases, { rounds });
  const overheadTargets = ['valid code', 'invalid code', 'unknown user'].map((kind): Target => ({
    claim: `${ours.name}: ${kind} in memory, in ms`,
    figure: median(samples, `${ours.name}: ${kind}`),
    bound: 0.1,
    must: 'stay under',
  }));
  const rival = backend.name === 'PostgreSQL' ? peers[0] : undefined;
  const rivalTargets = (rival ? ['valid code', 'invalid code'] : []).map((kind): Target => {
    const rivalCase = `${rival?.name ?? ''}: ${kind}`;
    return {
      claim: `${backend.name}, ${ours.name}: ${kind}, relative to ${rivalCase}`,
      figure: medianRatio(samples, [`${ours.name}: ${kind}`, rivalCase]),
      bound: 1,
      must: 'stay under',
    };
  });
  return {
    title: `${backend.name}: a verification without a slow hash`,
    rows: rowsOf(cases, samples),
    targets: limits ? rivalTargets : overheadTargets,
  };
}

/** Peers that do not hash. The first one counts attempts, as this package does. */
async function openFastPeers(backend: Backend): Promise<Contestant[]> {
  const openDatabase = peerDatabase(backend);
  if (openDatabase === null) return [];
  const type = backend.name === 'SQLite' ? 'sqlite' : 'postgres';
  return [
    await betterAuth(await openDatabase(), { type, channel: 'challenge' }),
    await betterAuth(await openDatabase(), { type, channel: 'session' }),
    await passportBackupCodes(await openDatabase()),
  ];
}

async function measureIssuing(backend: Backend, rounds: number): Promise<Table> {
  const slow = thisPackage(`this package, bcrypt ${COST}`, {
    store: await backend.openStore(),
    hasher: bcryptHasher({ cost: COST }),
  });
  const fast = thisPackage('this package, fastHasher', {
    store: await backend.openStore(),
    hasher: fastHasher(),
    format: formats.long,
  });
  const limit = 'limit: ten slow hashes';
  const salt = await bcrypt.genSalt(COST);
  const tenHashes = plainCase(limit, async () => {
    for (let n = 0; n < 10; n += 1) await bcrypt.hash(CODE, salt);
  });
  const openDatabase = peerDatabase(backend);
  const loop = openDatabase
    ? [issueSet(await bcryptLoop(await openDatabase(), { cost: COST }), { beside: limit })]
    : [];
  const cases = [
    tenHashes,
    issueSet(slow, { beside: limit }),
    ...loop,
    issueSet(fast, { perRound: PER_ROUND }),
  ];
  return {
    title: `${backend.name}: issuing a set of ten`,
    rows: rowsOf(cases, await sample(cases, { rounds })),
  };
}
