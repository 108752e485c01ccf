// What the scripts answer, in the terms of the store's contract. Trusts nothing that was stored.
import { BackupCodeError } from '../errors';
import type { AuditEvent } from '../audit/events';
import type { CodeRecord } from '../codes/digests';
import type { CurrentSet, FoundUser, SetHeader, StoredCode } from '../stores/contract';
import { hasherName } from '../stores/report-builder';

/** The fields of a user's hash. */
export type Fields = ReadonlyMap<string, string>;

/** A set as fields and values, one after the other. */
export function fieldsOfSet(
  header: SetHeader,
  codes: readonly CodeRecord[],
  userId: string | null,
): string[] {
  const { setId, salt, pepperId, createdAt, expiresAt, total } = header;
  return [
    ['setId', setId],
    ['header', JSON.stringify(header)],
    ['createdAt', String(createdAt)],
    ...(expiresAt === null ? [] : [['expiresAt', String(expiresAt)]]),
    ['hasher', hasherName(salt)],
    ...(pepperId === null ? [] : [['pepperId', pepperId]]),
    ['total', String(total)],
    ['remaining', String(codes.length)],
    ...(userId === null ? [] : [['userId', userId]]),
    ...codes.flatMap((code) => [[`code:${code.codeId}`, textOfCode(code)]]),
  ].flat();
}

export function textOfCode({ salt, digest }: CodeRecord): string {
  return JSON.stringify([salt, digest]);
}

/** `null` where there is no set, or a revoked one. */
export function readCurrentSet(fields: Fields): CurrentSet | null {
  const header = fields.get('header');
  if (header === undefined) return null;
  return {
    ...parse(header, isHeader),
    total: readNumber(fields.get('total')),
    remaining: readNumber(fields.get('remaining')),
    lastConsumedAt: readTime(fields, 'lastConsumedAt'),
  };
}

export function readCodes(fields: Fields): StoredCode[] {
  return Array.from(fields).flatMap(([field, value]) => {
    if (!field.startsWith('code:')) return [];
    const codeId = field.slice('code:'.length);
    const [salt, digest] = parse(value, isPairOfTexts);
    return [{ codeId, salt, digest, consumedAt: readTime(fields, `consumed:${codeId}`) }];
  });
}

export function readDoors(fields: Fields): FoundUser['channels'] {
  const readChannel = (channel: string): FoundUser['channels']['recovery'] => ({
    attempts: readNumber(fields.get(`${channel}:attempts`) ?? '0'),
    lockedAt: readTime(fields, `${channel}:lockedAt`),
  });
  return { second_factor: readChannel('second_factor'), recovery: readChannel('recovery') };
}

/** A list, of which each part is text or a list again. @throws {BackupCodeError} `unreadable_set` */
export function readList(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw unreadable('Redis answered with something else than a list.');
  return reply;
}

/** Redis clients may be set to give bytes for text. @throws {BackupCodeError} `unreadable_set` */
export function readText(reply: unknown): string {
  if (typeof reply === 'string') return reply;
  if (Buffer.isBuffer(reply)) return reply.toString('utf8');
  throw unreadable('Redis answered with something else than text.');
}

export function readFields(reply: unknown): Fields {
  const texts = readList(reply).map(readText);
  return new Map(texts.flatMap((text, at) => (at % 2 === 0 ? [[text, texts[at + 1] ?? '']] : [])));
}

/** An entry of the stream: the event as it was handed over, with what the scripts filled in beside it. */
export function readEvent(entry: unknown, refusals: unknown): AuditEvent {
  const { event = '', ...filledIn } = Object.fromEntries(readFields(entry));
  const counted = readText(refusals);
  const numbers = Object.entries({ ...filledIn, ...(counted !== '' && { refusals: counted }) }).map(
    ([name, value]) => [
      name,
      ['remaining', 'total', 'refusals'].includes(name) ? readNumber(value) : value,
    ],
  );
  return { ...parse(event, isEvent), ...Object.fromEntries(numbers) } as AuditEvent;
}

/** The events that a script wrote. */
export function readWritten(reply: unknown): readonly AuditEvent[] {
  return readList(reply).map((event) => readEvent(event, ''));
}

/** @throws {BackupCodeError} `unreadable_set` */
export function readNumber(reply: unknown): number {
  const text = readText(reply);
  const number = Number(text);
  if (text === '' || !Number.isSafeInteger(number))
    throw unreadable('A stored set holds something else than a whole number.');
  return number;
}

function readTime(fields: Fields, field: string): number | null {
  return fields.has(field) ? readNumber(fields.get(field)) : null;
}

function parse<T>(json: string, isValid: (value: unknown) => value is T): T {
  try {
    const value: unknown = JSON.parse(json);
    if (isValid(value)) return value;
  } catch {
    // Said below, and without a word of what was read.
  }
  throw unreadable('A stored set is damaged.');
}

function isHeader(value: unknown): value is SetHeader {
  return (
    typeof value === 'object' &&
    value !== null &&
    'setId' in value &&
    'salt' in value &&
    'check' in value &&
    'format' in value
  );
}

function isEvent(value: unknown): value is AuditEvent {
  return (
    typeof value === 'object' && value !== null && 'id' in value && 'type' in value && 'at' in value
  );
}

function isPairOfTexts(value: unknown): value is readonly [string, string] {
  return (
    Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string')
  );
}

function unreadable(message: string): BackupCodeError {
  return new BackupCodeError('unreadable_set', message);
}
