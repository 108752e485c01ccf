// The keys that are kept apart from the database, and which of them a set was made with. No message
// shows a key.
import { BackupCodeError } from '../errors';
import { assertOptions, describe } from '../internal/validate';
import { checkOf, type SetBinding } from './digests';

/**
 * One HMAC key. The last of a list may be `{ id: 'none' }`: sets that were made before there was a
 * pepper are then still accepted.
 *
 * @example
 * ```ts
 * new BackupCodes({ store, pepper: pepperFromEnv('BACKUP_CODE_PEPPER') });
 * ```
 */
export type Pepper =
  | {
      /** 1 to 64 of `A-Z a-z 0-9 . _ -`, but not `none`. Stored with each set. */
      readonly id: string;
      /** 32 random bytes or more, from a secret store, never from the database of the codes. */
      readonly key: Uint8Array;
    }
  | { readonly id: 'none'; readonly key?: undefined };

/** The pepper of a set. `id` is `null` if the set was made without one. */
export interface PepperKey {
  readonly id: string | null;
  readonly key: Uint8Array;
}

/** What a stored set says about its pepper. */
export interface PepperedSet extends Pick<SetBinding, 'userId' | 'namespace' | 'setId'> {
  readonly pepperId: string | null;
  readonly check: string;
}

/** All configured peppers. */
export interface PepperRing {
  /** Signs new sets. */
  readonly newest: PepperKey;
  /**
   * The key of a stored set, proven by the check of the set.
   *
   * @throws {BackupCodeError} `unknown_pepper`, `wrong_pepper`
   */
  keyOf(set: PepperedSet): Uint8Array;
}

/**
 * Without a pepper the key is this constant. The scheme stays the same, but a copy of the database
 * is then all that an attacker needs.
 */
const NO_PEPPER: PepperKey = { id: null, key: Buffer.from('passport-backup-code/v1/no-pepper') };
export const MIN_KEY_BYTES = 32;

/**
 * Checks the option `pepper`. An empty list means no pepper, as if the option were left out.
 *
 * @param given one pepper, or a list with the newest first
 * @throws {BackupCodeError} `invalid_pepper`, `invalid_option`
 */
export function pepperRing(given: Pepper | readonly Pepper[] | undefined): PepperRing {
  const listed = given ?? [];
  const list = Array.isArray(listed) ? (listed as readonly Pepper[]) : [listed as Pepper];
  const peppers = checkPeppers(list);
  const [newest] = peppers.values();
  return {
    newest: newest ?? NO_PEPPER,
    keyOf: ({ pepperId, check, ...binding }) => {
      const pepper = peppers.get(pepperId);
      if (pepper === undefined) {
        const what =
          pepperId === null
            ? 'was made without a pepper, which is refused once one is configured'
            : `names the pepper "${pepperId}", which is not configured`;
        throw new BackupCodeError('unknown_pepper', `A stored set ${what}.`);
      }
      if (checkOf(pepper.key, binding) !== check) {
        throw new BackupCodeError(
          'wrong_pepper',
          `The pepper "${pepperId ?? 'none'}" is not the one that a stored set was made with, ` +
            'or the set belongs to another user.',
        );
      }
      return pepper.key;
    },
  };
}

/** The checked peppers by the id that is stored with a set, in the order of the list. */
function checkPeppers(list: readonly Pepper[]): ReadonlyMap<string | null, PepperKey> {
  const peppers = new Map<string | null, PepperKey>();
  for (const [index, given] of list.entries()) {
    const isLastOfSeveral = index > 0 && index === list.length - 1;
    const pepper = checkPepper(given, isLastOfSeveral);
    if (pepper.id !== null && peppers.has(pepper.id)) {
      throw invalid(`Two peppers have the id "${pepper.id}". Give each key an id of its own.`);
    }
    peppers.set(pepper.id, pepper);
  }
  return peppers.size > 0 ? peppers : new Map([[null, NO_PEPPER]]);
}

function checkPepper(given: Pepper, mayBeNone: boolean): PepperKey {
  if (typeof given !== 'object') {
    throw invalid(
      `pepper must be { id, key } or a list of them, newest first, but was ${describe(given)}.`,
    );
  }
  assertOptions('pepper', given, ['id', 'key']);
  const { id, key } = given;
  if (id === 'none') {
    if (mayBeNone) return NO_PEPPER;
    throw invalid('The pepper "none" may only be the last of a list, after a pepper with a key.');
  }
  if (typeof id !== 'string' || !/^[\w.-]{1,64}$/.test(id)) {
    throw invalid(
      'The id of a pepper must be 1 to 64 letters, digits, dots, dashes or underscores.',
    );
  }
  if (!(key instanceof Uint8Array) || key.length < MIN_KEY_BYTES) {
    const what = key instanceof Uint8Array ? `${key.length} bytes` : describe(key);
    const hint = typeof key === 'string' ? " Decode it first: Buffer.from(key, 'base64')." : '';
    throw invalid(
      `The key of pepper "${id}" must be a Buffer of at least ${MIN_KEY_BYTES} bytes, ` +
        `but was ${what}.${hint}`,
    );
  }
  // A copy: the caller may overwrite theirs.
  return { id, key: Uint8Array.from(key) };
}

function invalid(message: string): BackupCodeError {
  return new BackupCodeError('invalid_pepper', message);
}
