// A verification as the table grows from a thousand to a million users, on SQLite and PostgreSQL.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, PostgresDialect, sql, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { Pool } from 'pg';
import { BackupCodes } from '../lib';
import { createTables, SqlStore } from '../lib/sql';
import { postgres } from '../test/helpers/servers';
import { quickHasher } from './quick-hasher';
import { measure, type Table } from './table';

const SIZES = [1_000, 100_000, 1_000_000];
const ITERATIONS = 200;

export async function* growth(): AsyncGenerator<Table> {
  const dir = mkdtempSync(join(tmpdir(), 'backup-codes-bench-'));
  const file = new Database(join(dir, 'codes.db'));
  file.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL');
  yield* grow('SQLite', new Kysely<unknown>({ dialect: new SqliteDialect({ database: file }) }));
  rmSync(dir, { recursive: true });

  const missing = postgres.missing();
  if (missing !== null) {
    process.stdout.write(`\nSkipped: ${missing}\n`);
    return;
  }
  const server = await postgres.start({ fsync: 'on' });
  try {
    yield* grow('PostgreSQL', new Kysely<unknown>({ dialect: new PostgresDialect({ pool: new Pool({ connectionString: server.url }) }) }));
  } finally {
    await server.stop();
  }
}

async function* grow(name: string, db: Kysely<unknown>): AsyncGenerator<Table> {
  await createTables(db);
  const backupCodes = new BackupCodes({ store: new SqlStore(db), hasher: quickHasher });
  const rows: Table['rows'][number][] = [];
  let users = 0;
  for (const size of SIZES) {
    await fill(db, users, size);
    users = size;
    const ready: { user: string; code: string }[] = [];
    for (let n = 0; n < (ITERATIONS * 1.2) / 10; n += 1) {
      const user = `measured-${size}-${n}`;
      ready.push(...(await backupCodes.issue(user)).codes.map((code) => ({ user, code })));
    }
    const consume = async (): Promise<void> => {
      const { user, code } = ready.pop() ?? { user: '', code: '' };
      if (!(await backupCodes.consume(user, code)).ok) throw new Error('A right code was refused.');
    };
    const { rows: measured } = await measure('', [[`${size.toLocaleString('en')} users`, consume]], { iterations: ITERATIONS });
    rows.push(...measured);
  }
  const base = rows[0]?.medianMs ?? NaN;
  yield { title: `A right code on ${name}, as the table grows (no slow hash)`, rows: rows.map((row) => ({ ...row, ratio: row.medianMs / base })) };
  await db.destroy();
}

/** Users with one code each, made by the database itself: they are there to be passed over. */
async function fill(db: Kysely<unknown>, from: number, to: number): Promise<void> {
  const range = sql`WITH RECURSIVE r(n) AS (SELECT CAST(${from} AS integer) UNION ALL SELECT n + 1 FROM r WHERE n + 1 < ${to})`;
  const key = sql`'filler-' || n`;
  await sql`INSERT INTO backup_code_users (user_key, user_id, set_id, format, salt, pepper_check, total, remaining, created_at)
    ${range} SELECT ${key}, ${key}, ${key}, '{}', '$none$', '', 1, 1, 0 FROM r`.execute(db);
  await sql`INSERT INTO backup_codes (code_id, user_key, set_id, salt, digest, created_at) ${range} SELECT ${key}, ${key}, ${key}, '', '', 0 FROM r`.execute(db);
}
