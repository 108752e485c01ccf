// Audit events as rows of their table.
import { BackupCodeError } from '../errors';
import type { AuditEvent } from '../audit/events';
import { userKey } from '../stores/subject';
import type { Row, Statement } from './database';
import {
  insertRows,
  readNumber,
  readOptionalNumber,
  readString,
  readText,
  storableText,
  type NewRow,
} from './rows';
import type { Tables } from './database';

export function insertEvents(tables: Tables, events: readonly AuditEvent[]): Statement {
  return insertRows(tables.events, events.map(eventRow));
}

/** The columns of its row, except those that the database fills in. */
export function eventRow(event: AuditEvent): NewRow {
  const { userId, namespace, details, context } = event;
  return {
    event_id: event.id,
    type: event.type,
    at: event.at,
    user_key: userId === null ? null : userKey(userId, namespace),
    user_id: storableText(userId),
    namespace: namespace ?? '',
    set_id: event.setId,
    code_id: event.codeId,
    reason: event.reason,
    remaining: event.remaining,
    total: event.total,
    consumed_seconds_ago: event.consumedSecondsAgo,
    refusals: event.refusals,
    details: details === null ? null : JSON.stringify(details),
    ip: context.ip,
    user_agent: context.userAgent,
    request_id: context.requestId,
    actor: context.actor,
    channel: context.channel,
  };
}

/** @throws {BackupCodeError} `unreadable_set` */
export function readEvent(row: Row): AuditEvent {
  return {
    id: String(row['event_id']),
    type: String(row['type']),
    at: readNumber(row, 'at'),
    userId: readText(row, 'user_id'),
    namespace: row['namespace'] === '' ? null : readString(row, 'namespace'),
    setId: readString(row, 'set_id'),
    codeId: readString(row, 'code_id'),
    reason: readString(row, 'reason') as AuditEvent['reason'],
    remaining: readOptionalNumber(row, 'remaining'),
    total: readOptionalNumber(row, 'total'),
    consumedSecondsAgo: readOptionalNumber(row, 'consumed_seconds_ago'),
    refusals: readOptionalNumber(row, 'refusals'),
    details: readDetails(row),
    context: {
      ip: readString(row, 'ip'),
      userAgent: readString(row, 'user_agent'),
      requestId: readString(row, 'request_id'),
      actor: readString(row, 'actor'),
      channel: row['channel'] === 'recovery' ? 'recovery' : 'second_factor',
    },
  };
}

function readDetails(row: Row): AuditEvent['details'] {
  const stored = readString(row, 'details');
  if (stored === null) return null;
  try {
    return JSON.parse(stored) as AuditEvent['details'];
  } catch {
    throw new BackupCodeError('unreadable_set', 'The details of a stored event are damaged.');
  }
}
