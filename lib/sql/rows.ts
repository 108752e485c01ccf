// Rows of the tables from and to the terms of the store's contract. Decides nothing.
import { sql, type RawBuilder } from 'kysely';
import { BackupCodeError } from '../errors';
import type { AuditEvent } from '../audit/events';
import type { Channel } from '../audit/context';
import type { CodeRecord } from '../codes/digests';
import type { CurrentSet, FoundUser, SetHeader } from '../stores/contract';
import { userKey, type Subject } from '../stores/subject';
import type { Row } from './database';

/** What {@link readCurrentSet} reads. */
export const CURRENT_SET_COLUMNS = [
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

/** `null` where the row has no set, or a revoked one. */
export function readCurrentSet(row: Row): CurrentSet | null {
  if (typeof row['set_id'] !== 'string' || row['revoked_at'] !== null) return null;
  return {
    setId: row['set_id'],
    format: String(row['format']),
    salt: String(row['salt']),
    pepperId: typeof row['pepper_id'] === 'string' ? row['pepper_id'] : null,
    check: String(row['pepper_check']),
    total: readNumber(row, 'total'),
    remaining: readNumber(row, 'remaining'),
    createdAt: readNumber(row, 'created_at'),
    expiresAt: row['expires_at'] === null ? null : readNumber(row, 'expires_at'),
    lastConsumedAt: row['last_consumed_at'] === null ? null : readNumber(row, 'last_consumed_at'),
  };
}

/** @throws {BackupCodeError} `unreadable_set`; JSON's own error would repeat part of the row */
export function readStagedHeader(row: Row | undefined): SetHeader {
  try {
    return JSON.parse(String(row?.['staged_header'])) as SetHeader;
  } catch {
    throw new BackupCodeError('unreadable_set', 'The header of a staged set cannot be read.');
  }
}

export function readChannel(row: Row, channel: Channel): FoundUser['channels']['recovery'] {
  const lockedAt = row[`${channel}_locked_at`];
  return {
    attempts: readNumber(row, `${channel}_attempts`),
    lockedAt: lockedAt === null ? null : readNumber(row, `${channel}_locked_at`),
  };
}

/** Big integers come as numbers, strings or bigints, depending on the driver. @throws {BackupCodeError} `unreadable_set` */
export function readNumber(row: Row | undefined, column: string): number {
  const value = row?.[column];
  const number = Number(value);
  if (value === null || value === undefined || !Number.isSafeInteger(number)) {
    throw new BackupCodeError(
      'unreadable_set',
      `The column ${column} of a stored set holds no whole number.`,
    );
  }
  return number;
}

export function insertCodes(
  { key }: Subject,
  setId: string,
  codes: readonly CodeRecord[],
  createdAt: number,
): RawBuilder<unknown> {
  const rows = codes.map(
    ({ codeId, salt, digest }) =>
      sql`(${codeId}, ${key}, ${setId}, ${salt}, ${digest}, ${createdAt})`,
  );
  return sql`INSERT INTO backup_codes (code_id, user_key, set_id, salt, digest, created_at) VALUES ${sql.join(rows)}`;
}

export function insertEvents(events: readonly AuditEvent[]): RawBuilder<unknown> {
  const rows = events.map(
    ({
      id,
      type,
      at,
      userId,
      setId,
      codeId,
      reason,
      remaining,
      total,
      consumedSecondsAgo,
      refusals,
      details,
      context: { ip, userAgent, requestId, actor, channel },
    }) =>
      sql`(${sql.join([
        id,
        type,
        at,
        userId === null ? null : userKey(userId),
        storableText(userId),
        setId,
        codeId,
        reason,
        remaining,
        total,
        consumedSecondsAgo,
        refusals,
        details === null ? null : JSON.stringify(details),
        ip,
        userAgent,
        requestId,
        actor,
        channel,
      ])})`,
  );
  return sql`INSERT INTO backup_code_events (event_id, type, at, user_key, user_id, set_id, code_id, reason, remaining, total,
    consumed_seconds_ago, refusals, details, ip, user_agent, request_id, actor, channel) VALUES ${sql.join(rows)}`;
}

/** PostgreSQL's text holds no NUL: a user id stands in reports with its control characters as JSON escapes. */
export function storableText(text: string | null): string | null {
  return text === null ? null : JSON.stringify(text).slice(1, -1);
}

/** The id of the row's user. @throws {BackupCodeError} `unreadable_set` */
export function readUserId(row: Row): string | null {
  return readText(row, 'user_id');
}

/** What {@link storableText} wrote. @throws {BackupCodeError} `unreadable_set` */
export function readText(row: Row, column: string): string | null {
  const stored = row[column];
  if (typeof stored !== 'string') return null;
  try {
    return String(JSON.parse(`"${stored}"`));
  } catch {
    throw new BackupCodeError('unreadable_set', `The column ${column} of a stored row is damaged.`);
  }
}

/** @throws {BackupCodeError} `unreadable_set` */
function readDetails(row: Row): AuditEvent['details'] {
  const stored = row['details'];
  if (typeof stored !== 'string') return null;
  try {
    return JSON.parse(stored) as AuditEvent['details'];
  } catch {
    throw new BackupCodeError('unreadable_set', 'The details of a stored event are damaged.');
  }
}

export function readEvent(row: Row): AuditEvent {
  const text = (column: string): string | null =>
    typeof row[column] === 'string' ? row[column] : null;
  const number = (column: string): number | null =>
    row[column] === null ? null : readNumber(row, column);
  return {
    id: String(row['event_id']),
    type: String(row['type']),
    at: readNumber(row, 'at'),
    userId: readUserId(row),
    setId: text('set_id'),
    codeId: text('code_id'),
    reason: text('reason') as AuditEvent['reason'],
    remaining: number('remaining'),
    total: number('total'),
    consumedSecondsAgo: number('consumed_seconds_ago'),
    refusals: number('refusals'),
    details: readDetails(row),
    context: {
      ip: text('ip'),
      userAgent: text('user_agent'),
      requestId: text('request_id'),
      actor: text('actor'),
      channel: row['channel'] === 'recovery' ? 'recovery' : 'second_factor',
    },
  };
}
