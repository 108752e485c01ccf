// argon2id (RFC 9106) as the slow hash. The hash itself comes from the package `@node-rs/argon2`.
import { hashRaw } from '@node-rs/argon2';
import type { Hasher } from '../codes/hashers/hasher';
import { saltScheme } from '../codes/hashers/salt-string';
import { BackupCodeError } from '../errors';
import { assertOptions, wholeNumber } from '../internal/validate';

/**
 * The lowest parameters that the OWASP Password Storage Cheat Sheet gives for one lane: 19 MiB and
 * two passes. Stored sets below these are not read. Later versions never raise them.
 */
const MIN_MEMORY_KIB = 19_456;
const MIN_PASSES = 2;
const DEFAULT_MEMORY_KIB = 65_536;
const DEFAULT_PASSES = 3;
/** A database row is input too. One that asks for more than this is refused. */
const MAX_MEMORY_KIB = 1_048_576;
const MAX_PASSES = 16;
const LANES = 1;
const HASH_BYTES = 32;
/** The salt strings of this hasher. 19 is version 1.3 of argon2 (RFC 9106, section 3.1). */
const SALTS = saltScheme('argon2id$v=19', {
  m: [MIN_MEMORY_KIB, MAX_MEMORY_KIB],
  t: [MIN_PASSES, MAX_PASSES],
  p: [LANES, LANES],
});

/** The cost of one hash. A higher cost slows down the server, and an attacker with the database. */
export interface Argon2HasherOptions {
  /**
   * The memory of one hash, in KiB. The server needs this much for each hash that runs at the same
   * time, see the option `hashConcurrency`. From 19,456 (19 MiB) to 1,048,576 (1 GiB).
   *
   * @default 65_536 (64 MiB, as the second recommended option of RFC 9106, section 4)
   */
  readonly memoryKiB?: number;
  /**
   * How often the memory is filled. The time of a hash grows in proportion. From 2 to 16.
   *
   * @default 3 (as the second recommended option of RFC 9106, section 4)
   */
  readonly passes?: number;
}

/**
 * Hashes backup codes with argon2id (RFC 9106) in one lane, outside the event loop. Needs the
 * package `@node-rs/argon2`, version 2. Sets that were stored with other parameters in these ranges
 * stay readable.
 *
 * @throws {BackupCodeError} `invalid_hasher`: an option is out of its range
 * @throws {BackupCodeError} `invalid_option`: an option is unknown
 * @example
 * ```ts
 * import { BackupCodes } from 'passport-backup-code';
 * import { argon2Hasher } from 'passport-backup-code/argon2';
 *
 * const backupCodes = new BackupCodes({ store, pepper, hasher: argon2Hasher() });
 * ```
 */
export function argon2Hasher(options: Argon2HasherOptions = {}): Hasher {
  const { m, t } = checkOptions(options);
  return Object.freeze({
    newSalt: () => SALTS.create({ m, t, p: LANES }),
    reads: (text: string) => SALTS.accepts(text),
    hash: hashCode,
  });
}

function checkOptions(options: Argon2HasherOptions): { m: number; t: number } {
  assertOptions('argon2Hasher', options, ['memoryKiB', 'passes']);
  const { memoryKiB = DEFAULT_MEMORY_KIB, passes = DEFAULT_PASSES } = options;
  const isBelow = (value: unknown, min: number): boolean =>
    typeof value === 'number' && value < min;
  if (isBelow(memoryKiB, MIN_MEMORY_KIB) || isBelow(passes, MIN_PASSES)) {
    throw new BackupCodeError(
      'invalid_hasher',
      `argon2id needs at least ${MIN_MEMORY_KIB} KiB and ${MIN_PASSES} passes (OWASP Password ` +
        `Storage Cheat Sheet), but was given ${memoryKiB} KiB and ${passes} passes.`,
    );
  }
  return {
    m: wholeNumber('memoryKiB', memoryKiB, {
      min: MIN_MEMORY_KIB,
      max: MAX_MEMORY_KIB,
      fallback: DEFAULT_MEMORY_KIB,
      code: 'invalid_hasher',
    }),
    t: wholeNumber('passes', passes, {
      min: MIN_PASSES,
      max: MAX_PASSES,
      fallback: DEFAULT_PASSES,
      code: 'invalid_hasher',
    }),
  };
}

async function hashCode(code: string, text: string): Promise<Buffer> {
  const { parameters, salt } = SALTS.parse(text);
  // The package uses argon2id by default, and test/vectors would notice another variant. Its enum
  // cannot be used: it is a TypeScript constant that does not exist at run time.
  return hashRaw(code, {
    memoryCost: parameters.m,
    timeCost: parameters.t,
    parallelism: parameters.p,
    outputLen: HASH_BYTES,
    salt,
  });
}
