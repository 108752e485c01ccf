// bcrypt, the default slow hash.
import { createHash } from 'node:crypto';
import bcrypt from 'bcrypt';
import { BackupCodeError } from '../../errors';
import { assertOptions, wholeNumber } from '../../internal/validate';
import type { Hasher } from './hasher';

/** OWASP Password Storage Cheat Sheet: a work factor of 10 or more. A floor for reading too, never raised. */
const MIN_COST = 10;
/** 16 times the default; a database row that asks for more is refused, not obeyed. */
const MAX_COST = 16;
const SALT = /^\$2b\$(\d\d)\$[./A-Za-z0-9]{22}$/;
/** bcrypt reads no further than this many bytes. */
const MAX_INPUT_BYTES = 72;

/**
 * bcrypt (`$2b$`), on the native `bcrypt` package, off the event loop.
 *
 * @param options.cost log2 of the rounds; each step doubles the time of a verification. 10 to 16, default 12.
 * @throws {BackupCodeError} `invalid_hasher`
 */
export function bcryptHasher(options: { cost?: number } = {}): Hasher {
  assertOptions('bcryptHasher', options, ['cost']);
  if (typeof options.cost === 'number' && options.cost < MIN_COST) {
    throw new BackupCodeError(
      'invalid_hasher',
      `bcrypt needs a cost of ${MIN_COST} or more (OWASP Password Storage Cheat Sheet), but was given ${options.cost}.`,
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
      const hashed = await bcrypt.hash(withinLimit(code), salt);
      return Buffer.from(hashed.slice(salt.length), 'latin1');
    },
  });
}

/** No silent truncation (OWASP ASVS 5.0, 6.2.9): what bcrypt would cut is hashed first, in a form free of NUL. */
function withinLimit(code: string): string {
  return Buffer.byteLength(code) <= MAX_INPUT_BYTES
    ? code
    : createHash('sha256').update(code).digest('base64');
}
