// scrypt (RFC 7914), on node:crypto. It needs no native package.
import { scrypt, type ScryptOptions } from 'node:crypto';
import { BackupCodeError } from '../../errors';
import { assertOptions, wholeNumber } from '../../internal/validate';
import type { Hasher } from './hasher';
import { saltScheme } from './salt-string';

/** OWASP Password Storage Cheat Sheet: N = 2^17, r = 8, p = 1. Also for reading; never raised. */
const MIN_LOG_N = 17;
/** 1 GiB of memory. A database row that asks for more is refused. */
const MAX_LOG_N = 20;
const BLOCK_SIZE = 8;
const HASH_BYTES = 32;
const SALTS = saltScheme('scrypt', {
  ln: [MIN_LOG_N, MAX_LOG_N],
  r: [BLOCK_SIZE, BLOCK_SIZE],
  p: [1, 4],
});
/** What OpenSSL needs besides the 128 N r p bytes of the algorithm. */
const SPARE_BYTES = 32 * 1024 * 1024;

/** The options of {@link scryptHasher}. */
export interface ScryptHasherOptions {
  /**
   * log2 of the cost N. Each step doubles time and memory; 17 takes 128 MiB for each hash that
   * runs. 17 to 20.
   *
   * @default 17
   */
  readonly logN?: number;
}

/**
 * scrypt with r = 8 and p = 1. It runs off the event loop.
 *
 * @example
 * ```ts
 * new BackupCodes({ store, hasher: scryptHasher({ logN: 18 }) });
 * ```
 * @throws {BackupCodeError} `invalid_hasher`, `invalid_option`
 */
export function scryptHasher(options: ScryptHasherOptions = {}): Hasher {
  assertOptions('scryptHasher', options, ['logN']);
  if (typeof options.logN === 'number' && options.logN < MIN_LOG_N) {
    throw new BackupCodeError(
      'invalid_hasher',
      `scrypt needs a logN of ${MIN_LOG_N} or more (OWASP Password Storage Cheat Sheet), ` +
        `but was given ${options.logN}.`,
    );
  }
  const ln = wholeNumber('logN', options.logN, {
    min: MIN_LOG_N,
    max: MAX_LOG_N,
    fallback: MIN_LOG_N,
    code: 'invalid_hasher',
  });
  return Object.freeze({
    newSalt: () => SALTS.create({ ln, r: BLOCK_SIZE, p: 1 }),
    reads: (text: string) => SALTS.accepts(text),
    hash: async (code: string, text: string) => {
      const { parameters, salt } = SALTS.parse(text);
      const { ln: logN, r, p } = parameters;
      const N = 2 ** logN;
      return derive(code, salt, { N, r, p, maxmem: 128 * N * r * p + SPARE_BYTES });
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
