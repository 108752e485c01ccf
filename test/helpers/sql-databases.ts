// The SQL databases that tests run on: SQLite in a file, PostgreSQL and MariaDB as real servers.
// Each test file has its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { createPool, type Pool as MysqlPool } from 'mysql2';
import { Pool as PostgresPool } from 'pg';
import type { SqlDatabase } from '../../lib/sql';
import { describeWith, mariadb, postgres, type Server } from './servers';
import type { Connection } from './workers';

export interface SqlDatabaseUnderTest {
  readonly connection: Connection;
  /**
   * A Kysely on a pool of its own, as another process has. On SQLite it is always the same one: two
   * connections in a process block each other.
   */
  connect(): Kysely<unknown>;
  /** The pool of the driver, for an app that does not use Kysely. */
  open(): SqlDatabase;
  /** `null` for SQLite. */
  readonly server: Server | null;
}

export type SqlKind = 'SQLite' | 'PostgreSQL' | 'MariaDB';

type Isolation = 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';

const POOL_SIZE = 5;

/** Declares the tests for one database. What it opens is closed after them. */
export function describeOn(
  kind: SqlKind,
  title: string,
  body: (database: () => SqlDatabaseUnderTest) => void,
  options: { isolation?: Isolation } = {},
): void {
  if (kind === 'SQLite') describeOnSqlite(title, body);
  else if (kind === 'PostgreSQL') describeOnPostgres(title, body, options);
  else describeOnMariadb(title, body, options);
}

type Body = (database: () => SqlDatabaseUnderTest) => void;

function describeOnSqlite(title: string, body: Body): void {
  describe(title, () => {
    const directory = mkdtempSync(join(tmpdir(), 'backup-codes-sqlite-'));
    const url = join(directory, 'codes.db');
    const database = new Database(url);
    database.exec('PRAGMA busy_timeout = 5000');
    const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
    afterAll(async () => {
      await kysely.destroy();
      database.close();
      rmSync(directory, { recursive: true });
    });
    body(() => ({
      connection: { kind: 'sqlite', url },
      connect: () => kysely,
      open: () => database,
      server: null,
    }));
  });
}

function describeOnPostgres(title: string, body: Body, options: { isolation?: Isolation }): void {
  describeWith(
    postgres,
    title,
    (server) => {
      const pools: PostgresPool[] = [];
      afterAll(async () => {
        for (const pool of pools) await pool.end();
      });
      const open = (): PostgresPool => {
        const pool = openPostgres(server().url);
        pools.push(pool);
        return pool;
      };
      body(() => ({
        connection: { kind: 'postgres', url: server().url },
        connect: () => new Kysely<unknown>({ dialect: new PostgresDialect({ pool: open() }) }),
        open,
        server: server(),
      }));
    },
    options,
  );
}

function openPostgres(url: string): PostgresPool {
  const pool = new PostgresPool({ connectionString: url, max: POOL_SIZE });
  // If the server goes away, idle or between two statements, the process would end without these.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
  return pool;
}

function describeOnMariadb(title: string, body: Body, options: { isolation?: Isolation }): void {
  describeWith(
    mariadb,
    title,
    (server) => {
      const pools: MysqlPool[] = [];
      afterAll(async () => {
        for (const pool of pools) await pool.promise().end();
      });
      const open = (): MysqlPool => {
        const pool = createPool({ uri: server().url, connectionLimit: POOL_SIZE });
        pools.push(pool);
        return pool;
      };
      body(() => ({
        connection: { kind: 'mysql', url: server().url },
        connect: () => new Kysely<unknown>({ dialect: new MysqlDialect({ pool: open() }) }),
        open,
        server: server(),
      }));
    },
    options,
  );
}
