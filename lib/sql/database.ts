// The app's Kysely, as far as it is used here: which dialect it speaks, and transactions that are run again when the
// server aborts them. Opens no connection.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely, QueryExecutorProvider, RawBuilder, Transaction } from 'kysely';
import { sql } from 'kysely';
import { BackupCodeError } from '../errors';
import { warnOnce } from '../internal/warn-once';
import { dialectOf, type Dialect, type SqlDatabase } from './dialect';

/** One statement's result, the same for every driver. */
export interface Result {
  readonly rows: readonly Row[];
  /** Rows that an UPDATE matched. */
  readonly affected: number;
}

/** As drivers give it: PostgreSQL's big integers are strings. */
export type Row = Readonly<Record<string, unknown>>;

/** Runs one statement. */
export type Run = (statement: RawBuilder<unknown>) => Promise<Result>;

/** Where drivers put what was bound into their errors: the statement on MySQL and MariaDB, the refused row on PostgreSQL. */
const WITH_VALUES = ['sql', 'detail', 'where', 'internalQuery'];
const MAX_TRIES = 5;
const FIRST_PAUSE_MS = 5;
/** SQLite lets one process write at a time. The others wait as long, and then fail. */
const MIN_SQLITE_TIMEOUT_MS = 5000;

export class Database {
  readonly dialect: Dialect;
  private readonly kysely: Kysely<unknown>;
  private timeoutChecked: Promise<void> | null = null;

  /** @throws {BackupCodeError} `invalid_option` */
  constructor(kysely: SqlDatabase) {
    this.dialect = dialectOf(kysely);
    this.kysely = kysely as unknown as Kysely<unknown>;
  }

  /** For a store, which makes transactions of its own. @throws {BackupCodeError} `invalid_option` */
  static ofStore(kysely: SqlDatabase): Database {
    const database = new Database(kysely);
    if (!database.kysely.isTransaction) return database;
    throw new BackupCodeError(
      'invalid_option',
      'kysely is a transaction, which ends before the store does: give the Kysely that it was begun on.',
    );
  }

  /**
   * One transaction at READ COMMITTED, whatever the server's default: conditional writes decide here, not snapshots.
   * The first statement must be a write, or SQLite may refuse it beside another process. What the server aborts has
   * decided nothing, and is run again.
   */
  async transaction<T>(work: (run: Run) => Promise<T>): Promise<T> {
    if (this.dialect === 'sqlite') await (this.timeoutChecked ??= this.checkTimeout());
    for (let attempt = 1; ; attempt += 1) {
      try {
        const transaction = this.kysely.transaction();
        const isolated =
          this.dialect === 'sqlite' ? transaction : transaction.setIsolationLevel('read committed');
        return await isolated.execute((trx: Transaction<unknown>) =>
          work((statement) => execute(statement, trx)),
        );
      } catch (error) {
        if (attempt >= MAX_TRIES || !isAborted(error)) throw error;
        await sleep(FIRST_PAUSE_MS * 2 ** attempt + randomInt(FIRST_PAUSE_MS * 2 ** attempt));
      }
    }
  }

  private async checkTimeout(): Promise<void> {
    try {
      const {
        rows: [main],
      } = await this.read(
        sql`SELECT t.timeout, d.file FROM pragma_busy_timeout AS t, pragma_database_list AS d WHERE d.name = 'main'`,
      );
      // One in memory has no file, and nobody beside it.
      const timeout = Number(main?.['file'] ? main['timeout'] : MIN_SQLITE_TIMEOUT_MS);
      if (timeout < MIN_SQLITE_TIMEOUT_MS) {
        warnOnce(
          'BACKUP_CODE_SQLITE_TIMEOUT',
          `SQLite with a busy_timeout of ${timeout} ms: beside another process that writes, logins fail instead of waiting their turn. Set ${MIN_SQLITE_TIMEOUT_MS}.`,
        );
      }
    } catch {
      // A SQLite that answers no pragma, or none now: the transaction tells.
    }
  }

  /** A single statement that reads. */
  read(statement: RawBuilder<unknown>): Promise<Result> {
    return execute(statement, this.kysely);
  }

  /** A single statement that reads what others have written and may yet take back. */
  peek(statement: RawBuilder<unknown>): Promise<Result> {
    return this.kysely
      .transaction()
      .setIsolationLevel('read uncommitted')
      .execute((trx: Transaction<unknown>) => execute(statement, trx));
  }

  /** A single statement that defines a table or an index. */
  async define(statement: string): Promise<void> {
    await execute(sql.raw(statement), this.kysely);
  }

  /** An integer of 64 bits inside an expression, whose type PostgreSQL would otherwise guess to be another. */
  bigint(value: number): RawBuilder<unknown> {
    return this.dialect === 'mysql' ? sql`CAST(${value} AS SIGNED)` : sql`CAST(${value} AS bigint)`;
  }

  /** Ends an INSERT so that a row that is there stays as it is. */
  keepExisting(key: string): RawBuilder<unknown> {
    return sql.raw(
      this.dialect === 'mysql'
        ? `ON DUPLICATE KEY UPDATE ${key} = ${key}`
        : `ON CONFLICT (${key}) DO NOTHING`,
    );
  }
}

async function execute(
  statement: RawBuilder<unknown>,
  provider: QueryExecutorProvider,
): Promise<Result> {
  try {
    // The app's plugins rename columns and parse values for its own queries; the rows here are read as they came.
    const { rows, numAffectedRows } = await provider
      .getExecutor()
      .withoutPlugins()
      .executeQuery(statement.compile(provider));
    return { rows: rows as Row[], affected: Number(numAffectedRows ?? 0) };
  } catch (error) {
    // Digests and salts are among the values. Code, message and the name of a constraint stay.
    if (typeof error === 'object' && error !== null)
      for (const field of WITH_VALUES) Reflect.deleteProperty(error, field);
    throw error;
  }
}

/** PostgreSQL: serialization failure, deadlock. MySQL and MariaDB: deadlock, lock wait, record changed. SQLite: busy. */
function isAborted(error: unknown): boolean {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  if (code === '40001' || code === '40P01') return true;
  if (errno === 1213 || errno === 1205 || errno === 1020) return true;
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}
