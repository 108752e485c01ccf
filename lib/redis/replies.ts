// Reads what a script returned: lists, strings, whole numbers and events. Anything else is refused,
// because a stored value may be damaged.
import type { AuditEvent } from '../audit/events';
import { BackupCodeError } from '../errors';

/** Names and values of a Redis hash or stream entry. */
export type Fields = ReadonlyMap<string, string>;

/** The fields of an event that a script may fill in and that are numbers. */
const NUMBER_FIELDS = new Set(['remaining', 'total', 'refusals']);

/** @throws {BackupCodeError} `unreadable_set` */
export function readList(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw unreadable('Redis returned a reply that is not a list.');
  return reply;
}

/**
 * A client can be configured to return buffers instead of strings.
 *
 * @throws {BackupCodeError} `unreadable_set`
 */
export function readText(reply: unknown): string {
  if (typeof reply === 'string') return reply;
  if (Buffer.isBuffer(reply)) return reply.toString('utf8');
  throw unreadable('Redis returned a reply that is not a string.');
}

/** @throws {BackupCodeError} `unreadable_set` */
export function readNumber(reply: unknown): number {
  const text = readText(reply);
  const number = Number(text);
  if (text === '' || !Number.isSafeInteger(number)) {
    throw unreadable('A stored number is damaged: it is not a whole number.');
  }
  return number;
}

/**
 * Reads a list of names and values. If a name occurs twice, its last value counts.
 *
 * @throws {BackupCodeError} `unreadable_set`
 */
export function readFields(reply: unknown): Fields {
  const texts = readList(reply).map(readText);
  const fields = new Map<string, string>();
  for (let n = 0; n + 1 < texts.length; n += 2) fields.set(texts[n] ?? '', texts[n + 1] ?? '');
  return fields;
}

/**
 * Reads the fields of a stream entry: the event as JSON, and fields that replace the event's own.
 *
 * @throws {BackupCodeError} `unreadable_set`
 */
export function readEvent(reply: unknown): AuditEvent {
  const { event = '', ...filledIn } = Object.fromEntries(readFields(reply));
  const replaced = Object.entries(filledIn).map(
    ([name, value]) => [name, NUMBER_FIELDS.has(name) ? readNumber(value) : value] as const,
  );
  return { ...parseStored(event, isEvent), ...Object.fromEntries(replaced) };
}

/**
 * Reads the events that a script wrote.
 *
 * @throws {BackupCodeError} `unreadable_set`
 */
export function readWrittenEvents(reply: unknown): readonly AuditEvent[] {
  return readList(reply).map(readEvent);
}

/**
 * Parses stored JSON. The error does not quote it: it may hold salts and digests.
 *
 * @throws {BackupCodeError} `unreadable_set`
 */
export function parseStored<T>(json: string, isValid: (value: unknown) => value is T): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  if (!isValid(value)) throw unreadable('A stored set, event or request for approval is damaged.');
  return value;
}

function isEvent(value: unknown): value is AuditEvent {
  return (
    typeof value === 'object' && value !== null && 'id' in value && 'type' in value && 'at' in value
  );
}

function unreadable(message: string): BackupCodeError {
  return new BackupCodeError('unreadable_set', message);
}
