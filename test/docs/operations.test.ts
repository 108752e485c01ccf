// The tests that docs/operations.md names exist, and each row names one.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeclared, ROOT } from '../breaks/test-names';

const rows = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.slice(2, -2).split(' | '))
  .slice(1);

it.each(rows.map((cells) => [cells[0] ?? '', cells.at(-1) ?? '']))(
  'the answer to "%s" names tests that exist',
  (_what, shownBy) => {
    const references = shownBy.split('<br>');
    expect(references.filter((reference) => !isDeclared(reference))).toEqual([]);
  },
);

it('each row has four cells', () => {
  expect(rows.filter((cells) => cells.length !== 4)).toEqual([]);
});
