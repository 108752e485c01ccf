// scrypt (RFC 7914), on node:crypto: for those who want no native package.
import { scrypt, type ScryptOptions } from 'node:crypto';
import { BackupCodeError } from '../../errors';
import { assertOptions, wholeNumber } from '../../internal/validate';
import type { Hasher } from './hasher';
import { readSalt, writeSalt } from './salt-string';

/** OWASP Password Storage Cheat Sheet: N = 2^17, r = 8, p = 1. A floor for reading too, never raised. */
const MIN_LOG_N = 17;
/** 1 GiB of memory; a database row that asks for more is refused, not obeyed. */
const MAX_LOG_N = 20;
const BLOCK_SIZE = 8;
const HASH_BYTES = 32;
const RANGES = { ln: [MIN_LOG_N, MAX_LOG_N], r: [BLOCK_SIZE, BLOCK_SIZE], p: [1, 4] } as const;

/**
 * scrypt with r = 8 and p = 1, off the event loop.
 *
 * @param options.logN log2 of the cost: 17 takes 128 MiB for each hash under way, and each step doubles time and memory. 17 to 20, default 17.
 * @throws {BackupCodeError} `invalid_hasher`
 */
export function scryptHasher(options: { logN?: number } = {}): Hasher {
  assertOptions('scryptHasher', options, ['logN']);
  if (typeof options.logN === 'number' && options.logN < MIN_LOG_N) {
    throw new BackupCodeError(
      'invalid_hasher',
      `scrypt needs a logN of ${MIN_LOG_N} or more (OWASP Password Storage Cheat Sheet), but was given ${options.logN}.`,
    );
  }
  const ln = wholeNumber('logN', options.logN, {
    min: MIN_LOG_N,
    max: MAX_LOG_N,
    fallback: MIN_LOG_N,
    code: 'invalid_hasher',
  });
  return Object.freeze({
    newSalt: () => writeSalt('scrypt', { ln, r: BLOCK_SIZE, p: 1 }),
    reads: (salt: string) => readSalt(salt, 'scrypt', RANGES) !== null,
    hash: (code: string, text: string) => {
      const read = readSalt(text, 'scrypt', RANGES);
      if (read === null)
        return Promise.reject(
          new BackupCodeError(
            'unreadable_hash',
            'This is no salt string of scrypt within its caps.',
          ),
        );
      const { ln: logN = 0, r = 0, p = 0 } = read.params;
      const N = 2 ** logN;
      return derive(code, read.salt, { N, r, p, maxmem: 128 * N * r * p + 32 * 1024 * 1024 });
    },
  });
}

function derive(code: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(code, salt, HASH_BYTES, options, (error, hash) =>
      error ? reject(error) : resolve(hash),
    );
  });
}
