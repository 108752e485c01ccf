// Kysely's dialect on a database of node:sqlite. Does not import node:sqlite, which Node 20 lacks.
import { SqliteDialect } from 'kysely';
import type {
  DatabaseIntrospector,
  DialectAdapter,
  Driver,
  QueryCompiler,
  SqliteDatabase as KyselyDatabase,
  SqliteStatement as KyselyStatement,
} from 'kysely';
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';
import { databaseKind, read, type NodeSqliteDatabase } from './sql-database';

/**
 * A `Dialect` for the Kysely of your app. Kysely 0.28 has two builds, and TypeScript keeps their
 * classes apart: this type names none, so that it is a `Dialect` of both.
 */
export interface NodeSqliteDialect {
  /** What Kysely can expect of SQLite. */
  createAdapter(): NodeSqliteAdapter;
  /** Runs queries on the one connection. */
  createDriver(): Driver;
  /** Lists the tables. */
  createIntrospector(kysely: never): DatabaseIntrospector;
  /** Writes the SQL of SQLite. */
  createQueryCompiler(): QueryCompiler;
}

type MigrationLock = 'acquireMigrationLock' | 'releaseMigrationLock';

/** A `DialectAdapter` of Kysely, in the terms of {@link NodeSqliteDialect}. */
export interface NodeSqliteAdapter extends Omit<DialectAdapter, MigrationLock> {
  /** Called before migrations. */
  acquireMigrationLock(kysely: never, options: never): Promise<void>;
  /** Called after migrations. */
  releaseMigrationLock(kysely: never, options: never): Promise<void>;
}

/** The part of a `StatementSync` that is used. */
interface NodeSqliteStatement {
  all(...parameters: readonly unknown[]): unknown[];
  run(...parameters: readonly unknown[]): ReturnType<KyselyStatement['run']>;
  iterate(...parameters: readonly unknown[]): IterableIterator<unknown>;
  /** Since Node 22.16. */
  columns?(): readonly unknown[];
  /** Since Node 22.16. */
  setReturnArrays?(isEnabled: boolean): void;
}

/** Preparing a statement takes many times as long as running it. */
const MAX_KEPT_STATEMENTS = 100;
/** After any other statement, those that are kept may have other columns. */
const KEEPS_SCHEMA =
  /^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b/i;
/**
 * node:sqlite reads an object in the first place as named parameters, and binds NULL instead. After
 * this one it refuses such an object.
 */
const NO_NAMED_PARAMETERS = {};

/**
 * A dialect for Kysely on a database of `node:sqlite`, which needs no native package. It takes Node
 * 22.13 or later. The stores take the database itself; use this if your app has a Kysely too.
 *
 * `destroy()` of the Kysely closes the database.
 *
 * @example
 * const database = new DatabaseSync('app.db');
 * database.exec('PRAGMA busy_timeout = 5000');
 * const kysely = new Kysely({ dialect: nodeSqliteDialect(database) });
 * const store = new SqlStore({ database: kysely });
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function nodeSqliteDialect(database: NodeSqliteDatabase): NodeSqliteDialect {
  if (databaseKind(database) !== 'node:sqlite') {
    throw new BackupCodeError(
      'invalid_option',
      `nodeSqliteDialect takes a DatabaseSync of node:sqlite, but was given ${describe(database)}.`,
    );
  }
  return new SqliteDialect({ database: new DatabaseForKysely(database) });
}

/** As Kysely expects it of better-sqlite3. */
class DatabaseForKysely implements KyselyDatabase {
  readonly #database: NodeSqliteDatabase;
  readonly #kept = new Map<string, KyselyStatement>();

  constructor(database: NodeSqliteDatabase) {
    this.#database = database;
  }

  prepare(source: string): KyselyStatement {
    if (!KEEPS_SCHEMA.test(source)) {
      this.#kept.clear();
      return this.#prepare(source);
    }
    const kept = this.#kept.get(source);
    if (kept !== undefined) return kept;
    if (this.#kept.size >= MAX_KEPT_STATEMENTS) this.#kept.clear();
    const statement = this.#prepare(source);
    this.#kept.set(source, statement);
    return statement;
  }

  close(): void {
    this.#kept.clear();
    this.#database.close();
  }

  #prepare(source: string): KyselyStatement {
    const prepare = (): NodeSqliteStatement => {
      const statement = this.#database.prepare(source) as NodeSqliteStatement;
      // The database may have been opened with `returnArrays`.
      statement.setReturnArrays?.(false);
      return statement;
    };
    const statement = prepare();
    return {
      reader: this.#returnsRows(source, statement),
      all: (parameters) => statement.all(NO_NAMED_PARAMETERS, ...parameters),
      run: (parameters) => statement.run(NO_NAMED_PARAMETERS, ...parameters),
      // The kept statement may be needed before the last row of this one is read.
      iterate: (parameters) => prepare().iterate(NO_NAMED_PARAMETERS, ...parameters),
    };
  }

  #returnsRows(source: string, statement: NodeSqliteStatement): boolean {
    if (statement.columns !== undefined) return statement.columns().length > 0;
    if (/^\s*EXPLAIN\b/i.test(source)) return true;
    const program = this.#database.prepare(`EXPLAIN ${source}`) as NodeSqliteStatement;
    return program.all().some((step) => read(step, 'opcode') === 'ResultRow');
  }
}
