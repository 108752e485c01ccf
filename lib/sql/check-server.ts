// Refuses a database, driver or setting on which the store could not keep its promises. One
// statement at the first use of a store, before anything is written.
import { sql } from 'kysely';
import { BackupCodeError } from '../errors';
import type { Row, RunStatement } from './database';
import type { Dialect } from './dialect';
import type { Galera } from './galera';
import { warnOfShortTimeout } from './sqlite-timeout';

/** What the store has to know about the server. */
export interface ServerTraits {
  readonly galera: Galera;
}

/** @throws {BackupCodeError} `unsupported_database` */
export async function checkServer(dialect: Dialect, run: RunStatement): Promise<ServerTraits> {
  if (dialect === 'mysql') return checkMysql(run);
  const { rows } = await run(sql`SELECT 1 AS answer`);
  if (Number(rows[0]?.['answer']) !== 1) throw readsNoRows();
  if (dialect === 'sqlite') await warnOfShortTimeout(run);
  return { galera: null };
}

async function checkMysql(run: RunStatement): Promise<ServerTraits> {
  const { rows } = await run(sql`
    SHOW SESSION VARIABLES
    WHERE Variable_name IN ('sql_mode', 'version', 'wsrep_on', 'wsrep_provider')`);
  if (rows.length === 0) throw readsNoRows();
  assertBackslashEscapes(variable(rows, 'sql_mode'));
  const provider = variable(rows, 'wsrep_provider');
  const isGalera = variable(rows, 'wsrep_on') === 'ON' && provider !== '' && provider !== 'none';
  if (!isGalera) return { galera: null };
  return { galera: variable(rows, 'version').includes('MariaDB') ? 'mariadb' : 'mysql' };
}

function variable(rows: readonly Row[], name: string): string {
  const row = rows.find((candidate) => candidate['Variable_name'] === name);
  const value = row?.['Value'];
  return typeof value === 'string' ? value : '';
}

/**
 * mysql2 escapes bound strings with a backslash. If the server reads it as a character, a quote in
 * a user agent ends the string, and what follows is read as SQL.
 *
 * @throws {BackupCodeError} `unsupported_database`
 */
export function assertBackslashEscapes(sqlMode: string): void {
  if (!sqlMode.split(',').includes('NO_BACKSLASH_ESCAPES')) return;
  throw new BackupCodeError(
    'unsupported_database',
    'The sql_mode of the connection contains NO_BACKSLASH_ESCAPES. mysql2 escapes bound strings ' +
      'with a backslash, so their text could change a statement. Remove the mode from sql_mode: ' +
      "in the server's configuration, or with SET SESSION on each new connection of the pool.",
  );
}

function readsNoRows(): BackupCodeError {
  return new BackupCodeError(
    'unsupported_database',
    'The Kysely dialect returns no rows of a raw SELECT, so that no set could be read. Use a ' +
      'dialect that returns the rows of every statement that has any, such as those of Kysely.',
  );
}

/** @throws {BackupCodeError} `unsupported_database` if the driver reported no number */
export function readAffected(numAffectedRows: bigint | undefined): number {
  if (numAffectedRows !== undefined) return Number(numAffectedRows);
  throw new BackupCodeError(
    'unsupported_database',
    'The Kysely dialect does not report how many rows an INSERT or UPDATE matched ' +
      '(numAffectedRows), and this number decides. Use a dialect that reports it, such as those ' +
      'of Kysely.',
  );
}

/** The clear error for one that only the database's administrator would understand. */
export function explainRefusedTransaction(error: unknown): unknown {
  const { code, message } = (error ?? {}) as {
    readonly code?: unknown;
    readonly message?: unknown;
  };
  const isStatementPool = code === '08P01' && /statement pooling/.test(String(message));
  if (!isStatementPool) return error;
  return new BackupCodeError(
    'unsupported_database',
    'PgBouncer pools statements, and refuses transactions. Set pool_mode = transaction (or ' +
      'session) for this database in pgbouncer.ini.',
    { cause: error },
  );
}
