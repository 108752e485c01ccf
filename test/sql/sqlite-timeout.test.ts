// The warning about a SQLite file that refuses a write at once while another process writes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import type * as entry from '../../lib/sql';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'backup-codes-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it.each([
  { timeout: 0, times: 1 },
  { timeout: 1000, times: 1 },
  { timeout: 5000, times: 0 },
])(
  'a SQLite file with a busy_timeout of $timeout ms causes $times warnings for two stores',
  async ({ timeout, times }) => {
    const warning = [
      expect.stringContaining(`busy_timeout of ${timeout} ms`),
      { code: 'BACKUP_CODE_SQLITE_TIMEOUT' },
    ];
    expect(await warningsOf({ file: join(directory, 'codes.db'), timeout })).toEqual(
      new Array(times).fill(warning),
    );
  },
);

it('a SQLite database in memory causes no warning, because no other process has it', async () => {
  expect(await warningsOf({ file: ':memory:', timeout: 0 })).toEqual([]);
});

async function warningsOf({
  file,
  timeout,
}: {
  readonly file: string;
  readonly timeout: number;
}): Promise<unknown[]> {
  const database = new Database(file);
  database.exec(`PRAGMA busy_timeout = ${timeout}`);
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  try {
    // A process warns once. Here each case is a process of its own.
    await jest.isolateModulesAsync(async () => {
      const { createTables, SqlStore } = jest.requireActual<typeof entry>('../../lib/sql');
      await createTables({ database });
      await new SqlStore({ database }).nameKey();
      await new SqlStore({ database }).nameKey();
    });
    return [...warn.mock.calls];
  } finally {
    warn.mockRestore();
    database.close();
  }
}
