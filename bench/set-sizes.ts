// Whether the number of codes in a set is felt: one slow hash whatever it is, against one for each.
import { bcryptHasher } from '../lib';
import { rightCode, wrongCode } from './cases';
import { bcryptLoop } from './contestants/bcrypt-loop';
import { MANY_FREE, thisPackage } from './contestants/this-package';
import { places, type Place } from './places';
import { median, rowsOf, sample, type Case, type Effort } from './rounds';
import type { Table } from './table';
import type { Target } from './targets';

const COST = 12;
const COUNTS = [1, 10, 16, 32];
const ROUNDS = { quick: 3, full: 30 } as const;

export async function* setSizes(effort: Effort): AsyncGenerator<Table> {
  for await (const place of places('SQLite', 'PostgreSQL')) {
    const contestants = await Promise.all(
      COUNTS.map(async (count) =>
        thisPackage(`this package, set of ${count}`, {
          store: await place.store(),
          hasher: bcryptHasher({ cost: COST }),
          count,
          lowAt: 0,
          attempts: MANY_FREE,
        }),
      ),
    );
    const kinds = {
      'right code': contestants.map((one) => rightCode(one)),
      'wrong code': contestants.map((one) => wrongCode(one)),
    };
    const ours = Object.values(kinds).flatMap((cases) =>
      cases.map((one): Case => ({ ...one, beside: cases[0]?.name ?? '' })),
    );
    const loops = place.name === 'SQLite' ? await loopCases(place) : [];
    const samples = await sample([...ours, ...loops], { rounds: ROUNDS[effort] });
    const targets = Object.entries(kinds).map(([kind, cases]): Target => {
      const medians = cases.map(({ name }) => median(samples, name));
      const claim = `${kind} on ${place.name}, the slowest number of codes to the quickest`;
      return {
        claim,
        figure: Math.max(...medians) / Math.min(...medians),
        bound: 1.05,
        must: 'be at most',
      };
    });
    yield {
      title: `${place.name}: codes in a set (bcrypt ${COST})`,
      rows: rowsOf([...ours, ...loops], samples),
      targets,
    };
  }
}

/** Rarely: the largest set takes 32 slow hashes. */
async function loopCases({ dialect }: Place): Promise<Case[]> {
  if (!dialect) return [];
  const cases: Case[] = [];
  for (const count of COUNTS) {
    const loop = await bcryptLoop(await dialect(), { cost: COST, count });
    cases.push(wrongCode({ ...loop, name: `${loop.name}, set of ${count}` }, { everyRounds: 10 }));
  }
  return cases.map((one) => ({ ...one, beside: cases[0]?.name ?? '' }));
}
