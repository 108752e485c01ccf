// How a set of codes is stored and compared: one slow hash for the set, a salt and a digest for each code.
// The pages of SECURITY.md argue for it; test/vectors pins it. Knows nothing of stores, users or attempts.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const VERSION = 'passport-backup-code/v1';
const CHECK_VERSION = 'passport-backup-code/v1/check';
const SALT_BYTES = 16;
const CHECK_BYTES = 16;

/** What a digest is bound to, besides the code: copied to another user or set, it does not verify. */
export interface SetBinding {
  readonly userId: string;
  readonly setId: string;
  /** The salt string of the set, parameters included. */
  readonly salt: string;
}

/** A code as it is stored. */
export interface CodeRecord {
  /** 16 random bytes in hex, and the name of the code in audit events. */
  readonly codeId: string;
  /** 16 random bytes in hex, of this code alone. */
  readonly salt: string;
  /** HMAC-SHA-256 in hex. */
  readonly digest: string;
}

/** The pepper, once: what the slow hash gave, keyed and bound to user and set. */
export function keyStretched(
  stretched: Uint8Array,
  pepperKey: Uint8Array,
  binding: SetBinding,
): Buffer {
  return hmac(pepperKey, [VERSION, binding.userId, binding.setId, binding.salt, stretched]);
}

/** A new record for a code whose keyed value is at hand. */
export function recordCode(keyed: Uint8Array): CodeRecord {
  const codeId = randomBytes(SALT_BYTES).toString('hex');
  const salt = randomBytes(SALT_BYTES).toString('hex');
  return { codeId, salt, digest: digestOf(keyed, codeId, salt).toString('hex') };
}

/**
 * The stored code that the keyed value belongs to. All of them are compared, consumed ones too, in constant time and
 * without an early exit, so that time tells neither the place nor the number (OWASP ASVS 5.0, 11.2.4).
 */
export function findMatch<R extends CodeRecord>(
  keyed: Uint8Array,
  records: readonly R[],
): R | null {
  let match: R | null = null;
  for (const record of records) {
    const expected = digestOf(keyed, record.codeId, record.salt);
    const stored = Buffer.from(record.digest, 'hex');
    const isEqual = timingSafeEqual(
      expected,
      stored.length === expected.length ? stored : Buffer.alloc(expected.length),
    );
    match = isEqual ? record : match;
  }
  return match;
}

/** Stored beside a set, in hex: shows before any hash that the pepper, the user and the set belong together. */
export function checkOf(
  pepperKey: Uint8Array,
  { userId, setId }: Pick<SetBinding, 'userId' | 'setId'>,
): string {
  return hmac(pepperKey, [CHECK_VERSION, userId, setId]).subarray(0, CHECK_BYTES).toString('hex');
}

function digestOf(keyed: Uint8Array, codeId: string, salt: string): Buffer {
  return hmac(keyed, [codeId, Buffer.from(salt, 'hex')]);
}

/** Each field goes in behind its length, so that no two lists of fields give the same bytes. */
function hmac(key: Uint8Array, fields: readonly (string | Uint8Array)[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const field of fields) {
    const bytes = typeof field === 'string' ? Buffer.from(field, 'utf8') : field;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    mac.update(length).update(bytes);
  }
  return mac.digest();
}
