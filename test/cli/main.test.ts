import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { BackupCodes } from '../../lib';
import { schemaSql, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';

/** Runs the program as npx does. */
function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(
    process.execPath,
    [
      '--require',
      join(__dirname, '../helpers/run-typescript.js'),
      join(__dirname, '../../lib/cli/main.ts'),
      ...args,
    ],
    { encoding: 'utf8' },
  );
}

describe('the program passport-backup-code', () => {
  it('new-pepper prints a pepper of 32 random bytes, with this year or a given id', () => {
    const first = run('new-pepper');
    const second = run('new-pepper', 'blue');
    expect(first.stdout).toMatch(
      new RegExp(`^${new Date().getUTCFullYear()}:[A-Za-z0-9+/]{43}=\n$`),
    );
    expect(second.stdout).toMatch(/^blue:[A-Za-z0-9+/]{43}=\n$/);
    expect(first.stdout.split(':')[1]).not.toBe(second.stdout.split(':')[1]);
  });

  it('--version prints the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as {
      version: string;
    };
    expect(run('--version')).toMatchObject({ status: 0, stdout: `${version}\n` });
  });

  it.each(['sqlite', 'postgres', 'mysql'] as const)('sql prints the tables for %s', (dialect) => {
    expect(run('sql', dialect).stdout).toBe(schemaSql(dialect));
  });

  it('sql prints SQL that creates working tables, and that can run again', async () => {
    const database = new Database(':memory:');
    const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
    const tables = run('sql', 'sqlite').stdout;
    database.exec(tables);
    const backupCodes = new BackupCodes({
      store: new SqlStore({ database: kysely }),
      hasher: countingHasher(),
    });
    const { codes } = await backupCodes.issue('ada');
    database.exec(tables);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'reused' });
    await kysely.destroy();
  });

  it.each([
    [],
    ['help'],
    ['sql'],
    ['sql', 'oracle'],
    ['new-pepper', 'none'],
    ['new-pepper', 'a b'],
    ['new-pepper', 'a', 'b'],
    ['adopt'],
    ['adopt', 'export.csv'],
  ])('The program prints its usage and fails if the arguments are %j', (...args) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('new-pepper');
  });
});
