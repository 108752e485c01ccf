// Whether the number of codes in a set changes the time: this package takes one slow hash for any
// set, the loop takes one for each code.
import { bcryptHasher } from '../lib';
import { openBackends, type Backend } from './backends';
import { invalidCode, validCode } from './cases';
import { bcryptLoop } from './contestants/bcrypt-loop';
import { MANY_FREE, thisPackage } from './contestants/this-package';
import { median, rowsOf, sample, type Case, type Effort } from './sampling';
import type { Table } from './table';
import type { Target } from './targets';

const COST = 12;
const COUNTS = [1, 10, 16, 32];
const ROUNDS = { quick: 3, full: 30 } as const;

export async function* setSizes(effort: Effort): AsyncGenerator<Table> {
  for await (const backend of openBackends('SQLite', 'PostgreSQL')) {
    const contestants = await Promise.all(
      COUNTS.map(async (count) =>
        thisPackage(`this package, set of ${count}`, {
          store: await backend.openStore(),
          hasher: bcryptHasher({ cost: COST }),
          count,
          lowAt: 0,
          attempts: MANY_FREE,
        }),
      ),
    );
    const kinds = {
      'valid code': contestants.map((contestant) => validCode(contestant)),
      'invalid code': contestants.map((contestant) => invalidCode(contestant)),
    };
    const ours = Object.values(kinds).flatMap(compareWithFirst);
    const loops = backend.name === 'SQLite' ? await loopCases(backend) : [];
    const samples = await sample([...ours, ...loops], { rounds: ROUNDS[effort] });
    const targets = Object.entries(kinds).map(([kind, cases]): Target => {
      const medians = cases.map(({ name }) => median(samples, name));
      return {
        claim: `${kind} on ${backend.name}, the slowest set size relative to the fastest`,
        figure: Math.max(...medians) / Math.min(...medians),
        bound: 1.05,
        must: 'be at most',
      };
    });
    yield {
      title: `${backend.name}: codes in a set (bcrypt ${COST})`,
      rows: rowsOf([...ours, ...loops], samples),
      targets,
    };
  }
}

/** Few samples, because the largest set takes 32 slow hashes for each. */
async function loopCases({ openDatabase }: Backend): Promise<Case[]> {
  if (!openDatabase) return [];
  const cases: Case[] = [];
  for (const count of COUNTS) {
    const loop = await bcryptLoop(await openDatabase(), { cost: COST, count });
    const contestant = { ...loop, name: `${loop.name}, set of ${count}` };
    cases.push(invalidCode(contestant, { everyRounds: 10 }));
  }
  return compareWithFirst(cases);
}

function compareWithFirst(cases: readonly Case[]): Case[] {
  return cases.map((single) => ({ ...single, beside: cases[0]?.name ?? '' }));
}
