// bcrypt, the default slow hash, on the native package `bcrypt`.
import { createHash } from 'node:crypto';
import bcrypt from 'bcrypt';
import { BackupCodeError } from '../../errors';
import { assertOptions, wholeNumber } from '../../internal/validate';
import type { Hasher } from './hasher';

/** OWASP Password Storage Cheat Sheet: a cost of 10 or more. Also for reading; never raised. */
const MIN_COST = 10;
/** 16 times the time of the default. A database row that asks for more is refused. */
const MAX_COST = 16;
const SALT = /^\$2b\$(\d\d)\$[./A-Za-z0-9]{22}$/;
/** bcrypt ignores what comes after these bytes. */
const MAX_INPUT_BYTES = 72;

/** The options of {@link bcryptHasher}. */
export interface BcryptHasherOptions {
  /**
   * log2 of the rounds. Each step doubles the time of a hash. 10 to 16.
   *
   * @default 12
   */
  readonly cost?: number;
}

/**
 * bcrypt (`$2b$`). It runs off the event loop.
 *
 * @example
 * ```ts
 * new BackupCodes({ store, hasher: bcryptHasher({ cost: 13 }) });
 * ```
 * @throws {BackupCodeError} `invalid_hasher`, `invalid_option`
 */
export function bcryptHasher(options: BcryptHasherOptions = {}): Hasher {
  assertOptions('bcryptHasher', options, ['cost']);
  if (typeof options.cost === 'number' && options.cost < MIN_COST) {
    throw new BackupCodeError(
      'invalid_hasher',
      `bcrypt needs a cost of ${MIN_COST} or more (OWASP Password Storage Cheat Sheet), ` +
        `but was given ${options.cost}.`,
    );
  }
  const cost = wholeNumber('cost', options.cost, {
    min: MIN_COST,
    max: MAX_COST,
    fallback: 12,
    code: 'invalid_hasher',
  });
  return Object.freeze({
    newSalt: () => bcrypt.genSaltSync(cost, 'b'),
    reads: (salt: string) => {
      const stored = Number(SALT.exec(salt)?.[1]);
      return stored >= MIN_COST && stored <= MAX_COST;
    },
    hash: async (code: string, salt: string) => {
      const hashed = await bcrypt.hash(fitInput(code), salt);
      return Buffer.from(hashed.slice(salt.length), 'latin1');
    },
  });
}

/**
 * Nothing is cut off silently (OWASP ASVS 5.0, 6.2.9): what is too long for bcrypt is hashed first,
 * into characters without NUL.
 */
function fitInput(code: string): string {
  return Buffer.byteLength(code) <= MAX_INPUT_BYTES
    ? code
    : createHash('sha256').update(code).digest('base64');
}
