// Canonical JSON, RFC 8785 (JCS): one text for one value, whatever order its members were given in, so that a digest over
// it binds what it says. Refuses what JSON cannot say, and would drop or alter in silence.
import { BackupCodeError } from '../errors';

const MAX_DEPTH = 32;

/** @throws {BackupCodeError} `invalid_option` for what is no JSON: undefined, NaN, functions, dates, half surrogates, a circle */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw notJson(`nested more than ${MAX_DEPTH} deep`);
  if (value === null || typeof value === 'boolean') return String(value);
  // RFC 8785, section 3.2.2.3: numbers and strings as ECMAScript writes them.
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value === 'string' && !/\p{Cs}/u.test(value)) return JSON.stringify(value);
  if (Array.isArray(value))
    return `[${Array.from(value, (item) => canonicalJson(item, depth + 1)).join(',')}]`;
  if (isPlainObject(value)) {
    // Section 3.2.3: sorted by UTF-16 code units, as sort() does.
    const members = Object.keys(value)
      .sort()
      .map((name) => `${canonicalJson(name, depth + 1)}:${canonicalJson(value[name], depth + 1)}`);
    return `{${members.join(',')}}`;
  }
  throw notJson(`of type ${typeof value}`);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function notJson(what: string): BackupCodeError {
  return new BackupCodeError(
    'invalid_option',
    `What is approved must be plain JSON, but part of it is ${what}.`,
  );
}
