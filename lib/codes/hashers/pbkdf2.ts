// PBKDF2 with HMAC-SHA-256 (RFC 8018, section 5.2), on node:crypto: for apps that must use
// FIPS-validated cryptography.
import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { BackupCodeError } from '../../errors';
import { assertOptions, wholeNumber } from '../../internal/validate';
import type { Hasher } from './hasher';
import { saltScheme } from './salt-string';

/** OWASP Password Storage Cheat Sheet: 600 000. Also for reading; never raised. */
const MIN_ITERATIONS = 600_000;
/** A database row that asks for more is refused. */
const MAX_ITERATIONS = 10_000_000;
const HASH_BYTES = 32;
const SALTS = saltScheme('pbkdf2-sha256', { i: [MIN_ITERATIONS, MAX_ITERATIONS] });

const derive = promisify(pbkdf2);

/** The options of {@link pbkdf2Hasher}. */
export interface Pbkdf2HasherOptions {
  /**
   * The time of a hash grows with them. 600 000 to 10 000 000.
   *
   * @default 600_000
   */
  readonly iterations?: number;
}

/**
 * PBKDF2-HMAC-SHA-256. It runs off the event loop.
 *
 * @example
 * ```ts
 * new BackupCodes({ store, hasher: pbkdf2Hasher({ iterations: 1_000_000 }) });
 * ```
 * @throws {BackupCodeError} `invalid_hasher`, `invalid_option`
 */
export function pbkdf2Hasher(options: Pbkdf2HasherOptions = {}): Hasher {
  assertOptions('pbkdf2Hasher', options, ['iterations']);
  if (typeof options.iterations === 'number' && options.iterations < MIN_ITERATIONS) {
    throw new BackupCodeError(
      'invalid_hasher',
      `PBKDF2 needs ${MIN_ITERATIONS} iterations or more (OWASP Password Storage Cheat Sheet), ` +
        `but was given ${options.iterations}.`,
    );
  }
  const i = wholeNumber('iterations', options.iterations, {
    min: MIN_ITERATIONS,
    max: MAX_ITERATIONS,
    fallback: MIN_ITERATIONS,
    code: 'invalid_hasher',
  });
  return Object.freeze({
    newSalt: () => SALTS.create({ i }),
    reads: (text: string) => SALTS.accepts(text),
    hash: async (code: string, text: string) => {
      const { parameters, salt } = SALTS.parse(text);
      return derive(code, salt, parameters.i, HASH_BYTES, 'sha256');
    },
  });
}
