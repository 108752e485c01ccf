// The keys that are kept apart from the database, and which of them a set was made with. Never prints one.
import { BackupCodeError } from '../errors';
import { assertOptions } from '../internal/validate';
import { checkOf, type SetBinding } from './digests';

/**
 * One HMAC key, or as the last of a list `{ id: 'none' }`: sets made before there was a pepper are still accepted
 * while they drain.
 */
export type Pepper =
  | {
      /** 1 to 64 of `A-Z a-z 0-9 . _ -`; stored with each set. Not `none`. */
      readonly id: string;
      /** At least 32 random bytes, from a secret store; not from the database that holds the codes. */
      readonly key: Uint8Array;
    }
  | { readonly id: 'none'; readonly key?: undefined };

/** The pepper of a set. `id` is `null` where none was configured. */
export interface PepperKey {
  readonly id: string | null;
  readonly key: Uint8Array;
}

export interface PepperRing {
  /** Signs new sets. */
  readonly newest: PepperKey;
  /**
   * The key of a stored set, proven by the set's check.
   *
   * @throws {BackupCodeError} `unknown_pepper`, `wrong_pepper`
   */
  keyOf(
    set: { pepperId: string | null; check: string } & Pick<SetBinding, 'userId' | 'setId'>,
  ): Uint8Array;
}

/** Without a pepper the key is this constant: the construction stays one, and whoever has the rows has all. */
const NO_PEPPER: PepperKey = { id: null, key: Buffer.from('passport-backup-code/v1/no-pepper') };
const MIN_KEY_BYTES = 32;

/** Checks the list, newest first. @throws {BackupCodeError} `invalid_pepper`, `invalid_option` */
export function pepperRing(given: readonly Pepper[] | undefined): PepperRing {
  const keys = parsePeppers(given ?? []);
  return {
    newest: keys[0] ?? NO_PEPPER,
    keyOf: ({ pepperId, check, userId, setId }) => {
      const pepper = keys.find(({ id }) => id === pepperId);
      if (pepper === undefined) {
        const which =
          pepperId === null
            ? 'was made without a pepper, which is refused once one is configured'
            : `names the pepper "${pepperId}", which is not configured`;
        throw new BackupCodeError('unknown_pepper', `A stored set ${which}.`);
      }
      if (checkOf(pepper.key, { userId, setId }) !== check) {
        throw new BackupCodeError(
          'wrong_pepper',
          `The pepper "${pepperId ?? 'none'}" is not the one that a stored set was made with, or the set belongs to another user.`,
        );
      }
      return pepper.key;
    },
  };
}

function parsePeppers(given: readonly Pepper[]): PepperKey[] {
  if (!Array.isArray(given))
    throw new BackupCodeError(
      'invalid_pepper',
      'pepper must be a list of { id, key }, newest first.',
    );
  if (given.length === 0) return [NO_PEPPER];
  return given.map((pepper: Pepper, index) => {
    assertOptions('pepper', pepper, ['id', 'key']);
    const { id, key } = pepper;
    if (id === 'none') {
      if (index === 0 || index < given.length - 1)
        throw new BackupCodeError(
          'invalid_pepper',
          'pepper "none" may only stand last, behind a real one.',
        );
      return NO_PEPPER;
    }
    if (typeof id !== 'string' || !/^[\w.-]{1,64}$/.test(id)) {
      throw new BackupCodeError(
        'invalid_pepper',
        'The id of a pepper must be 1 to 64 letters, digits, dots, dashes or underscores.',
      );
    }
    if (given.findIndex((other: Pepper) => other.id === id) !== index)
      throw new BackupCodeError('invalid_pepper', `Two peppers have the id "${id}".`);
    if (!(key instanceof Uint8Array) || key.length < MIN_KEY_BYTES) {
      const length =
        key instanceof Uint8Array ? `${key.length} bytes` : 'no bytes at all (decode it first)';
      throw new BackupCodeError(
        'invalid_pepper',
        `The key of pepper "${id}" must be a Buffer of at least ${MIN_KEY_BYTES} bytes, but was ${length}.`,
      );
    }
    return { id, key: Uint8Array.from(key) };
  });
}
