// How a set of codes is stored and compared: one salt of the slow hash for the whole set, and a
// salt and a digest for each code, so that an attempt costs one slow hash. SECURITY.md explains the
// scheme, and test/vectors pins it.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { macUnder, type Mac } from './hmac';

const VERSION = 'passport-backup-code/v1';
const CHECK_VERSION = 'passport-backup-code/v1/check';
const SALT_BYTES = 16;
const CHECK_BYTES = 16;
const SALT = /^[0-9a-f]{32}$/i;
const DIGEST = /^[0-9a-f]{64}$/i;

/**
 * What a digest is bound to besides the code. Copied to another user or set, it does not verify.
 */
export interface SetBinding {
  readonly userId: string;
  /** `null` without a namespace: then it is no part of what is hashed. */
  readonly namespace: string | null;
  readonly setId: string;
  /** The salt string of the set, parameters included. */
  readonly salt: string;
}

/** A code as it is stored. */
export interface CodeRecord {
  /** 16 random bytes in hex. Audit events name the code by it. */
  readonly codeId: string;
  /** 16 random bytes in hex, drawn for this code alone. */
  readonly salt: string;
  /** HMAC-SHA-256 (RFC 2104) in hex. */
  readonly digest: string;
}

/**
 * The keyed value of a code: what the slow hash gave, under the pepper, bound to user and set.
 *
 * @param stretched what `stretch` returned for the code
 */
export function keyStretched(
  stretched: Uint8Array,
  pepperKey: Uint8Array,
  binding: SetBinding,
): Buffer {
  const { setId, salt } = binding;
  const mac = macUnder(pepperKey);
  return Buffer.from(mac([VERSION, ...ownerFields(binding), setId, salt, stretched]), 'hex');
}

/** A new record for the code with this keyed value. */
export function recordCode(keyed: Uint8Array): CodeRecord {
  const codeId = randomBytes(SALT_BYTES).toString('hex');
  const salt = randomBytes(SALT_BYTES).toString('hex');
  return { codeId, salt, digest: digestOf({ codeId, salt }, macUnder(keyed)) };
}

/** Whether salt and digest have the form in which `recordCode` makes them. */
export function isCodeRecord({ salt, digest }: CodeRecord): boolean {
  return SALT.test(salt) && DIGEST.test(digest);
}

/**
 * The stored code that the keyed value belongs to, or `null`. Every code is compared, consumed ones
 * too, in constant time and without an early exit: the time says neither which code matched nor
 * whether one did (OWASP ASVS 5.0, 11.2.4).
 */
export function findMatch<R extends CodeRecord>(
  keyed: Uint8Array,
  records: readonly R[],
): R | null {
  const mac = macUnder(keyed);
  let match: R | null = null;
  for (const record of records) {
    const expected = Buffer.from(digestOf(record, mac), 'hex');
    const stored = Buffer.from(record.digest, 'hex');
    const isEqual = timingSafeEqual(
      expected,
      stored.length === expected.length ? stored : Buffer.alloc(expected.length),
    );
    match = isEqual ? record : match;
  }
  return match;
}

/**
 * The check of a set, in hex. It is stored with the set, and shows before any slow hash whether the
 * pepper, the user and the set belong together.
 */
export function checkOf(
  pepperKey: Uint8Array,
  binding: Pick<SetBinding, 'userId' | 'namespace' | 'setId'>,
): string {
  const fields = [CHECK_VERSION, ...ownerFields(binding), binding.setId];
  return macUnder(pepperKey)(fields).slice(0, 2 * CHECK_BYTES);
}

/** With a namespace there is one field more, so that no other owner gives the same bytes. */
function ownerFields({ namespace, userId }: Pick<SetBinding, 'userId' | 'namespace'>): string[] {
  return namespace === null ? [userId] : [namespace, userId];
}

/** In hex. */
function digestOf({ codeId, salt }: Pick<CodeRecord, 'codeId' | 'salt'>, mac: Mac): string {
  return mac([codeId, Buffer.from(salt, 'hex')]);
}
