// One SHA-256 with a salt: only for codes that are too long to guess.
import { createHash } from 'node:crypto';
import type { Hasher } from './hasher';
import { saltScheme } from './salt-string';

/** NIST SP 800-63B-4, section 3.1.2.2: look-up secrets of 112 bits or more need no slow hash. */
const MINIMUM_BITS = 112;
const SALTS = saltScheme('sha256', {});

/**
 * SHA-256 over salt and code. Refused for formats of fewer than 112 bits; `formats.long` has 125.
 *
 * @example
 * ```ts
 * new BackupCodes({ store, format: formats.long, hasher: fastHasher() });
 * ```
 */
export function fastHasher(): Hasher {
  return Object.freeze({
    minimumBits: MINIMUM_BITS,
    newSalt: () => SALTS.create({}),
    reads: (text: string) => SALTS.accepts(text),
    hash: async (code: string, text: string) => {
      const { salt } = SALTS.parse(text);
      return Promise.resolve(createHash('sha256').update(salt).update(code).digest());
    },
  });
}
