// Runs statements on the app's database: single ones, and transactions that are run again if the
// server aborts them. Opens no connection.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type QueryExecutorProvider, type RawBuilder } from 'kysely';
import type { Dialect } from './dialect';
import type { DatabaseConfig } from './options';
import { tableStatements } from './schema-sql';
import { warnOfShortTimeout } from './sqlite-timeout';
import { TABLE, type TableNames } from './table-names';

/** A statement, or part of one. */
export type Statement = RawBuilder<unknown>;

/** As the driver returned it: PostgreSQL's big integers are strings. */
export type Row = Readonly<Record<string, unknown>>;

/** The result of a statement, the same for every driver. */
export interface Result {
  readonly rows: readonly Row[];
  /** How many rows an INSERT, UPDATE or DELETE matched. */
  readonly affected: number;
}

/** Runs one statement of a transaction. */
export type RunStatement = (statement: Statement) => Promise<Result>;

/**
 * Where drivers repeat the bound values in their errors: the statement on MySQL and MariaDB, the
 * refused row on PostgreSQL.
 */
const FIELDS_WITH_VALUES = ['sql', 'detail', 'where', 'internalQuery'];
const MAX_TRIES = 5;
const FIRST_PAUSE_MS = 5;

export class Database {
  readonly dialect: Dialect;
  readonly tables: Tables;
  readonly names: TableNames;
  readonly #config: DatabaseConfig;
  /** Settled once the tables are there. */
  #ready: Promise<void> | null = null;

  constructor(config: DatabaseConfig) {
    this.dialect = config.dialect;
    this.tables = tableReferences(config.names);
    this.names = config.names;
    this.#config = config;
  }

  /**
   * One transaction at READ COMMITTED, whatever the default of the server: conditional writes
   * decide here, not snapshots. The first statement must be a write, or SQLite may refuse it beside
   * another process. A transaction that the server aborted has decided nothing, and is run again.
   */
  async transaction<T>(work: (run: RunStatement) => Promise<T>): Promise<T> {
    await this.#prepare();
    const { kysely } = this.#config;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const transaction = kysely.transaction();
        const isolated =
          this.dialect === 'sqlite' ? transaction : transaction.setIsolationLevel('read committed');
        return await isolated.execute((provider) =>
          work((statement) => execute(statement, provider)),
        );
      } catch (error) {
        if (attempt >= MAX_TRIES || !isAborted(error)) throw error;
        const pauseMs = FIRST_PAUSE_MS * 2 ** attempt;
        await sleep(pauseMs + randomInt(pauseMs));
      }
    }
  }

  /** Runs a single statement that reads. */
  async read(statement: Statement): Promise<Result> {
    await this.#prepare();
    return execute(statement, this.#config.kysely);
  }

  /** Runs a single statement that also reads what open transactions have written so far. */
  async readUncommitted(statement: Statement): Promise<Result> {
    await this.#prepare();
    return this.#config.kysely
      .transaction()
      .setIsolationLevel('read uncommitted')
      .execute((provider) => execute(statement, provider));
  }

  /** Makes the tables and indexes that are missing. */
  async createTables(): Promise<void> {
    const { kysely, names } = this.#config;
    for (const statement of tableStatements(this.dialect, names)) {
      const define = (): Promise<Result> => execute(sql.raw(statement), kysely);
      // On PostgreSQL, IF NOT EXISTS fails while another process makes the same table. Once it has
      // failed, the table is there.
      await define().catch(define);
    }
  }

  /**
   * A 64-bit integer inside an expression. Without the cast PostgreSQL would guess another type.
   */
  bigint(value: number): Statement {
    return this.dialect === 'mysql' ? sql`CAST(${value} AS SIGNED)` : sql`CAST(${value} AS bigint)`;
  }

  /** The end of an INSERT that leaves an existing row with the same key as it is. */
  keepExisting(key: string): Statement {
    const column = sql.ref(key);
    return this.dialect === 'mysql'
      ? sql`ON DUPLICATE KEY UPDATE ${column} = ${column}`
      : sql`ON CONFLICT (${column}) DO NOTHING`;
  }

  /** The same, and the row is locked until the end of the transaction. */
  lockExisting(key: string): Statement {
    const column = sql.ref(key);
    return this.dialect === 'mysql'
      ? this.keepExisting(key)
      : sql`ON CONFLICT (${column}) DO UPDATE SET ${column} = EXCLUDED.${column}`;
  }

  #prepare(): Promise<void> {
    this.#ready ??= this.#makeReady().catch((error: unknown) => {
      this.#ready = null;
      throw error;
    });
    return this.#ready;
  }

  async #makeReady(): Promise<void> {
    const { kysely, createsTables } = this.#config;
    if (this.dialect === 'sqlite') {
      await warnOfShortTimeout((statement) => execute(statement, kysely));
    }
    if (createsTables) await this.createTables();
  }
}

async function execute(statement: Statement, provider: QueryExecutorProvider): Promise<Result> {
  try {
    // The app's plugins rename columns and parse values for its own queries. Rows are read here as
    // the driver returned them.
    const { rows, numAffectedRows } = await provider
      .getExecutor()
      .withoutPlugins()
      .executeQuery(statement.compile(provider));
    return { rows: rows as Row[], affected: Number(numAffectedRows ?? 0) };
  } catch (error) {
    // Digests and salts are among the values. Code, message and constraint name stay.
    if (typeof error === 'object' && error !== null) {
      for (const field of FIELDS_WITH_VALUES) Reflect.deleteProperty(error, field);
    }
    throw error;
  }
}

/** Whether the server aborted the transaction, so that it can be run again. */
function isAborted(error: unknown): boolean {
  const { code, errno } = (error ?? {}) as { readonly code?: unknown; readonly errno?: unknown };
  // PostgreSQL: serialization failure, deadlock.
  if (code === '40001' || code === '40P01') return true;
  // MySQL and MariaDB: deadlock, lock wait timeout, record changed since the last read.
  if (errno === 1213 || errno === 1205 || errno === 1020) return true;
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}

/** References to the tables for statements, made once for each store. */
export interface Tables {
  readonly users: Statement;
  readonly networks: Statement;
  readonly codes: Statement;
  readonly events: Statement;
  readonly approvals: Statement;
  readonly keys: Statement;
}

export function tableReferences({ schema, prefix }: TableNames): Tables {
  const reference = (table: string): Statement => {
    const name = `${prefix}${table}`;
    return schema === null ? sql.id(name) : sql.id(schema, name);
  };
  return {
    users: reference(TABLE.users),
    networks: reference(TABLE.networks),
    codes: reference(TABLE.codes),
    events: reference(TABLE.events),
    approvals: reference(TABLE.approvals),
    keys: reference(TABLE.keys),
  };
}
