// Each break still applies to the code. requirements.test.ts checks that the tests it names exist,
// and run.ts that they fail.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import { breaks } from './breaks';
import { isDeclared, namePattern, parseReference, readTestNames, ROOT } from './test-names';

const source = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

describe('breaks', () => {
  it('Each break finds its string exactly once', () => {
    expect(breaks.filter(({ file, find }) => source(file).split(find).length !== 2)).toEqual([]);
    expect(breaks.filter(({ find, replace }) => replace === find)).toEqual([]);
  });

  it('Each break compiles, so that tests fail because of the change', () => {
    for (const { file, find, replace } of breaks) {
      const spoilt = source(file).split(find).join(replace);
      expect(() =>
        transformSync(spoilt, {
          jsc: { parser: { syntax: 'typescript', tsx: file.endsWith('.tsx') } },
        }),
      ).not.toThrow();
    }
  });

  it('Each break is noticed by a test', () => {
    expect(breaks.filter(({ noticedBy }) => noticedBy.length === 0)).toEqual([]);
  });
});

describe('the names of tests', () => {
  const names = readTestNames(`
    describe('a thing', () => {
      it('does this', () => undefined);
      it.each([[1]])('does %d of $what.kind', () => undefined);
      describe.each(kinds)(\`on \${kind}\`, (kind) => {
        test('works', async () => { await it.next(); });
      });
      for (const end of ends) runner.it(\`ends by \${end}\`, () => undefined);
    });
    describeOn(kind, 'on a database', () => { it('keeps', () => undefined); });
    it.skip('is left out', () => undefined);
    it(nameOf(thing), () => undefined);
  `);

  it('Test names are read with their groups, and with … for inserted values', () => {
    expect(names).toEqual([
      ['a thing', 'does this'],
      ['a thing', 'does … of …'],
      ['a thing', 'on …', 'works'],
      ['a thing', 'ends by …'],
      ['on a database', 'keeps'],
    ]);
  });

  it('Tests are found by their exact name, with or without groups', () => {
    const here = 'test/breaks/breaks.test.ts';
    expect(isDeclared(`${here} › breaks › Each break is noticed by a test`)).toBe(true);
    expect(isDeclared(`${here} › Each break is noticed by a test`)).toBe(true);
    for (const other of [
      'breaks',
      'the names of tests › Each break is noticed by a test',
      'Each break is noticed',
      'Each break is noticed by a test.',
    ]) {
      expect(isDeclared(`${here} › ${other}`)).toBe(false);
    }
    expect(isDeclared(here)).toBe(false);
    expect(isDeclared('test/breaks/none.test.ts › Each break is noticed by a test')).toBe(false);
  });

  it('A reference makes a pattern that only its test matches', () => {
    const pattern = new RegExp(namePattern(parseReference('file › a thing › does … (of two)')));
    expect(
      [
        'a thing does 1 (of two)',
        'a thing on SQLite does 1 (of two)',
        'other a thing does 1 (of two)',
      ].map((name) => pattern.test(name)),
    ).toEqual([true, true, true]);
    expect(
      ['a thing does 1 (of two) things', 'does 1 (of two)', 'a thing does 1 of two'].map((name) =>
        pattern.test(name),
      ),
    ).toEqual([false, false, false]);
  });
});
