// Values of columns: what is bound, and how it is read back. Only strings, integers and null are
// bound.
import { sql } from 'kysely';
import { BackupCodeError } from '../errors';
import type { Row, Statement } from './database';

/** A row to insert, by column. */
export type NewRow = Readonly<Record<string, string | number | null>>;

/** All rows have the same columns. */
export function insertRows(table: Statement, rows: readonly NewRow[]): Statement {
  const columns = Object.keys(rows[0] ?? {});
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`);
  return sql`
    INSERT INTO ${table} (${sql.join(columns.map((column) => sql.ref(column)))})
    VALUES ${sql.join(values)}`;
}

/**
 * PostgreSQL cannot store NUL in text. Control characters are stored as JSON escapes; {@link
 * readText} reads them.
 */
export function storableText(text: string | null): string | null {
  return text === null ? null : JSON.stringify(text).slice(1, -1);
}

/** Reads what {@link storableText} wrote. @throws {BackupCodeError} `unreadable_set` */
export function readText(row: Row, column: string): string | null {
  const stored = row[column];
  if (typeof stored !== 'string') return null;
  try {
    return String(JSON.parse(`"${stored}"`));
  } catch {
    throw new BackupCodeError('unreadable_set', `The column ${column} of a stored row is damaged.`);
  }
}

/** A column that holds a string or NULL. */
export function readString(row: Row, column: string): string | null {
  const stored = row[column];
  return typeof stored === 'string' ? stored : null;
}

/**
 * Depending on the driver, big integers are numbers, strings or bigints.
 *
 * @throws {BackupCodeError} `unreadable_set`
 */
export function readNumber(row: Row | undefined, column: string): number {
  const value = row?.[column];
  const number = Number(value);
  if (value === null || value === undefined || !Number.isSafeInteger(number)) {
    throw new BackupCodeError(
      'unreadable_set',
      `The column ${column} of a stored row is not a whole number.`,
    );
  }
  return number;
}

/** A column that holds a number or NULL. @throws {BackupCodeError} `unreadable_set` */
export function readOptionalNumber(row: Row, column: string): number | null {
  return row[column] === null ? null : readNumber(row, column);
}
