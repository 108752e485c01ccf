// The versions in the matrix are those that package.json promises. Runs no check of the matrix.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatTable } from '../matrix/table';
import { APPS, NODES, runsOn, versionsOf } from '../matrix/versions';

const { engines, peerDependencies } = JSON.parse(
  readFileSync(join(__dirname, '../../package.json'), 'utf8'),
) as { engines: { node: string }; peerDependencies: Record<string, string> };

describe('the matrix', () => {
  it('The matrix starts with the oldest Node that package.json permits', () => {
    expect(engines.node).toBe(`>=${NODES[0]}`);
  });

  it.each(Object.entries(peerDependencies))(
    'The matrix has exactly the versions of %s that package.json promises (%s)',
    (name, range) => {
      const versions = Object.values(APPS).map(
        (app: Readonly<Record<string, string>>) => app[name] ?? 'missing',
      );
      expect([...new Set(versions)].map((version) => `^${version}`).join(' || ')).toBe(range);
    },
  );

  it('The matrix has Kysely 0.28 on every Node, and 0.29 from Node 22 on', () => {
    expect(NODES.filter((node) => runsOn('kysely@0.29', node))).toEqual(['22', '24', '26']);
    expect(
      NODES.map((node) => [
        versionsOf('oldest', node)['kysely'],
        versionsOf('newest', node)['kysely'],
      ]),
    ).toEqual([
      ['0.28', '0.28'],
      ['0.28', '0.29'],
      ['0.28', '0.29'],
      ['0.28', '0.29'],
    ]);
  });

  it('The matrix prints its results as a table', () => {
    expect(
      formatTable([
        ['', 'Node 20'],
        ['Express', 'ok'],
      ]),
    ).toBe('         Node 20\nExpress  ok\n');
  });
});
