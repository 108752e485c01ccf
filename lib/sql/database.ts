// Runs statements on the app's database: single ones, and transactions that are run again if the
// server aborts them. Opens no connection.
import { sql, type QueryExecutorProvider, type RawBuilder } from 'kysely';
import { isAborted, isRetryable } from './aborted';
import {
  checkServer,
  explainRefusedTransaction,
  readAffected,
  type ServerTraits,
} from './check-server';
import type { Dialect } from './dialect';
import { waitForOtherNodes } from './galera';
import type { DatabaseConfig } from './options';
import { tableStatements } from './schema-sql';
import { Retries } from './retries';
import { TABLE, type TableNames } from './table-names';

/** A statement, or part of one. */
export type Statement = RawBuilder<unknown>;

/** As the driver returned it: PostgreSQL's big integers are strings. */
export type Row = Readonly<Record<string, unknown>>;

/** The result of a statement, the same for every driver. */
export interface Result {
  readonly rows: readonly Row[];
  /**
   * How many rows an INSERT, UPDATE or DELETE matched.
   *
   * @throws {BackupCodeError} `unsupported_database` if the driver does not report it
   */
  readonly affected: number;
}

/** Runs one statement of a transaction. */
export type RunStatement = (statement: Statement) => Promise<Result>;

/**
 * Where drivers repeat the bound values in their errors: the statement on MySQL and MariaDB, the
 * refused row on PostgreSQL.
 */
const FIELDS_WITH_VALUES = ['sql', 'detail', 'where', 'internalQuery'];

export class Database {
  readonly dialect: Dialect;
  readonly tables: Tables;
  readonly names: TableNames;
  readonly #config: DatabaseConfig;
  readonly #retries = new Retries();
  /** Settled once the server is checked and the tables are there. */
  #ready: Promise<ServerTraits> | null = null;

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
    let isCommitting = false;
    const runOnce = async (begin: () => void): Promise<T> => {
      isCommitting = false;
      return this.#runOnce(async (run) => {
        begin();
        const result = await work(run);
        isCommitting = true;
        return result;
      });
    };
    return this.#retries.run(runOnce, (error) =>
      isCommitting ? isAborted(error) : isRetryable(error),
    );
  }

  /** If a ROLLBACK fails too, Kysely reports that. What failed before it is thrown instead. */
  async #runOnce<T>(work: (run: RunStatement) => Promise<T>): Promise<T> {
    const transaction = this.#config.kysely.transaction();
    const isolated =
      this.dialect === 'sqlite' ? transaction : transaction.setIsolationLevel('read committed');
    let failure: { readonly error: unknown } | null = null;
    const runAndKeepFailure = async (provider: QueryExecutorProvider): Promise<T> => {
      try {
        return await work((statement) => execute(statement, provider));
      } catch (error) {
        failure = { error };
        throw error;
      }
    };
    try {
      return await isolated.execute(runAndKeepFailure);
    } catch (error) {
      const first = (failure as { readonly error: unknown } | null)?.error ?? error;
      throw explainRefusedTransaction(first);
    }
  }

  /** Whether transactions also commit on other nodes, which this one receives later. */
  async isGalera(): Promise<boolean> {
    return (await this.#prepare()).galera !== null;
  }

  /**
   * Runs the work on one connection. On Galera its node first receives everything that was
   * committed on other nodes until now.
   */
  async afterOtherNodes<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const traits = await this.#prepare();
    if (traits.galera === null) return work(this);
    return this.#config.kysely.connection().execute(async (kysely) => {
      await waitForOtherNodes((statement) => execute(statement, kysely), traits.galera);
      const onConnection = new Database({ ...this.#config, kysely });
      onConnection.#ready = Promise.resolve(traits);
      return work(onConnection);
    });
  }

  /** Runs a single statement that reads. */
  async read(statement: Statement): Promise<Result> {
    await this.#prepare();
    return this.#retries.run(() => execute(statement, this.#config.kysely), isRetryable);
  }

  /**
   * Runs a single statement that is a transaction by itself, at the isolation of the session. If
   * the server aborted it, it runs again in a transaction of the store. Not on MySQL, where a
   * session can be without autocommit.
   */
  async write(statement: Statement): Promise<Result> {
    const runInTransaction = (): Promise<Result> => this.transaction((run) => run(statement));
    if (this.dialect === 'mysql') return runInTransaction();
    await this.#prepare();
    try {
      return await execute(statement, this.#config.kysely);
    } catch (error) {
      if (!isAborted(error)) throw error;
      return runInTransaction();
    }
  }

  /** Runs a single statement that also reads what open transactions have written so far. */
  async readUncommitted(statement: Statement): Promise<Result> {
    await this.#prepare();
    const transaction = this.#config.kysely.transaction().setIsolationLevel('read uncommitted');
    return this.#retries.run(
      (begin) =>
        transaction.execute((provider) => {
          begin();
          return execute(statement, provider);
        }),
      isRetryable,
    );
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

  #prepare(): Promise<ServerTraits> {
    this.#ready ??= this.#makeReady().catch((error: unknown) => {
      this.#ready = null;
      throw error;
    });
    return this.#ready;
  }

  async #makeReady(): Promise<ServerTraits> {
    const { kysely, createsTables } = this.#config;
    const traits = await checkServer(this.dialect, (statement) => execute(statement, kysely));
    if (createsTables) await this.createTables();
    return traits;
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
    return {
      rows: (rows as Row[] | undefined) ?? [],
      get affected() {
        return readAffected(numAffectedRows);
      },
    };
  } catch (error) {
    // Digests and salts are among the values. Code, message and constraint name stay.
    if (typeof error === 'object' && error !== null) {
      for (const field of FIELDS_WITH_VALUES) Reflect.deleteProperty(error, field);
    }
    throw error;
  }
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
