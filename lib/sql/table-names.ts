// The names of the tables, with the schema and the prefix that an app chooses.
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';
import type { Dialect } from './dialect';

/** Where the tables are, and what their names begin with. */
export interface TableOptions {
  /**
   * The schema on PostgreSQL, or the database on MySQL and MariaDB, that holds the tables. It must
   * exist: `createTables` does not make it. 1 to 63 letters, digits and underscores, and the first
   * is not a digit. Not for SQLite.
   *
   * @default the first schema of the search path, or the database of the connection
   */
  readonly schema?: string | undefined;
  /**
   * The beginning of the names of all tables and indexes, such as `auth_`. At most 20 lower-case
   * letters, digits and underscores, and the first is not a digit.
   *
   * @default ''
   */
  readonly tablePrefix?: string | undefined;
}

/** The checked options. */
export interface TableNames {
  readonly schema: string | null;
  /** The beginning of each name. */
  readonly prefix: string;
}

/** The tables without their prefix. */
export const TABLE = {
  users: 'backup_code_users',
  networks: 'backup_code_networks',
  codes: 'backup_codes',
  events: 'backup_code_events',
  approvals: 'backup_code_approvals',
  keys: 'backup_code_keys',
} as const;

const SCHEMA = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
/**
 * PostgreSQL cuts names after 63 characters. The longest index has 28, the longest constraint 41.
 */
const PREFIX = /^(?:[a-z_][a-z0-9_]{0,19})?$/;

/** @throws {BackupCodeError} `invalid_option` */
export function readTableNames(
  dialect: Dialect,
  { schema, tablePrefix = '' }: TableOptions,
): TableNames {
  if (schema !== undefined && dialect === 'sqlite') {
    throw new BackupCodeError(
      'invalid_option',
      'SQLite has no schemas: leave schema out. Use tablePrefix to keep the tables apart.',
    );
  }
  if (schema !== undefined && !matches(SCHEMA, schema)) {
    const rule = '1 to 63 letters, digits and underscores, and not begin with a digit';
    throw new BackupCodeError('invalid_option', `schema must be ${rule}, but was ${show(schema)}.`);
  }
  if (!matches(PREFIX, tablePrefix)) {
    const rule =
      'at most 20 lower-case letters, digits and underscores, and not begin with a digit';
    throw new BackupCodeError(
      'invalid_option',
      `tablePrefix must be ${rule}, but was ${show(tablePrefix)}.`,
    );
  }
  return { schema: schema ?? null, prefix: tablePrefix };
}

function matches(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : describe(value);
}
