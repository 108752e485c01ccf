// What a backup code looks like. Reads, makes and hashes none.
import { BackupCodeError } from '../errors';
import { assertOptions, describe, wholeNumber } from '../internal/validate';
import { LOOK_ALIKES } from './symbol-table';

/** What defines a format. It is stored with every set, so that printed codes stay readable. */
export interface FormatDefinition {
  /** The symbols: 2 to 36 ASCII letters and digits, letters of one case only, no symbol twice. */
  readonly alphabet: string;
  /** Symbols in a code, without separators. 4 to 64. */
  readonly length: number;
  /**
   * Symbols between two separators, 1 to `length`. They help the eye only.
   *
   * @default length, so that the whole code is one group
   */
  readonly groupSize?: number;
  /**
   * What separates the groups: `-`, a space, `.`, `_` or nothing. Never part of what is hashed.
   *
   * @default '-'
   */
  readonly separator?: string;
}

/** A checked definition, frozen. {@link defineFormat} makes it. */
export interface Format extends Required<FormatDefinition> {
  /** How many different codes there are: `alphabet.length` to the power of `length`. */
  readonly possibilities: number;
  /** log2 of `possibilities`, rounded down to two decimal places. */
  readonly bits: number;
}

/** NIST SP 800-63B-4, section 3.1.2.1: six decimal digits, or as many possibilities. */
const MIN_POSSIBILITIES = 1e6;
const SEPARATORS = ['-', ' ', '.', '_', ''];
/** By stored string. Bounded: what is stored is input, too. */
const parsedFormats = new Map<string, Format>();
const MAX_PARSED_FORMATS = 64;
/**
 * Defines a format of your own.
 *
 * @example
 * ```ts
 * // 7K3-QXP-9WM: nine symbols of 32, 45 bits.
 * const format = defineFormat({
 *   alphabet: 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789',
 *   length: 9,
 *   groupSize: 3,
 * });
 * const backupCodes = new BackupCodes({ store, format });
 * ```
 * @throws {BackupCodeError} `invalid_format` if a field is missing or out of range, if there are
 *   fewer than 10^6 codes (NIST SP 800-63B-4, section 3.1.2.1), or if the alphabet has two of the
 *   look-alikes 1, I and L but not the third, so that a typed one could mean either
 * @throws {BackupCodeError} `invalid_option` if there is an unknown field
 */
export function defineFormat(definition: FormatDefinition): Format {
  assertOptions('defineFormat', definition, ['alphabet', 'length', 'groupSize', 'separator']);
  const { alphabet, separator = '-' } = definition;
  assertAlphabet(alphabet);
  if (!SEPARATORS.includes(separator)) {
    throw invalid(
      `separator must be one of "-", " ", ".", "_" or "", but was ${quote(separator)}.`,
    );
  }
  if (definition.length === undefined) {
    throw invalid('length is missing: say how many symbols a code has, from 4 to 64.');
  }
  const code = 'invalid_format';
  const length = wholeNumber('length', definition.length, { min: 4, max: 64, fallback: 0, code });
  const groupSize = wholeNumber('groupSize', definition.groupSize, {
    min: 1,
    max: length,
    fallback: length,
    code,
  });
  const possibilities = alphabet.length ** length;
  if (possibilities < MIN_POSSIBILITIES) {
    throw invalid(
      `${alphabet.length} symbols and length ${length} give ${possibilities} codes; ` +
        'at least 10^6 are needed (NIST SP 800-63B-4, section 3.1.2.1).',
    );
  }
  const bits = Math.floor(100 * length * Math.log2(alphabet.length)) / 100;
  const format = Object.freeze({ alphabet, length, groupSize, separator, possibilities, bits });
  return format;
}

const UNAMBIGUOUS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/**
 * The formats that come with the package.
 *
 * @example
 * ```ts
 * // Codes of 80 bits, which recovery logins need. On the second_factor channel, sets with codes of
 * // 40 bits are still read.
 * new BackupCodes({ store, format: [formats.recovery, formats.standard] });
 * ```
 */
export const formats = Object.freeze({
  /** `XXXX-XXXX`, 40 bits, for use after a first factor. A to Z without I and O, 2 to 9. */
  standard: defineFormat({ alphabet: UNAMBIGUOUS, length: 8, groupSize: 4 }),
  /**
   * `XXXX-XXXX-XXXX-XXXX`, 80 bits, for recovery logins: there a code needs 64 bits or more
   * (NIST SP 800-63B-4, section 4.2.1.1).
   */
  recovery: defineFormat({ alphabet: UNAMBIGUOUS, length: 16, groupSize: 4 }),
  /**
   * Five groups of five, 125 bits, for a password manager. Codes of 112 bits or more need no slow
   * hash (NIST SP 800-63B-4, section 3.1.2.2).
   */
  long: defineFormat({ alphabet: UNAMBIGUOUS, length: 25, groupSize: 5 }),
  /** `0000 0000`, 26.5 bits, for number pads. Needs a pepper. */
  numeric: defineFormat({ alphabet: '0123456789', length: 8, groupSize: 4, separator: ' ' }),
  /** `xxxxx-xxxxx`, 40 bits, in hexadecimal digits. */
  hex: defineFormat({ alphabet: '0123456789abcdef', length: 10, groupSize: 5 }),
});

/**
 * A code as it is shown and printed, in groups.
 *
 * @param symbols the bare symbols, as `readCode` returns them
 */
export function showCode(format: Format, symbols: string): string {
  const groups: string[] = [];
  for (let start = 0; start < symbols.length; start += format.groupSize) {
    groups.push(symbols.slice(start, start + format.groupSize));
  }
  return groups.join(format.separator);
}

/**
 * Checks a format that was given as an option. Its numbers are computed again: they may be wrong.
 *
 * @throws {BackupCodeError} `invalid_format`, `invalid_option`
 */
export function checkFormat(given: unknown): Format {
  const fields = ['alphabet', 'length', 'groupSize', 'separator', 'possibilities', 'bits'];
  if (typeof given === 'string') throw formatNameError(given);
  assertOptions('format', given, fields);
  const { alphabet, length, groupSize, separator } = given as Format;
  return defineFormat({ alphabet, length, groupSize, separator });
}

function formatNameError(name: string): BackupCodeError {
  const isKnown = Object.hasOwn(formats, name);
  return new BackupCodeError(
    'invalid_option',
    'format must be a format, but was a string. ' +
      `Write format: formats.${isKnown ? name : 'standard'}, with formats of passport-backup-code.`,
  );
}

/** The definition as it is stored with a set. */
export function serializeFormat({ alphabet, length, groupSize, separator }: Format): string {
  return JSON.stringify({ alphabet, length, groupSize, separator });
}

/**
 * Parses and checks a stored definition, once for each stored string: a database row is input too.
 * The limits are those of version 1 of the scheme. They are never raised, or stored sets would
 * become unreadable.
 *
 * @throws {BackupCodeError} `unreadable_set`
 */
export function parseFormat(stored: string): Format {
  const parsed = parsedFormats.get(stored);
  if (parsed !== undefined) return parsed;
  try {
    const format = defineFormat(JSON.parse(stored) as FormatDefinition);
    if (parsedFormats.size >= MAX_PARSED_FORMATS) parsedFormats.clear();
    parsedFormats.set(stored, format);
    return format;
  } catch (cause) {
    throw new BackupCodeError('unreadable_set', 'A stored set has a format that cannot be read.', {
      cause,
    });
  }
}

/** @throws {BackupCodeError} `invalid_format` */
function assertAlphabet(alphabet: unknown): asserts alphabet is string {
  if (typeof alphabet !== 'string' || !/^(?:[0-9A-Z]{2,36}|[0-9a-z]{2,36})$/.test(alphabet)) {
    throw invalid(
      'alphabet must be 2 to 36 ASCII letters and digits, the letters all upper case or ' +
        `all lower case, but was ${quote(alphabet)}.`,
    );
  }
  const repeated = Array.from(alphabet).find((symbol, at) => alphabet.indexOf(symbol) !== at);
  if (repeated !== undefined) throw invalid(`alphabet has the symbol "${repeated}" twice.`);
  const isLowerCase = alphabet !== alphabet.toUpperCase();
  for (const lookAlikes of LOOK_ALIKES) {
    const group = Array.from(isLowerCase ? lookAlikes.toLowerCase() : lookAlikes);
    const present = group.filter((symbol) => alphabet.includes(symbol));
    if (present.length > 1 && present.length < group.length) {
      throw invalid(
        `alphabet has ${present.join(' and ')} but not all of ${group.join(', ')}: ` +
          'a typed look-alike could mean either. Give it one of them, or all.',
      );
    }
  }
}

/** A format holds no secret: a string may be shown. */
function quote(given: unknown): string {
  return typeof given === 'string' ? JSON.stringify(given) : describe(given);
}

function invalid(message: string): BackupCodeError {
  return new BackupCodeError('invalid_format', message);
}
