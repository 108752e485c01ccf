// The options of the stores and of createTables, checked at once.
import type { Kysely } from 'kysely';
import { BackupCodeError } from '../errors';
import { assertOptions, describe } from '../internal/validate';
import type { Dialect } from './dialect';
import { dialectOf, kyselyOf } from './kysely-of';
import { databaseKind, type SqlDatabase } from './sql-database';
import { readTableNames, type TableNames, type TableOptions } from './table-names';

/** What `createTables` takes. */
export interface CreateTablesOptions extends TableOptions {
  /**
   * The database that your app has: a Kysely, a `Pool` of `pg`, a pool of `mysql2` (of
   * `mysql2/promise` too), or a database of better-sqlite3, libsql or `node:sqlite`. It stays
   * yours: nothing here opens a connection or closes one.
   *
   * On SQLite the store's transactions run on this one connection. While a call of the store is
   * pending, what you write on the same connection becomes part of its transaction, unless you
   * write through the same Kysely. Set `busy_timeout` to 5000 or more if other processes write too.
   */
  readonly database: SqlDatabase;
}

/** What `SqlStore` and `SqlApprovalStore` take. */
export interface SqlStoreOptions extends CreateTablesOptions {
  /**
   * `create` makes the tables that are missing at the first use of the store, as `createTables`
   * does. If that fails, the call fails, and the next call tries again. Leave it out if your
   * migrations make the tables.
   */
  readonly tables?: 'create' | undefined;
}

/** The checked options. */
export interface DatabaseConfig {
  readonly kysely: Kysely<unknown>;
  readonly dialect: Dialect;
  readonly names: TableNames;
  readonly createsTables: boolean;
}

const TABLE_OPTIONS = ['database', 'schema', 'tablePrefix'];

/** @throws {BackupCodeError} `invalid_option` */
export function readCreateTablesOptions(options: CreateTablesOptions): DatabaseConfig {
  assertNoDatabase('createTables({ database })', options);
  assertOptions('createTables', options, TABLE_OPTIONS);
  return { ...readDatabase(options), createsTables: true };
}

/**
 * A store makes transactions of its own, so it takes no transaction.
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function readStoreOptions(store: string, options: SqlStoreOptions): DatabaseConfig {
  assertNoDatabase(`new ${store}({ database })`, options);
  assertOptions(store, options, [...TABLE_OPTIONS, 'tables']);
  const { tables } = options;
  if (tables !== undefined && tables !== 'create') {
    const given = typeof tables === 'string' ? JSON.stringify(tables) : describe(tables);
    throw new BackupCodeError(
      'invalid_option',
      `tables must be 'create' or left out, but was ${given}.`,
    );
  }
  const database = readDatabase(options);
  if (database.kysely.isTransaction) {
    throw new BackupCodeError(
      'invalid_option',
      'database is a transaction, which ends before the store does. Pass the Kysely that began it.',
    );
  }
  return { ...database, createsTables: tables === 'create' };
}

function readDatabase(options: CreateTablesOptions): Omit<DatabaseConfig, 'createsTables'> {
  const kysely = kyselyOf(options.database);
  const dialect = dialectOf(kysely);
  return { kysely, dialect, names: readTableNames(dialect, options) };
}

/** The properties of a pool would be reported as unknown options. */
function assertNoDatabase(call: string, options: unknown): void {
  if (databaseKind(options) === null) return;
  throw new BackupCodeError('invalid_option', `The database is an option: write ${call}.`);
}
