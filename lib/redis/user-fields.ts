// How a user is stored: the fields of the `user` hash, written and read.
import type { CodeRecord } from '../codes/digests';
import type { AttemptCounter, CurrentSet, NewSet, SetHeader, StoredCode } from '../stores/requests';
import { hasherName } from '../stores/report-builder';
import type { Subject } from '../stores/subject';
import { parseStored, readNumber, type Fields } from './replies';

const CODE = 'code:';

/**
 * A new set as a list of names and values. The fields beside `header` are those that scripts and
 * reports read.
 */
export function setFields({ subject, header, codes }: NewSet): string[] {
  const { setId, salt, pepperId, createdAt, expiresAt, total } = header;
  const fields = new Map([
    ['setId', setId],
    ['header', JSON.stringify(header)],
    ['createdAt', String(createdAt)],
    ['hasher', hasherName(salt)],
    ['total', String(total)],
    ['remaining', String(codes.length)],
  ]);
  if (expiresAt !== null) fields.set('expiresAt', String(expiresAt));
  if (pepperId !== null) fields.set('pepperId', pepperId);
  for (const code of codes) fields.set(CODE + code.codeId, codeText(code));
  return [...ownerFields(subject), ...[...fields].flat()];
}

/** Who a user is, as a list of names and values. */
export function ownerFields({ userId, namespace }: Subject): string[] {
  const owner = userId === null ? [] : ['userId', userId];
  return namespace === null ? owner : [...owner, 'namespace', namespace];
}

/** The value of a code's field. */
export function codeText({ salt, digest }: CodeRecord): string {
  return JSON.stringify([salt, digest]);
}

/**
 * @returns `null` if the user has no set
 * @throws {BackupCodeError} `unreadable_set`
 */
export function readCurrentSet(fields: Fields): CurrentSet | null {
  const header = fields.get('header');
  if (header === undefined) return null;
  return {
    ...parseStored(header, isHeader),
    total: readNumber(fields.get('total')),
    remaining: readNumber(fields.get('remaining')),
    lastConsumedAt: readTime(fields, 'lastConsumedAt'),
  };
}

/** @throws {BackupCodeError} `unreadable_set` */
export function readCodes(fields: Fields): StoredCode[] {
  const codes: StoredCode[] = [];
  for (const [name, value] of fields) {
    if (!name.startsWith(CODE)) continue;
    const codeId = name.slice(CODE.length);
    const [salt, digest] = parseStored(value, isSaltAndDigest);
    codes.push({
      codeId,
      salt,
      digest,
      consumedAt: readTime(fields, `consumed:${codeId}`),
      consumptionId: fields.get(`consumption:${codeId}`)?.split(' ')[0] ?? null,
    });
  }
  return codes;
}

/** @throws {BackupCodeError} `unreadable_set` */
export function readSecondFactor(fields: Fields): AttemptCounter {
  return {
    attempts: readNumber(fields.get('second_factor:attempts') ?? '0'),
    lockedAt: readTime(fields, 'second_factor:lockedAt'),
  };
}

function readTime(fields: Fields, name: string): number | null {
  return fields.has(name) ? readNumber(fields.get(name)) : null;
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

function isSaltAndDigest(value: unknown): value is readonly [salt: string, digest: string] {
  return (
    Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string')
  );
}
