// The SQL databases that tests run on: SQLite in a file, PostgreSQL and MariaDB as real servers. Each test file has its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { createPool } from 'mysql2';
import { Pool } from 'pg';
import { describeWith, mariadb, postgres, type Server } from './servers';
import type { Connection } from './workers';

export interface SqlDatabaseUnderTest {
  readonly connection: Connection;
  /** A pool of its own, as another process would have. For SQLite always the same one: two in a process block each other. */
  connect(): Kysely<unknown>;
  /** The server, where there is one. */
  readonly server: Server | null;
}

export type SqlKind = 'SQLite' | 'PostgreSQL' | 'MariaDB';

type Isolation = 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';

const POOL_SIZE = 5;

/** Declares the tests for one database; what it opens is closed after them. */
export function describeOn(
  kind: SqlKind,
  title: string,
  body: (database: () => SqlDatabaseUnderTest) => void,
  options: { isolation?: Isolation } = {},
): void {
  const opened: Kysely<unknown>[] = [];
  const closeAll = async (): Promise<void> => {
    for (const kysely of opened.splice(0)) await kysely.destroy();
  };
  const keep = (kysely: Kysely<unknown>): Kysely<unknown> => {
    opened.push(kysely);
    return kysely;
  };
  if (kind === 'SQLite') {
    describe(title, () => {
      const dir = mkdtempSync(join(tmpdir(), 'backup-codes-sqlite-'));
      const url = join(dir, 'codes.db');
      const kysely = keep(openSqlite(url));
      afterAll(async () => {
        await closeAll();
        rmSync(dir, { recursive: true });
      });
      body(() => ({ connection: { kind: 'sqlite', url }, connect: () => kysely, server: null }));
    });
  } else if (kind === 'PostgreSQL') {
    describeWith(
      postgres,
      title,
      (server) => {
        afterAll(closeAll);
        body(() => ({
          connection: { kind: 'postgres', url: server().url },
          connect: () => keep(openPostgres(server().url)),
          server: server(),
        }));
      },
      options,
    );
  } else {
    describeWith(
      mariadb,
      title,
      (server) => {
        afterAll(closeAll);
        body(() => ({
          connection: { kind: 'mysql', url: server().url },
          connect: () =>
            keep(
              new Kysely<unknown>({
                dialect: new MysqlDialect({
                  pool: createPool({ uri: server().url, connectionLimit: POOL_SIZE }),
                }),
              }),
            ),
          server: server(),
        }));
      },
      options,
    );
  }
}

function openSqlite(file: string): Kysely<unknown> {
  const database = new Database(file);
  database.exec('PRAGMA busy_timeout = 5000');
  return new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
}

function openPostgres(url: string): Kysely<unknown> {
  const pool = new Pool({ connectionString: url, max: POOL_SIZE });
  // A connection whose server went away, idle or between two statements: without these it ends the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
}
