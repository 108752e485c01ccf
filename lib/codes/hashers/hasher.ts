// The contract of a slow hash, and the choice of the one that hashed a stored set.
import { BackupCodeError } from '../../errors';
import { assertMethods } from '../../internal/validate';

/**
 * A password-hashing scheme. Its parameters are stored in the salt string, so that a set stays
 * readable when you change them. Implement it to use a scheme of your own.
 *
 * @example
 * ```ts
 * const keyService: Hasher = {
 *   newSalt: () => `$hsm$v=1$${randomBytes(16).toString('hex')}`,
 *   reads: (salt) => /^\$hsm\$v=1\$[0-9a-f]{32}$/.test(salt),
 *   hash: async (code, salt) => hsm.deriveKey(code, salt),
 * };
 * new BackupCodes({ store, hasher: keyService });
 * ```
 */
export interface Hasher {
  /** The parameters and a new random salt, as one printable string of at most 255 characters. */
  newSalt(): string;
  /** Whether this hasher reads the salt string and accepts its parameters. Never throws. */
  reads(salt: string): boolean;
  /**
   * The hash of a code, of 16 bytes or more. The same code and salt always give the same hash. Runs
   * off the event loop, for at most 30 seconds.
   */
  hash(code: string, salt: string): Promise<Buffer>;
  /**
   * Formats with fewer bits than this are refused with this hasher.
   *
   * @default 0
   */
  readonly minimumBits?: number;
}

/** What a stored set says about its hash. */
export interface StoredHash {
  /** The salt string of the set. */
  readonly salt: string;
  /** The bits of its format. */
  readonly bits: number;
}

const MAX_SALT_LENGTH = 255;

/**
 * The hasher of a stored set: the first of the list that reads its salt string.
 *
 * @throws {BackupCodeError} `unreadable_hash` if no hasher reads it, or if the codes are too short
 *   for the hasher. That is an error, never an invalid code.
 */
export function hasherFor(hashers: readonly Hasher[], { salt, bits }: StoredHash): Hasher {
  for (const hasher of hashers) {
    if (!hasher.reads(salt)) continue;
    if (bits >= (hasher.minimumBits ?? 0)) return hasher;
    break;
  }
  throw new BackupCodeError(
    'unreadable_hash',
    'A stored set was hashed in a way that none of the configured hashers reads, with ' +
      'parameters out of range, or too fast for the length of its codes.',
  );
}

/**
 * A salt string that the hasher reads again. Without this check the codes of a set could never be
 * compared.
 *
 * @throws {BackupCodeError} `invalid_hasher`
 */
export function freshSalt(hasher: Hasher): string {
  const salt: unknown = hasher.newSalt();
  if (typeof salt === 'string' && salt.length <= MAX_SALT_LENGTH && hasher.reads(salt)) return salt;
  throw new BackupCodeError(
    'invalid_hasher',
    'The first hasher must return from newSalt() a salt string that it reads itself, ' +
      `of at most ${MAX_SALT_LENGTH} characters.`,
  );
}

/**
 * Checks the option `hasher`.
 *
 * @param given one hasher, or a list with the newest first
 * @param bits the bits of the format that is issued
 * @throws {BackupCodeError} `invalid_hasher`
 */
export function hasherList(given: Hasher | readonly Hasher[], bits: number): readonly Hasher[] {
  const list = Array.isArray(given) ? (given as readonly Hasher[]) : [given as Hasher];
  const [first] = list;
  if (first === undefined) {
    throw new BackupCodeError('invalid_hasher', 'hasher is an empty list. Give at least one.');
  }
  for (const hasher of list) {
    assertMethods('hasher', hasher, ['newSalt', 'reads', 'hash'], 'invalid_hasher');
  }
  freshSalt(first);
  const { minimumBits = 0 } = first;
  if (bits < minimumBits) {
    throw new BackupCodeError(
      'invalid_hasher',
      `The first hasher needs a format of ${minimumBits} bits or more, but the format has ${bits}.`,
    );
  }
  return list;
}
