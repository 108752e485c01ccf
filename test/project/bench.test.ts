// The arithmetic of the bench's tables. No test asserts what the bench measures, because the
// machine may be busy.
import { medianRatio, plainCase, rowsOf, sample, type Case } from '../../bench/sampling';
import { formatTable, type Row } from '../../bench/table';
import { formatTarget, isReached, type Target } from '../../bench/targets';

const samples = new Map([
  ['limit', [4, 1, 3, 2, 5]],
  ['ours', [9, 6, 3, 12, 30]],
]);

describe('a row of a table', () => {
  it('A row has the median, the quartiles and the ratio of two medians', () => {
    expect(rowsOf([{ name: 'limit' }, { name: 'ours', beside: 'limit' }], samples)).toEqual([
      { name: 'limit', figures: { 'median ms': 3, '25 %': 2, '75 %': 4, samples: 5 } },
      {
        name: 'ours',
        figures: { 'median ms': 9, '25 %': 6, '75 %': 12, samples: 5, ratio: 3, to: 'limit' },
      },
    ]);
    expect(medianRatio(samples, ['limit', 'ours'])).toBeCloseTo(1 / 3, 12);
  });

  it('A row has NaN as the ratio if a case has no samples', () => {
    expect(medianRatio(samples, ['ours', 'missing'])).toBeNaN();
  });
});

describe('a target', () => {
  const target = (must: Target['must'], figure: number): Target => ({
    claim: 'a claim',
    figure,
    bound: 1.05,
    must,
  });

  it.each([
    ['be at most', 1.05, 1.0501],
    ['be at least', 1.05, 1.0499],
    ['stay under', 1.0499, 1.05],
  ] as const)('A target that must %s 1.05 is reached by %d and missed by %d', (must, good, bad) => {
    expect(isReached(target(must, good))).toBe(true);
    expect(isReached(target(must, bad))).toBe(false);
  });

  it.each(['be at most', 'be at least', 'stay under'] as const)(
    'A target that must %s its bound is missed if the figure is NaN',
    (must) => {
      expect(isReached(target(must, NaN))).toBe(false);
    },
  );

  it('A target is printed with its figure, whether it is reached or missed', () => {
    expect(formatTarget(target('be at most', 1.0012))).toBe(
      'reached  a claim: 1.001, must be at most 1.050',
    );
    expect(formatTarget(target('stay under', 2))).toBe(
      'MISSED   a claim: 2, must stay under 1.050',
    );
  });
});

it('a table is printed in columns, with a gap for each figure that a row does not have', () => {
  const rows: Row[] = [
    { name: 'first', figures: { count: 50, ratio: 0.5 } },
    { name: 'the second', figures: { count: 7, ms: 1234.5 } },
  ];
  expect(formatTable({ title: 'A title', rows })).toBe(
    [
      '',
      'A title',
      '              count  ratio    ms',
      '  first          50  0.500',
      '  the second      7         1235',
      '',
    ].join('\n'),
  );
});

it('each round of samples starts with the next case, and the first round is dropped', async () => {
  const order: string[] = [];
  const stopwatch = ({ name, perRound = 1 }: Case): Promise<number[]> => {
    order.push(name.repeat(perRound));
    return Promise.resolve(Array<number>(perRound).fill(order.length));
  };
  const [a, b, c] = ['a', 'b', 'c'].map((name) => plainCase(name, () => Promise.resolve()));
  const taken = await sample([a!, { ...b!, perRound: 2 }, { ...c!, everyRounds: 2 }], {
    rounds: 2,
    stopwatch,
  });
  expect(order).toEqual(['a', 'bb', 'c', 'bb', 'c', 'a', 'a', 'bb']);
  expect(Object.fromEntries(taken)).toEqual({ a: [6, 7], b: [4, 4, 8, 8], c: [5] });
});
