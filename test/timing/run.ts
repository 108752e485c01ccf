// `npm run test:timing`: can an attacker tell users, sets and codes apart by response times? It
// takes minutes and needs a quiet machine. It also fails if it could not have seen a leak.
//
// An attacker in another process sends user names and codes of each class to a recovery login over
// HTTP, in random order, one at a time. Each class is compared with an invalid code by Welch's t
// and by ranks. Both have the bound 4.5.
//
// 1. With bcrypt at the lowest cost that the package accepts, 100 samples of each class. An
// attacker has only 50 attempts for each name. Compared with any number of samples of other names,
// 50 have the error of 100 against 100. No class may be distinguishable.
// 2. Without the slow hash, 1000 samples. They show differences of a few microseconds in the other
// work. Classes of users with a set must be indistinguishable. For users without a set the store
// has less to read. This is judged by the attempts that it takes to see the difference through the
// noise of bcrypt: (4.5 * spread / difference)^2. Fewer than ten times the 50 attempts for each
// name is a failure. "Bare" is the same without a hash, as with fastHasher on loopback.
// 3. Apps with a deliberate leak. If the leak is not seen, the run is blind and proves nothing.
// That is a failure too.
//
// Valid codes are compared by their place only. A valid code is consumed, which is other work, and
// the answer says so. Classes that are "shown" are not judged: see SECURITY.md, "What the answers
// tell".
import { cpus, loadavg } from 'node:os';
import { attack, type AttackPlan, type Times } from './attacker';
import type { ClassName } from './classes';
import {
  BOUND,
  compare,
  isDistinguishable,
  quantile,
  spreadOf,
  type Comparison,
} from './statistics';

type Pair = readonly [name: ClassName, comparedWith: ClassName];

interface Verdict {
  readonly text: string;
  readonly isFailure: boolean;
}

interface Judgement {
  readonly times: Times;
  readonly pairs: readonly Pair[];
  readonly judgePair: (comparison: Comparison, pair: Pair) => Verdict;
}

const INVALID: ClassName = 'an invalid code';
const WITHOUT_SET: readonly Pair[] = [
  ['an unknown user', INVALID],
  ['a user without a set', INVALID],
];
const WITH_SET: readonly Pair[] = [
  ['an invalid code, all consumed', INVALID],
  ['an invalid code, expired set', INVALID],
  ['a reused code, first place', INVALID],
  ['a reused code, last place', INVALID],
];
const VALID: readonly Pair[] = [['a valid code, last place', 'a valid code, first place']];
const SHOWN: readonly Pair[] = [
  ['an unknown user, never tried before', INVALID],
  ['a valid code, expired set', INVALID],
];
const LEAKS: readonly Omit<AttackPlan, 'classes'>[] = [
  { leak: 'no hash for unknown users', store: 'memory', slowHash: 'bcrypt', samples: 100 },
  { leak: 'half a hash for unknown users', store: 'memory', slowHash: 'bcrypt', samples: 100 },
  { leak: 'ten milliseconds more for users', store: 'sqlite', slowHash: 'bcrypt', samples: 100 },
  { leak: 'ten digests more for users', store: 'memory', slowHash: 'none', samples: 1000 },
  { leak: 'ten digests more for users', store: 'sqlite', slowHash: 'none', samples: 1000 },
];
/** Ten times the attempts that one name permits. */
const MIN_ATTEMPTS = 10 * 50;

async function main(): Promise<void> {
  const processor = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`;
  const load = (loadavg()[0] ?? 0).toFixed(1);
  process.stdout.write(`Node ${process.version}, ${processor}, load ${load}\n`);
  const failures: string[] = [];
  for (const store of ['memory', 'sqlite'] as const) failures.push(...(await testStore(store)));
  for (const plan of LEAKS) failures.push(...(await testLeak(plan)));
  process.stdout.write(
    failures.length === 0
      ? '\nAll classes are alike within their bounds, and every leak was seen.\n'
      : `\nFailed:\n${failures.join('\n')}\n`,
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
}

/** @returns the failures */
async function testStore(store: 'memory' | 'sqlite'): Promise<string[]> {
  const failedLogins = [...WITHOUT_SET, ...WITH_SET];
  const slow = await attack({
    store,
    slowHash: 'bcrypt',
    samples: 100,
    classes: classesOf(failedLogins),
  });
  const slowFailures = judge(`${store}, bcrypt`, {
    times: slow,
    pairs: failedLogins,
    judgePair: judgeStrictly,
  });
  const pairs = [...failedLogins, ...VALID, ...SHOWN];
  const bare = await attack({ store, slowHash: 'none', samples: 1000, classes: classesOf(pairs) });
  const judgeByAttempts = makeAttemptsJudge({
    slow: spreadOf(slow.get(INVALID) ?? []),
    bare: spreadOf(bare.get(INVALID) ?? []),
  });
  const judgePair = (comparison: Comparison, pair: Pair): Verdict => {
    if (SHOWN.includes(pair)) {
      return { text: `(shown) ${judgeByAttempts(comparison).text}`, isFailure: false };
    }
    return WITHOUT_SET.includes(pair) ? judgeByAttempts(comparison) : judgeStrictly(comparison);
  };
  const bareFailures = judge(`${store}, no slow hash`, { times: bare, pairs, judgePair });
  return [...slowFailures, ...bareFailures];
}

/** @returns a failure if the leak is not seen */
async function testLeak(plan: Omit<AttackPlan, 'classes'>): Promise<string[]> {
  const pairs: readonly Pair[] = [['an unknown user', INVALID]];
  const times = await attack({ ...plan, classes: classesOf(pairs) });
  return judge(`an app with a leak on ${plan.store}, ${plan.leak ?? ''}`, {
    times,
    pairs,
    judgePair: (comparison) =>
      isDistinguishable(comparison)
        ? { text: 'seen', isFailure: false }
        : { text: 'NOT SEEN', isFailure: true },
  });
}

/** Prints the comparison of each pair. @returns the pairs that fail */
function judge(title: string, { times, pairs, judgePair }: Judgement): string[] {
  const timesOf = (name: ClassName): readonly number[] => times.get(name) ?? [];
  const invalid = timesOf(INVALID);
  const spread = spreadOf(invalid);
  const visible = BOUND * spread * Math.sqrt(2 / invalid.length);
  const summary = [
    `${title}: ${invalid.length} samples`,
    `an invalid code takes ${quantile(invalid, 0.5).toFixed(0)} us, spread ${spread.toFixed(0)} us`,
    `a difference of ${visible.toFixed(0)} us is visible`,
  ];
  process.stdout.write(`\n${summary.join('; ')}\n`);
  process.stdout.write(formatLine(['', 'slower, us', 't', 'z'], ''));
  const failures: string[] = [];
  for (const pair of pairs) {
    const [name, comparedWith] = pair;
    const comparison = compare(timesOf(name), timesOf(comparedWith));
    const { text, isFailure } = judgePair(comparison, pair);
    const { difference, t, z } = comparison;
    const figures = [difference, t, z].map((figure) => figure.toFixed(1));
    process.stdout.write(formatLine([name, ...figures], text));
    if (isFailure) failures.push(`  ${title}: ${name}, compared with ${comparedWith}: ${text}`);
  }
  return failures;
}

function formatLine([name = '', ...figures]: readonly string[], text: string): string {
  const columns = figures.map((figure) => figure.padStart(11));
  return `  ${name.padEnd(36)}${columns.join('')}  ${text}\n`;
}

function judgeStrictly(comparison: Comparison): Verdict {
  return isDistinguishable(comparison)
    ? { text: 'DISTINGUISHABLE', isFailure: true }
    : { text: 'alike', isFailure: false };
}

/** Judges a difference by the number of attempts that an attacker needs to see it in the noise. */
function makeAttemptsJudge(spread: {
  readonly slow: number;
  readonly bare: number;
}): (comparison: Comparison) => Verdict {
  return (comparison) => {
    if (!isDistinguishable(comparison)) return { text: 'alike', isFailure: false };
    const attemptsThrough = (noise: number): number =>
      Math.ceil(((BOUND * noise) / comparison.difference) ** 2);
    const slowAttempts = attemptsThrough(spread.slow);
    const isFailure = slowAttempts < MIN_ATTEMPTS;
    const word = isFailure ? 'DISTINGUISHABLE' : 'alike';
    return {
      text: `${word} with bcrypt: ${slowAttempts} attempts; bare: ${attemptsThrough(spread.bare)}`,
      isFailure,
    };
  };
}

function classesOf(pairs: readonly Pair[]): ClassName[] {
  return [...new Set(pairs.flat())];
}

void main();
