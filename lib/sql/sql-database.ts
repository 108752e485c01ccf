// What an app may give as its database. Recognised by shape and never by class: packages are often
// installed twice, and Kysely has two builds. Imports no driver, so that the types of none are
// needed.

/** A `Kysely`. */
export interface KyselyDatabase {
  /** Runs queries, and knows the dialect. */
  getExecutor(): unknown;
  /** Begins a transaction. */
  transaction(): unknown;
}

/** A `Pool` of `pg`. */
export interface PgPool {
  /** How many connections the pool has. A `Client` has no such count. */
  readonly totalCount: number;
  /** Takes a connection from the pool. */
  connect(): unknown;
}

/** A pool of `mysql2`. */
export interface Mysql2Pool {
  /** Takes a connection from the pool. */
  getConnection(callback: never): unknown;
  /** The pool with promises. A single connection has this method, but not the other. */
  promise(): unknown;
}

/** A pool of `mysql2/promise`. */
export interface Mysql2PromisePool {
  /** The pool with callbacks behind it. */
  readonly pool: Mysql2Pool;
}

/** A database of better-sqlite3 or libsql. */
export interface SqliteDatabase {
  /** Prepares a statement. */
  prepare(source: string): unknown;
  /** Runs a PRAGMA. A database of `node:sqlite` has no such method. */
  pragma(source: string): unknown;
}

/** A `DatabaseSync` of `node:sqlite`, on Node 22.13 or later. */
export interface NodeSqliteDatabase {
  /** Prepares a statement. */
  prepare(source: string): unknown;
  /** Begins to record changes. Only a database of `node:sqlite` has this method. */
  createSession(): unknown;
  /** Closes the database. */
  close(): void;
}

/** The database that an app has. */
export type SqlDatabase =
  KyselyDatabase | PgPool | Mysql2Pool | Mysql2PromisePool | SqliteDatabase | NodeSqliteDatabase;

export type DatabaseKind = 'kysely' | 'pg' | 'mysql2' | 'mysql2/promise' | 'sqlite' | 'node:sqlite';

/** @returns `null` if it is none of them */
export function databaseKind(given: unknown): DatabaseKind | null {
  if (hasMethods(given, ['getExecutor', 'transaction'])) return 'kysely';
  if (hasMethods(given, ['connect', 'query']) && typeof read(given, 'totalCount') === 'number') {
    return 'pg';
  }
  if (hasMethods(given, ['getConnection', 'promise'])) return 'mysql2';
  if (hasMethods(read(given, 'pool'), ['getConnection', 'promise'])) return 'mysql2/promise';
  if (hasMethods(given, ['prepare', 'pragma', 'transaction'])) return 'sqlite';
  if (hasMethods(given, ['prepare', 'createSession', 'close'])) return 'node:sqlite';
  return null;
}

export function hasMethods(given: unknown, names: readonly string[]): boolean {
  return names.every((name) => typeof read(given, name) === 'function');
}

/** A property of anything; `undefined` if it has none. Knex is a function with properties. */
export function read(given: unknown, name: string): unknown {
  const hasProperties =
    (typeof given === 'object' && given !== null) || typeof given === 'function';
  return hasProperties ? Reflect.get(given, name) : undefined;
}
