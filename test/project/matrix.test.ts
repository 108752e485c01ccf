// The matrix is what package.json promises, and what CI runs: no version of one is missing in the
// other. Runs no part of it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatTable } from '../matrix/table';
import { APPS, NODES, runsOn, versionsOf } from '../matrix/versions';

const { engines, peerDependencies } = JSON.parse(
  readFileSync(join(__dirname, '../../package.json'), 'utf8'),
) as { engines: { node: string }; peerDependencies: Record<string, string> };

describe('the matrix', () => {
  it('begins with the oldest Node that engines admits', () => {
    expect(engines.node).toBe(`>=${NODES[0]}`);
  });

  it.each(Object.entries(peerDependencies))(
    'has each version of %s that is promised (%s), and no other',
    (name, range) => {
      const tried = Object.values(APPS).map(
        (app: Readonly<Record<string, string>>) => app[name] ?? 'none',
      );
      expect([...new Set(tried)].map((version) => `^${version}`).join(' || ')).toBe(range);
    },
  );

  it('runs Kysely 0.29 from Node 22 on, where it runs, and 0.28 on every Node', () => {
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

  it('prints a table', () => {
    expect(
      formatTable([
        ['', 'Node 20'],
        ['Express', 'ok'],
      ]),
    ).toBe('         Node 20\nExpress  ok\n');
  });
});
