// requirements.md names every requirement once, with tests that exist. Each test of a requirement
// on the library or a store notices a break of the package.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { breaks } from './breaks/breaks';
import { isDeclared, STEP } from './breaks/test-names';

/** Every id of the standards' requirements on backup codes. */
const IDS = [
  'N-01',
  'A-6.5.3',
  'N-04',
  'A-6.5.4',
  'K-06',
  'N-21',
  'N-06',
  'N-07',
  'A-6.5.2',
  'A-11.4.2',
  'N-08',
  'N-09',
  'C-17',
  'C-15',
  'A-11.2.4',
  'K-09',
  'N-05',
  'A-6.5.1',
  'A-15.4.2',
  'W-04',
  'W-05',
  'W-06',
  'N-36',
  'W-19',
  'N-31',
  'N-34',
  'N-33',
  'W-32',
  'W-03',
  'W-30',
  'N-10',
  'N-11',
  'N-12',
  'N-13',
  'W-11',
  'W-08',
  'W-09',
  'W-10',
  'W-12',
  'W-28',
  'A-6.3.8',
  'W-26',
  'T-01',
  'T-02',
  'T-03',
  'C-06',
  'A-15.3.5',
  'W-13',
  'W-14',
  'W-15',
  'A-14.2.1',
  'X-01',
  'X-02',
  'C-09',
  'X-07',
  'X-08',
  'A-15.3.4',
  'W-27',
  'W-01',
  'W-02',
  'N-37',
  'C-10',
  'W-22',
  'O-01',
  'N-16',
  'N-17',
  'O-04',
  'N-03',
  'C-02',
  'W-17',
  'C-12',
  'W-18',
  'A-14.3.2',
  'W-20',
  'W-21',
  'A-16.5.3',
  'W-31',
  'F-01',
  'F-02',
  'F-03',
  'F-04',
  'F-05',
  'F-06',
  'F-07',
  'F-08',
  'F-09',
  'F-10',
  'F-11',
  'F-12',
  'F-13',
  'F-14',
  'N-20',
  'N-26',
  'A-6.4.5',
  'N-19',
  'N-23',
  'N-30',
  'N-35',
  'C-05',
  'A-6.4.6',
  'K-10',
  'A-14.2.7',
  'A-8.4.1',
  'D-09',
  'A-16.2',
  'A-16.3',
  'A-16.2.5',
  'E-08',
  'A-16.4.1',
  'E-01',
  'E-02',
  'E-03',
  'E-05',
  'B-01',
  'B-02',
  'B-03',
  'F-31',
  'F-32',
  'F-33',
  'D-01',
  'D-02',
  'D-03',
  'D-04',
  'D-05',
  'D-06',
  'D-07',
  'D-08',
  'D-10',
  'D-11',
  'D-12',
  'D-13',
  'D-14',
  'D-15',
  'M-01',
  'M-02',
  'M-03',
  'P-01',
  'P-02',
  'P-03',
  'P-04',
  'P-05',
  'X-03',
  'X-04',
  'X-05',
  'X-06',
  'axe',
];

interface Requirement {
  readonly ids: readonly string[];
  /** `L` for the library, `S` for a store, `A` for the example app. */
  readonly of: readonly string[];
  readonly tests: readonly string[];
}

const requirements = readFileSync(join(__dirname, 'requirements.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| (?!id |-)/.test(line))
  .map(readRow);

function readRow(line: string): Requirement {
  const [ids = '', of = '', text = '', shownBy = '', ...others] = line
    .replace(/^\| | \|$/g, '')
    .split(' | ');
  if (others.length > 0 || text === '')
    throw new Error(`This row does not have four cells: ${line}`);
  return {
    ids: ids.split(', ').flatMap(eachOf),
    of: of.split(' '),
    tests: shownBy.split('<br>').filter((part) => part.includes(STEP)),
  };
}

/** Splits `N-06/07` into N-06 and N-07, and `A-16.2/16.3` into. */
function eachOf(ids: string): string[] {
  const [first = '', ...others] = ids.split('/');
  return [first, ...others.map((other) => `${first.split('-')[0] ?? ''}-${other}`)];
}

/** Tests that run on no broken package: they need a server or a browser, or test the example. */
const isElsewhere = (test: string): boolean => /^(?:test\/servers|example-app)\//.test(test);
const onPackage = requirements.filter(({ of }) => of.includes('L') || of.includes('S'));

describe('requirements.md', () => {
  it('requirements.md has every requirement exactly once', () => {
    expect(requirements.flatMap(({ ids }) => ids).sort()).toEqual([...IDS].sort());
  });

  it('requirements.md says what each requirement is on, and names tests', () => {
    expect(
      requirements.filter(({ of }) => of.some((letter) => !['L', 'S', 'A'].includes(letter))),
    ).toEqual([]);
    expect(requirements.filter(({ tests }) => tests.length === 0)).toEqual([]);
  });

  it('requirements.md and the breaks name tests that exist', () => {
    const named = new Set([
      ...requirements.flatMap(({ tests }) => tests),
      ...breaks.flatMap(({ noticedBy }) => noticedBy),
    ]);
    expect([...named].filter((test) => !isDeclared(test))).toEqual([]);
  });

  it('Each test of a requirement on the library or a store notices a break', () => {
    const noticingTests = new Set(breaks.flatMap(({ noticedBy }) => noticedBy));
    expect(
      onPackage
        .flatMap(({ tests }) => tests)
        .filter((test) => !isElsewhere(test) && !noticingTests.has(test)),
    ).toEqual([]);
  });

  it('Each requirement on the library or a store has a break', () => {
    expect(onPackage.filter(({ ids }) => !breaks.some(({ id }) => ids.includes(id)))).toEqual([]);
    expect(breaks.filter(({ id }) => !IDS.includes(id))).toEqual([]);
  });
});

describe('SECURITY.md', () => {
  it('SECURITY.md promises only what tests show', () => {
    const page = readFileSync(join(__dirname, '../SECURITY.md'), 'utf8');
    const promises = page.split('## What is promised')[1]?.split('\n## ')[0] ?? '';
    const ids = promises
      .split('\n')
      .flatMap((line) => / \| ([A-Z][^|]*) \|$/.exec(line)?.[1]?.split(', ') ?? []);
    expect(ids.length).toBeGreaterThan(20);
    expect(ids.filter((id) => !IDS.includes(id))).toEqual([]);
  });
});
