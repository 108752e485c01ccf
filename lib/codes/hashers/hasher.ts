// The contract of a slow hash, and its choice for a stored set. An app can bring its own; a test can count.
import { BackupCodeError } from '../../errors';
import { assertMethods } from '../../internal/validate';

/** A password-hashing scheme. Its parameters travel in the salt string, so that old sets stay readable. */
export interface Hasher {
  /** The parameters and a fresh random salt, as one self-describing printable string of at most 255 characters. */
  newSalt(): string;
  /** Whether this hasher can read such a string, its parameters being within the caps. Never throws. */
  reads(salt: string): boolean;
  /** The hash of a code: 16 bytes or more, off the event loop. Deterministic for one salt string. */
  hash(code: string, salt: string): Promise<Buffer>;
  /** Formats of fewer bits than this are refused with this hasher. Default 0. */
  readonly minimumBits?: number;
}

const MAX_SALT_LENGTH = 255;

/**
 * The hasher for a stored set: the first listed one that reads its salt string, and accepts codes of so many bits.
 *
 * @throws {BackupCodeError} `unreadable_hash`: an unknown or out-of-range scheme is never "a wrong code".
 */
export function hasherFor(hashers: readonly Hasher[], salt: string, bits: number): Hasher {
  const hasher = hashers.find((candidate) => candidate.reads(salt));
  if (hasher === undefined || bits < (hasher.minimumBits ?? 0)) {
    throw new BackupCodeError(
      'unreadable_hash',
      'A stored set was hashed in a way that none of the configured hashers reads, with parameters beyond their caps, or too quickly for its format.',
    );
  }
  return hasher;
}

/** A salt string that the hasher will read again; else the codes of its sets could never be checked. @throws {BackupCodeError} `invalid_hasher` */
export function freshSalt(hasher: Hasher): string {
  const salt: unknown = hasher.newSalt();
  if (typeof salt === 'string' && salt.length <= MAX_SALT_LENGTH && hasher.reads(salt)) return salt;
  throw new BackupCodeError(
    'invalid_hasher',
    `The first hasher must read the salt strings it makes, of at most ${MAX_SALT_LENGTH} characters.`,
  );
}

/** The listed hashers as a list. @throws {BackupCodeError} `invalid_hasher` */
export function hasherList(given: Hasher | readonly Hasher[], bits: number): readonly Hasher[] {
  const list = Array.isArray(given) ? (given as readonly Hasher[]) : [given as Hasher];
  const [first] = list;
  if (first === undefined)
    throw new BackupCodeError('invalid_hasher', 'hasher is an empty list; give at least one.');
  for (const hasher of list)
    assertMethods('hasher', hasher, ['newSalt', 'reads', 'hash'], 'invalid_hasher');
  freshSalt(first);
  const { minimumBits = 0 } = first;
  if (bits < minimumBits) {
    throw new BackupCodeError(
      'invalid_hasher',
      `The first hasher wants formats of ${minimumBits} bits or more; this one has ${bits}.`,
    );
  }
  return list;
}
