// Warns of a SQLite database that refuses a write soon while another process writes. It is not
// refused: a transaction that SQLite refused is run again, and a single process needs no timeout.
import { sql } from 'kysely';
import { warnOnce } from '../internal/warn-once';
import type { RunStatement } from './database';

/** SQLite lets one process write at a time. The others wait this long, and then fail. */
const MIN_TIMEOUT_MS = 5000;

/** Never throws: a database that does not answer is reported by the call that needs it. */
export async function warnOfShortTimeout(run: RunStatement): Promise<void> {
  const main = await run(sql`
    SELECT t.timeout, d.file
    FROM pragma_busy_timeout AS t, pragma_database_list AS d
    WHERE d.name = 'main'`).then(
    ({ rows }) => rows[0],
    () => undefined,
  );
  // A database in memory has no file, and belongs to this process alone.
  if (!main?.['file']) return;
  const timeout = Number(main['timeout']);
  if (timeout >= MIN_TIMEOUT_MS) return;
  warnOnce(
    'BACKUP_CODE_SQLITE_TIMEOUT',
    `SQLite has a busy_timeout of ${timeout} ms. While another process writes, a login is tried ` +
      `for two seconds, and then fails. ` +
      `Run "PRAGMA busy_timeout = ${MIN_TIMEOUT_MS}" on the connection.`,
  );
}
