// Sets and codes as rows of their tables.
import { sql } from 'kysely';
import { BackupCodeError } from '../errors';
import type { CodeRecord } from '../codes/digests';
import type { CurrentSet, SetHeader, StoredCode } from '../stores/requests';
import { firstGeneration } from '../stores/generation';
import type { Subject } from '../stores/subject';
import type { Database, Row, Statement, Tables } from './database';
import {
  insertRows,
  readNumber,
  readOptionalNumber,
  readString,
  storableText,
  type NewRow,
} from './rows';

/**
 * Makes the user's row if it is missing. Locks it in any case, so that no other transaction removes
 * it.
 */
export function insertUser(database: Database, { key, userId, namespace }: Subject): Statement {
  return sql`
    INSERT INTO ${database.tables.users}
      (user_key, user_id, namespace, second_factor_generation)
    VALUES (${key}, ${storableText(userId)}, ${namespace ?? ''}, ${firstGeneration()})
    ${database.lockExisting('user_key')}`;
}

export interface NewCodes {
  readonly subject: Subject;
  readonly setId: string;
  readonly codes: readonly CodeRecord[];
  readonly createdAt: number;
}

export function insertCodes(
  tables: Tables,
  { subject, setId, codes, createdAt }: NewCodes,
): Statement {
  return insertRows(
    tables.codes,
    codes.map((code) => codeRow(code, { subject, setId, createdAt })),
  );
}

/** The columns of the row of a code that is not consumed. */
export function codeRow(
  { codeId, salt, digest }: CodeRecord,
  { subject, setId, createdAt }: Omit<NewCodes, 'codes'>,
): NewRow {
  return {
    code_id: codeId,
    user_key: subject.key,
    set_id: setId,
    salt,
    digest,
    created_at: createdAt,
  };
}

/**
 * Whether the set of a code has not ended. An expression, because MariaDB would find the code by
 * the index of `ended_at`, and read and lock all codes that are in use.
 */
export const HAS_NOT_ENDED = sql`COALESCE(ended_at, 0) = 0`;

const CURRENT_SET_COLUMNS = [
  'set_id',
  'format',
  'salt',
  'pepper_id',
  'pepper_check',
  'total',
  'remaining',
  'created_at',
  'expires_at',
  'last_consumed_at',
  'revoked_at',
] as const;

/**
 * The columns of a user `u` that {@link readCurrentSet} reads. Not all, because each code repeats
 * them, and a staged header would come with them.
 */
export const USER_COLUMNS = sql.join(CURRENT_SET_COLUMNS.map((name) => sql.ref(`u.${name}`)));

/** The columns of a code `c` that {@link readStoredCode} reads. */
export const CODE_COLUMNS = sql`c.code_id,
      c.salt AS code_salt,
      c.digest,
      c.consumed_at,
      c.consumption_id`;

/**
 * @returns `null` if the user has no set, or a revoked one
 * @throws {BackupCodeError} `unreadable_set`
 */
export function readCurrentSet(row: Row): CurrentSet | null {
  const setId = readString(row, 'set_id');
  if (setId === null || row['revoked_at'] !== null) return null;
  return {
    setId,
    format: String(row['format']),
    salt: String(row['salt']),
    pepperId: readString(row, 'pepper_id'),
    check: String(row['pepper_check']),
    total: readNumber(row, 'total'),
    remaining: readNumber(row, 'remaining'),
    createdAt: readNumber(row, 'created_at'),
    expiresAt: readOptionalNumber(row, 'expires_at'),
    lastConsumedAt: readOptionalNumber(row, 'last_consumed_at'),
  };
}

/** @throws {BackupCodeError} `unreadable_set` */
export function readStoredCode(row: Row): StoredCode {
  return {
    codeId: String(row['code_id']),
    salt: String(row['code_salt']),
    digest: String(row['digest']),
    consumedAt: readOptionalNumber(row, 'consumed_at'),
    consumptionId: readString(row, 'consumption_id'),
  };
}

/** @throws {BackupCodeError} `unreadable_set`; the error of JSON would repeat part of the row */
export function readStagedHeader(row: Row | undefined): SetHeader {
  try {
    return JSON.parse(String(row?.['staged_header'])) as SetHeader;
  } catch {
    throw new BackupCodeError('unreadable_set', 'The header of a staged set cannot be read.');
  }
}
