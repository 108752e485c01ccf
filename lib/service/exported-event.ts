// Checks an audit event that comes back from an export. The file was outside the database, so
// nothing in it is trusted: what is returned has the fields of an event only, within their limits.
import { cleanString, type CleanContext } from '../audit/context';
import { cleanDetails } from '../audit/details';
import type { AuditEvent, EventDetails, EventReason } from '../audit/events';
import { BackupCodeError } from '../errors';
import { isTime } from '../internal/time';
import { isUserId } from '../stores/subject';

/** How far ahead the clock that wrote an event may have been. */
const MAX_AHEAD_MS = 300_000;
/** The largest number that every SQL database keeps in a column of type integer. */
const MAX_COUNT = 2_147_483_647;

const EVENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Of the core, of a subpath, of the app, or of a later version. */
const WORD = /^[a-z][a-z0-9_]{0,31}$/;
const HEX_ID = /^[0-9a-f]{32}$/;
const NAMESPACE = /^[A-Za-z0-9._-]{1,64}$/;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a value that `audit.events` returned as an event, or its JSON after `JSON.parse`. Unknown
 * fields are dropped. The message of the error quotes no value: it could be anything.
 *
 * @param now an event from later than five minutes after this is refused
 * @throws {BackupCodeError} `invalid_event`
 */
export function readExportedEvent(value: unknown, now: number): AuditEvent {
  const event = readObject(value, 'an event');
  const userId = event['userId'] ?? null;
  if (userId !== null && !(typeof userId === 'string' && isUserId(userId))) {
    throw invalid('userId must be a string of 1 to 255 characters, or null');
  }
  return {
    id: readMatch(event, 'id', EVENT_ID, 'a UUID in lower case'),
    type: readMatch(event, 'type', WORD, 'an event type'),
    at: readAt(event['at'], now),
    userId,
    namespace: readOptional(event, 'namespace', NAMESPACE, 'a namespace'),
    setId: readOptional(event, 'setId', HEX_ID, 'a set id'),
    codeId: readOptional(event, 'codeId', HEX_ID, 'a code id'),
    reason: readOptional(event, 'reason', WORD, 'a reason') as EventReason | null,
    remaining: readCount(event, 'remaining'),
    total: readCount(event, 'total'),
    consumedSecondsAgo: readCount(event, 'consumedSecondsAgo', Number.MAX_SAFE_INTEGER),
    refusals: readCount(event, 'refusals'),
    details: readDetails(event['details']),
    context: readContext(event['context']),
  };
}

function readObject(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid(`expected ${what} as an object`);
}

function readAt(at: unknown, now: number): number {
  if (!isTime(at) || !Number.isSafeInteger(at)) {
    throw invalid('at must be whole milliseconds since 1970');
  }
  if (at > now + MAX_AHEAD_MS) {
    throw invalid('at is in the future: check the clock of this machine');
  }
  return at;
}

function readMatch(event: Fields, name: string, pattern: RegExp, expected: string): string {
  const value = event[name];
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw invalid(`${name} must be ${expected}`);
}

function readOptional(
  event: Fields,
  name: string,
  pattern: RegExp,
  expected: string,
): string | null {
  if ((event[name] ?? null) === null) return null;
  return readMatch(event, name, pattern, `${expected}, or null`);
}

function readCount(event: Fields, name: string, max = MAX_COUNT): number | null {
  const value = event[name] ?? null;
  if (value === null) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max) {
    return value;
  }
  throw invalid(`${name} must be a whole number, or null`);
}

function readDetails(value: unknown): EventDetails | null {
  if ((value ?? null) === null) return null;
  try {
    return cleanDetails(value as EventDetails);
  } catch {
    throw invalid('details must be at most 16 strings, numbers, booleans and nulls, or null');
  }
}

function readContext(value: unknown): CleanContext {
  const context = readObject(value, 'its context');
  const channel = context['channel'];
  if (channel !== 'second_factor' && channel !== 'recovery') {
    throw invalid("context.channel must be 'second_factor' or 'recovery'");
  }
  return {
    ip: readContextField(context, 'ip'),
    userAgent: readContextField(context, 'userAgent'),
    requestId: readContextField(context, 'requestId'),
    actor: readContextField(context, 'actor'),
    channel,
  };
}

/** A stored context is clean. A string that is not was changed after the export. */
function readContextField(context: Fields, name: string): string | null {
  const value = context[name] ?? null;
  if (value === null) return null;
  if (typeof value === 'string' && cleanString(value) === value) return value;
  throw invalid(
    `context.${name} must be a string of at most 256 characters without control characters, or null`,
  );
}

function invalid(problem: string): BackupCodeError {
  return new BackupCodeError('invalid_event', `This is not an exported audit event: ${problem}.`);
}
