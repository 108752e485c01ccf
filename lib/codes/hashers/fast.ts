// One SHA-256 with a salt: for codes that nobody can guess, and for no others.
import { createHash } from 'node:crypto';
import { BackupCodeError } from '../../errors';
import type { Hasher } from './hasher';
import { readSalt, writeSalt } from './salt-string';

/** NIST SP 800-63B-4, section 3.1.2.2: look-up secrets of 112 bits or more need no password-hashing scheme. */
const MINIMUM_BITS = 112;

/** SHA-256 over salt and code. Refused for formats of fewer than 112 bits; `formats.long` has 125. */
export function fastHasher(): Hasher {
  return Object.freeze({
    minimumBits: MINIMUM_BITS,
    newSalt: () => writeSalt('sha256', {}),
    reads: (salt: string) => readSalt(salt, 'sha256', {}) !== null,
    hash: (code: string, text: string) => {
      const read = readSalt(text, 'sha256', {});
      if (read === null)
        return Promise.reject(
          new BackupCodeError('unreadable_hash', 'This is no salt string of SHA-256.'),
        );
      return Promise.resolve(createHash('sha256').update(read.salt).update(code).digest());
    },
  });
}
