// Each row of the table "Your database" of the README, run as an app with packages of its own.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeOn } from '../helpers/sql-databases';

const execute = promisify(execFile);
const HOST = join(__dirname, '../hosts/databases');

async function run(library: string, url: string): Promise<string> {
  const { stdout } = await execute(process.execPath, ['run.js', library, url], {
    cwd: HOST,
    timeout: 60_000,
  });
  return stdout;
}

beforeAll(async () => {
  await execute('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: HOST,
    timeout: 240_000,
  });
}, 240_000);

describeOn('PostgreSQL', 'an app on PostgreSQL', (database) => {
  it.each(['pg', 'knex', 'drizzle', 'typeorm', 'prisma adapter'])(
    'An app shares the pool of %s with SqlStore',
    async (library) => {
      expect(await run(library, database().connection.url)).toBe('shared\n');
    },
  );
});

describeOn('MariaDB', 'an app on MariaDB', (database) => {
  it.each(['mysql2', 'mysql2/promise'])(
    'An app shares the pool of %s with SqlStore',
    async (library) => {
      expect(await run(library, database().connection.url)).toBe('shared\n');
    },
  );
});

describe('an app on SQLite', () => {
  it('An app shares the connection of libsql with SqlStore', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'backup-codes-host-'));
    try {
      expect(await run('libsql', join(dir, 'app.db'))).toBe('shared\n');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
