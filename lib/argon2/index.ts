// What `import 'passport-backup-code/argon2'` gives: argon2id (RFC 9106), on the optional package `@node-rs/argon2`.
import { hashRaw } from '@node-rs/argon2';
import { BackupCodeError } from '../errors';
import type { Hasher } from '../codes/hashers/hasher';
import { readSalt, writeSalt } from '../codes/hashers/salt-string';
import { assertOptions, wholeNumber } from '../internal/validate';

/** OWASP Password Storage Cheat Sheet: 19 MiB and two passes. Floors for reading too, never raised. */
const MIN_MEMORY_KIB = 19_456;
const MIN_PASSES = 2;
/** A database row that asks for more is refused, not obeyed. */
const MAX_MEMORY_KIB = 1_048_576;
const MAX_PASSES = 16;
const HASH_BYTES = 32;
const SCHEME = 'argon2id$v=19';
const RANGES = {
  m: [MIN_MEMORY_KIB, MAX_MEMORY_KIB],
  t: [MIN_PASSES, MAX_PASSES],
  p: [1, 1],
} as const;

/**
 * argon2id with one lane, off the event loop.
 *
 * @param options.memoryKiB memory for each hash under way. 19 456 to 1 048 576, default 65 536 (64 MiB).
 * @param options.passes time grows with it. 2 to 16, default 3.
 * @throws {BackupCodeError} `invalid_hasher`
 */
export function argon2Hasher(options: { memoryKiB?: number; passes?: number } = {}): Hasher {
  assertOptions('argon2Hasher', options, ['memoryKiB', 'passes']);
  const { memoryKiB, passes } = options;
  if (
    (typeof memoryKiB === 'number' && memoryKiB < MIN_MEMORY_KIB) ||
    (typeof passes === 'number' && passes < MIN_PASSES)
  ) {
    throw new BackupCodeError(
      'invalid_hasher',
      `argon2id needs ${MIN_MEMORY_KIB} KiB and ${MIN_PASSES} passes or more (OWASP Password Storage Cheat Sheet), but was given ${memoryKiB ?? 65_536} and ${passes ?? 3}.`,
    );
  }
  const m = wholeNumber('memoryKiB', memoryKiB, {
    min: MIN_MEMORY_KIB,
    max: MAX_MEMORY_KIB,
    fallback: 65_536,
    code: 'invalid_hasher',
  });
  const t = wholeNumber('passes', passes, {
    min: MIN_PASSES,
    max: MAX_PASSES,
    fallback: 3,
    code: 'invalid_hasher',
  });
  return Object.freeze({
    newSalt: () => writeSalt(SCHEME, { m, t, p: 1 }),
    reads: (salt: string) => readSalt(salt, SCHEME, RANGES) !== null,
    hash: async (code: string, text: string) => {
      const read = readSalt(text, SCHEME, RANGES);
      if (read === null)
        throw new BackupCodeError(
          'unreadable_hash',
          'This is no salt string of argon2id within its caps.',
        );
      const { m: memoryCost, t: timeCost, p: parallelism } = read.params;
      // argon2id is the package's default, and test/vectors pins it: its enum is a constant that is not there at run time.
      return hashRaw(code, {
        memoryCost,
        timeCost,
        parallelism,
        outputLen: HASH_BYTES,
        salt: read.salt,
      });
    },
  });
}
