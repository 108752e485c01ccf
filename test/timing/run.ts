// `npm run test:timing`: can somebody who waits for answers tell users, sets and codes apart? Off the critical path: it takes
// minutes, wants a quiet machine, and fails where it could not have seen a leak.
//
// An attacker in another process sends names and codes of each class to a recovery login over HTTP, in random order, one at a
// time. The times of each class are compared with those of a wrong code by Welch's t and by ranks; both are bounded by 4.5.
//
// 1. Behind bcrypt at the lowest cost that the product takes, 100 samples of each class. One name permits 50 attempts in all;
//    against any number of samples of other names they have the error of 100 against 100. No class may be told.
// 2. With the slow hash taken out, 1000 samples: what the rest of the path tells, to a few microseconds. Among people who have
//    a set no class may be told. For those who have none a store has less to read; that is judged by the attempts it takes
//    to tell it behind bcrypt, (4.5 * spread / difference)^2: fewer than ten times the 50 that a name permits is a failure.
//    "Bare" is the same with nothing before it, as with fastHasher, on loopback.
// 3. Naive apps. A leak that is not seen means that the run was blind and its silence says nothing: a failure too.
//
// Of right codes only the two places are compared: a right code is consumed, which is other work, and its answer says so.
// What is "shown" is not judged: SECURITY.md, "What the answers tell".
import { cpus, loadavg } from 'node:os';
import { attack, type Plan, type Times } from './attacker';
import type { ClassName } from './classes';
import { BOUND, compare, isTold, quantile, spreadOf, type Comparison } from './statistics';

type Pair = readonly [ClassName, ClassName];
type Verdict = readonly [text: string, isFailure: boolean];

const WRONG: ClassName = 'a wrong code';
const WITHOUT_SET: readonly Pair[] = [
  ['an unknown name', WRONG],
  ['a user without a set', WRONG],
];
const WITH_SET: readonly Pair[] = [
  ['a wrong code, all consumed', WRONG],
  ['a wrong code, expired set', WRONG],
  ['a reused code, first place', WRONG],
  ['a reused code, last place', WRONG],
];
const RIGHT: readonly Pair[] = [['the right code, last place', 'the right code, first place']];
const SHOWN: readonly Pair[] = [
  ['an unknown name, never tried before', WRONG],
  ['the right code, expired set', WRONG],
];
const LEAKS: readonly Omit<Plan, 'classes'>[] = [
  { leak: 'no hash for unknown names', store: 'memory', slowHash: 'bcrypt', samples: 100 },
  { leak: 'half a hash for unknown names', store: 'memory', slowHash: 'bcrypt', samples: 100 },
  {
    leak: 'ten milliseconds more for known names',
    store: 'sqlite',
    slowHash: 'bcrypt',
    samples: 100,
  },
  { leak: 'ten digests more for known names', store: 'memory', slowHash: 'none', samples: 1000 },
  { leak: 'ten digests more for known names', store: 'sqlite', slowHash: 'none', samples: 1000 },
];
/** Ten times the attempts that a name permits. */
const ENOUGH_ATTEMPTS = 10 * 50;

async function main(): Promise<void> {
  process.stdout.write(
    `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, load ${(loadavg()[0] ?? 0).toFixed(1)}\n`,
  );
  const failures: string[] = [];
  for (const store of ['memory', 'sqlite'] as const) {
    const alike = [...WITHOUT_SET, ...WITH_SET];
    const slow = await attack({
      store,
      slowHash: 'bcrypt',
      samples: 100,
      classes: classesOf(alike),
    });
    failures.push(...judge(`${store}, bcrypt`, { times: slow, pairs: alike, verdict: strictly }));
    const pairs = [...alike, ...RIGHT, ...SHOWN];
    const bare = await attack({
      store,
      slowHash: 'none',
      samples: 1000,
      classes: classesOf(pairs),
    });
    const byWorth = byAttempts({
      slow: spreadOf(slow.get(WRONG) ?? []),
      bare: spreadOf(bare.get(WRONG) ?? []),
    });
    const verdict = (found: Comparison, pair: Pair): Verdict => {
      if (SHOWN.includes(pair)) return [`(shown) ${byWorth(found)[0]}`, false];
      return WITHOUT_SET.includes(pair) ? byWorth(found) : strictly(found);
    };
    failures.push(...judge(`${store}, no slow hash`, { times: bare, pairs, verdict }));
  }
  for (const plan of LEAKS) {
    const pairs: readonly Pair[] = [['an unknown name', WRONG]];
    const times = await attack({ ...plan, classes: classesOf(pairs) });
    failures.push(
      ...judge(`an app with a leak on ${plan.store}, ${plan.leak ?? ''}`, {
        times,
        pairs,
        verdict: (found) => (isTold(found) ? ['seen', false] : ['BLIND', true]),
      }),
    );
  }
  process.stdout.write(
    failures.length === 0
      ? '\nAll are alike within their bounds, and every leak was seen.\n'
      : `\nFailed:\n${failures.join('\n')}\n`,
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
}

/** Prints what was found of each pair. @returns the pairs that fail */
function judge(
  title: string,
  {
    times,
    pairs,
    verdict,
  }: { times: Times; pairs: readonly Pair[]; verdict: (found: Comparison, pair: Pair) => Verdict },
): string[] {
  const of = (name: ClassName): readonly number[] => times.get(name) ?? [];
  const line = (cells: readonly string[], last: string): string =>
    `  ${[cells[0]?.padEnd(36), ...cells.slice(1).map((cell) => cell.padStart(11))].join('')}  ${last}\n`;
  const failures: string[] = [];
  const [median, spread, samples] = [
    quantile(of(WRONG), 0.5),
    spreadOf(of(WRONG)),
    of(WRONG).length,
  ];
  process.stdout.write(
    `\n${title}: ${samples} samples; a wrong code takes ${median.toFixed(0)} us, spread ${spread.toFixed(0)}: ${(BOUND * spread * Math.sqrt(2 / samples)).toFixed(0)} us are told\n`,
  );
  process.stdout.write(line(['', 'slower, us', 't', 'z'], ''));
  for (const pair of pairs) {
    const [name, other] = pair;
    const found = compare(of(name), of(other));
    const [text, isFailure] = verdict(found, pair);
    process.stdout.write(
      line([name, found.difference.toFixed(1), found.t.toFixed(1), found.z.toFixed(1)], text),
    );
    if (isFailure) failures.push(`  ${title}: ${name}, beside ${other}: ${text}`);
  }
  return failures;
}

function strictly(found: Comparison): Verdict {
  return isTold(found) ? ['TOLD', true] : ['alike', false];
}

/** By what a difference is worth to somebody who has but the attempts of one name, and the spread to see it through. */
function byAttempts(spread: { slow: number; bare: number }): (found: Comparison) => Verdict {
  return (found) => {
    if (!isTold(found)) return ['alike', false];
    const attempts = (through: number): number =>
      Math.ceil(((BOUND * through) / found.difference) ** 2);
    const isFailure = attempts(spread.slow) < ENOUGH_ATTEMPTS;
    return [
      `${isFailure ? 'TOLD' : 'alike'} behind bcrypt: ${attempts(spread.slow)} attempts; bare: ${attempts(spread.bare)}`,
      isFailure,
    ];
  };
}

function classesOf(pairs: readonly Pair[]): ClassName[] {
  return [...new Set(pairs.flat())];
}

void main();
