// SqlStore on node:sqlite, which needs no native package. It runs on each version of Node that has
// it, and on the first.
import { join } from 'node:path';
import { outputOf } from '../helpers/packed';
import { installNode } from '../matrix/programs';
import { majorOf, NODES } from '../matrix/versions';

const VERSIONS = ['22.13', ...NODES.filter((version) => majorOf(version) >= 22)];
const ROOT = join(__dirname, '../..');

describe('SqlStore on node:sqlite', () => {
  it.each(VERSIONS)(
    'SqlStore passes the contract on node:sqlite of Node %s, without another package',
    async (version) => {
      const output = await outputOf(
        [
          await installNode(version),
          '--require',
          './test/helpers/run-typescript.js',
          '--test-reporter=tap',
          'test/servers/children/node-sqlite.ts',
        ],
        { cwd: ROOT },
      );
      expect(output).toMatch(/^# fail 0$/m);
      expect(Number(/^# pass (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(90);
    },
    300_000,
  );
});
