// Opens the database for users, authenticators, backup codes and their audit trail: a SQLite file,
// or a PostgreSQL or MySQL server.
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect as KyselyDialect,
  Kysely,
  MysqlDialect,
  PostgresDialect,
  SqliteDialect,
} from 'kysely';
import { createPool } from 'mysql2';
import { createTables } from 'passport-backup-code/sql';
import { Pool } from 'pg';
import type { Config } from '../config';
import { createAppTables, type Tables } from './tables';

export type Database = Kysely<Tables>;

/**
 * Queues a notice to the owner in the transaction that changes the account, so that either both are
 * committed or neither is.
 */
export type QueueNotice = (db: Database) => Promise<void>;

/** For each process. Sessions in the same database have another pool of this size. */
export const POOL_SIZE = 5;
export const CONNECT_TIMEOUT_MS = 5000;

/**
 * Set explicitly, because the server's default is not known. The conditional writes of this app
 * wait for each other at this level; at stricter levels they fail.
 */
export const READ_COMMITTED = {
  postgres: 'set session characteristics as transaction isolation level read committed',
  mysql: 'set session transaction isolation level read committed',
} as const;

export async function openDatabase(
  { database, dataDir }: Pick<Config, 'database' | 'dataDir'>,
  report: (error: unknown) => void,
): Promise<Database> {
  const db: Database = new Kysely<Tables>({
    dialect:
      database === null
        ? sqlite(join(dataDir, 'app.sqlite'))
        : DIALECTS[database.kind](database.url, report),
  });
  try {
    await createAppTables(db, database?.kind ?? 'sqlite');
    await createTables({ database: db });
  } catch (error) {
    await db.destroy();
    throw database === null
      ? error
      : new Error(
          'DATABASE_URL: the server does not answer, or this user may not create tables.',
          { cause: error },
        );
  }
  return db;
}

/** Whether an insert failed because a row with the same key exists. */
export function isDuplicate(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' && DUPLICATE.includes(code);
}

const DUPLICATE = [
  'SQLITE_CONSTRAINT_UNIQUE',
  'SQLITE_CONSTRAINT_PRIMARYKEY',
  '23505',
  'ER_DUP_ENTRY',
];

const DIALECTS = { postgres, mysql } as const;

function sqlite(path: string): KyselyDialect {
  const file = new Sqlite(path);
  file.pragma('journal_mode = WAL');
  // By default libsql does not wait for a lock. A writer in another process is no reason to fail.
  file.pragma('busy_timeout = 5000');
  file.pragma('foreign_keys = ON');
  return new SqliteDialect({ database: file });
}

function postgres(url: string, report: (error: unknown) => void): KyselyDialect {
  const pool = new Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // A lost connection must not end the process. The pool reports errors of idle connections, the
  // client those of connections in use.
  pool.on('error', report);
  pool.on('connect', (client) => {
    client.on('error', report);
  });
  return new PostgresDialect({ pool, onCreateConnection: runFirst(READ_COMMITTED.postgres) });
}

function mysql(url: string): KyselyDialect {
  const pool = createPool({
    uri: url,
    connectionLimit: POOL_SIZE,
    connectTimeout: CONNECT_TIMEOUT_MS,
  });
  return new MysqlDialect({ pool, onCreateConnection: runFirst(READ_COMMITTED.mysql) });
}

function runFirst(statement: string): (connection: DatabaseConnection) => Promise<void> {
  return async (connection) => {
    await connection.executeQuery(CompiledQuery.raw(statement));
  };
}
