import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { schemaScript } from '../lib/sql/schema';

/** The command, as npx runs it. */
function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--require', join(__dirname, 'helpers/run-typescript.js'), join(__dirname, '../lib/cli.ts'), ...args], { encoding: 'utf8' });
}

describe('the command passport-backup-code', () => {
  it("prints a new pepper of 32 random bytes, under this year or an id of one's own", () => {
    const [first, second] = [run('new-pepper'), run('new-pepper', 'blue')];
    expect(first.stdout).toMatch(new RegExp(`^${new Date().getUTCFullYear()}:[A-Za-z0-9+/]{43}=\n$`));
    expect(second.stdout).toMatch(/^blue:[A-Za-z0-9+/]{43}=\n$/);
    expect(first.stdout.split(':')[1]).not.toBe(second.stdout.split(':')[1]);
  });

  it.each(['sqlite', 'postgres', 'mysql'] as const)('prints the tables for %s', (dialect) => {
    expect(run('sql', dialect).stdout).toBe(schemaScript(dialect));
  });

  it.each([[], ['help'], ['sql'], ['sql', 'oracle'], ['new-pepper', 'none'], ['new-pepper', 'a b'], ['new-pepper', 'a', 'b']])('answers %j with its usage, and fails', (...args) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('new-pepper');
  });
});
