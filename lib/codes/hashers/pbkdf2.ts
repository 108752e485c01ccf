// PBKDF2 with HMAC-SHA-256 (RFC 8018, section 5.2), on node:crypto: for those who must use FIPS-validated cryptography.
import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { BackupCodeError } from '../../errors';
import { assertOptions, wholeNumber } from '../../internal/validate';
import type { Hasher } from './hasher';
import { readSalt, writeSalt } from './salt-string';

/** OWASP Password Storage Cheat Sheet: 600 000. A floor for reading too, never raised. */
const MIN_ITERATIONS = 600_000;
/** A database row that asks for more is refused, not obeyed. */
const MAX_ITERATIONS = 10_000_000;
const HASH_BYTES = 32;
const RANGES = { i: [MIN_ITERATIONS, MAX_ITERATIONS] } as const;

const derive = promisify(pbkdf2);

/**
 * PBKDF2-HMAC-SHA-256, off the event loop.
 *
 * @param options.iterations time grows with it. 600 000 to 10 000 000, default 600 000.
 * @throws {BackupCodeError} `invalid_hasher`
 */
export function pbkdf2Hasher(options: { iterations?: number } = {}): Hasher {
  assertOptions('pbkdf2Hasher', options, ['iterations']);
  if (typeof options.iterations === 'number' && options.iterations < MIN_ITERATIONS) {
    throw new BackupCodeError(
      'invalid_hasher',
      `PBKDF2 needs ${MIN_ITERATIONS} iterations or more (OWASP Password Storage Cheat Sheet), but was given ${options.iterations}.`,
    );
  }
  const i = wholeNumber('iterations', options.iterations, {
    min: MIN_ITERATIONS,
    max: MAX_ITERATIONS,
    fallback: MIN_ITERATIONS,
    code: 'invalid_hasher',
  });
  return Object.freeze({
    newSalt: () => writeSalt('pbkdf2-sha256', { i }),
    reads: (salt: string) => readSalt(salt, 'pbkdf2-sha256', RANGES) !== null,
    hash: async (code: string, text: string) => {
      const read = readSalt(text, 'pbkdf2-sha256', RANGES);
      if (read === null)
        throw new BackupCodeError(
          'unreadable_hash',
          'This is no salt string of PBKDF2 within its caps.',
        );
      return derive(code, read.salt, read.params['i'] ?? NaN, HASH_BYTES, 'sha256');
    },
  });
}
