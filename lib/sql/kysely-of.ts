// The Kysely that runs the statements: the app's own, or one on the app's pool. Opens and closes no
// connection.
import { Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely';
import type {
  Dialect as KyselyDialect,
  MysqlPool,
  PostgresPool,
  SqliteDatabase as KyselySqliteDatabase,
} from 'kysely';
import { BackupCodeError } from '../errors';
import { checkedPool } from './checked-pool';
import type { Dialect } from './dialect';
import { nodeSqliteDialect } from './node-sqlite';
import { refusedDatabase } from './refused-database';
import { databaseKind, read, type DatabaseKind, type NodeSqliteDatabase } from './sql-database';

/**
 * One Kysely for each database. Two on one SQLite connection would run their transactions into each
 * other: the queue for the connection is in the Kysely.
 */
const kyselys = new WeakMap<object, Kysely<unknown>>();

/** @throws {BackupCodeError} `invalid_option` */
export function kyselyOf(database: unknown): Kysely<unknown> {
  const kind = databaseKind(database);
  if (kind === null) throw refusedDatabase(database);
  if (kind === 'kysely') return database as Kysely<unknown>;
  const driver = kind === 'mysql2/promise' ? read(database, 'pool') : database;
  const existing = kyselys.get(driver as object);
  if (existing) return existing;
  const kysely = new Kysely<unknown>({ dialect: kyselyDialect(kind, driver) });
  kyselys.set(driver as object, kysely);
  return kysely;
}

function kyselyDialect(kind: Exclude<DatabaseKind, 'kysely'>, driver: unknown): KyselyDialect {
  if (kind === 'pg') return new PostgresDialect({ pool: driver as PostgresPool });
  if (kind === 'node:sqlite') return nodeSqliteDialect(driver as NodeSqliteDatabase);
  if (kind === 'sqlite') return new SqliteDialect({ database: driver as KyselySqliteDatabase });
  return new MysqlDialect({ pool: checkedPool(driver as MysqlPool) });
}

/**
 * Which dialect a Kysely speaks, by the flags of its adapter.
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function dialectOf(kysely: Kysely<unknown>): Dialect {
  const adapter = read(kysely.getExecutor(), 'adapter');
  if (adapter === undefined) {
    throw new BackupCodeError('invalid_option', 'database must be a Kysely that can run queries.');
  }
  if (read(adapter, 'supportsOutput') === true) {
    throw new BackupCodeError(
      'invalid_option',
      'database must be a Kysely for SQLite, PostgreSQL, MySQL or MariaDB, not for SQL Server.',
    );
  }
  if (read(adapter, 'supportsReturning') !== true) return 'mysql';
  return read(adapter, 'supportsTransactionalDdl') === true ? 'postgres' : 'sqlite';
}
