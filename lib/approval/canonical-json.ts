// Canonical JSON (RFC 8785): one string for each value, whatever the order of its members is. A
// digest over it binds exactly that value. Refuses what JSON would drop or change without an error.
import { BackupCodeError } from '../errors';

const MAX_DEPTH = 32;

/**
 * @throws {BackupCodeError} `invalid_option` for a value that is not JSON: undefined, NaN, a
 * function, a date, half of a surrogate pair, a cycle
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw notJson(`nested more than ${MAX_DEPTH} levels deep`);
  if (value === null || typeof value === 'boolean') return String(value);
  // RFC 8785, section 3.2.2: numbers and strings as ECMAScript writes them.
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value === 'string' && !/\p{Cs}/u.test(value)) return JSON.stringify(value);
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item) => canonicalJson(item, depth + 1)).join(',')}]`;
  }
  if (isPlainObject(value)) {
    // RFC 8785, section 3.2.3: sorted by UTF-16 code units, which is what sort() does.
    const members = Object.keys(value)
      .sort()
      .map((name) => `${canonicalJson(name, depth + 1)}:${canonicalJson(value[name], depth + 1)}`);
    return `{${members.join(',')}}`;
  }
  throw notJson(`of the type ${typeof value}`);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function notJson(what: string): BackupCodeError {
  return new BackupCodeError(
    'invalid_option',
    `A proposal must be plain JSON, but a part of it is ${what}.`,
  );
}
