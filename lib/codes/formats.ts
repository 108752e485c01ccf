// What a backup code looks like, and how a typed one is read. Makes no codes and hashes none.
import { BackupCodeError } from '../errors';
import { assertOptions, wholeNumber } from '../internal/validate';

/** The four facts that define a format. They are stored with every set, so that a printed code can be read for ever. */
export interface FormatDefinition {
  /** The symbols: ASCII letters of one case and digits, each once, 2 to 36 of them. */
  readonly alphabet: string;
  /** Symbols in a code, without separators. 4 to 64. */
  readonly length: number;
  /** Symbols between separators, for the eye only. Default: the whole code in one group. */
  readonly groupSize?: number;
  /** What stands between groups: `-`, a space, `.`, `_` or nothing. Default `-`. Never part of what is hashed. */
  readonly separator?: string;
}

/** A checked definition. Made by {@link defineFormat}; frozen. */
export interface Format extends Required<FormatDefinition> {
  /** How many codes there are: `alphabet.length` to the power of `length`. */
  readonly possibilities: number;
  /** The same in bits, rounded down to two places: log2 of `possibilities`. Separators count for nothing. */
  readonly bits: number;
}

/** NIST SP 800-63B-4, section 3.1.2.1, asks for six decimal digits or the like. */
const MIN_POSSIBILITIES = 1e6;
/** A longer input is not a code; nothing is done with it. */
export const MAX_TYPED_LENGTH = 128;
const SEPARATORS = ['-', ' ', '.', '_', ''];
/** Symbols that people and fonts confuse. One that a format lacks is read as the one it has. */
const LOOK_ALIKES = ['1IL', '0O'];

/**
 * Defines a format of one's own.
 *
 * @throws {BackupCodeError} `invalid_format` if the alphabet has a symbol twice, mixes upper and lower case, holds
 *   anything but ASCII letters and digits, or has two of a group of look-alikes (1 I L, 0 O) but not the third, so
 *   that a typed look-alike could mean either; if there are fewer than 10^6 codes; or if a number is out of range.
 */
export function defineFormat(definition: FormatDefinition): Format {
  assertOptions('defineFormat', definition, ['alphabet', 'length', 'groupSize', 'separator']);
  const { alphabet, separator = '-' } = definition;
  if (typeof alphabet !== 'string' || !/^(?:[0-9A-Z]{2,36}|[0-9a-z]{2,36})$/.test(alphabet)) {
    throw new BackupCodeError(
      'invalid_format',
      'alphabet must be 2 to 36 ASCII digits and letters, the letters all upper case or all lower case.',
    );
  }
  if (new Set(alphabet).size !== alphabet.length)
    throw new BackupCodeError('invalid_format', 'alphabet has a symbol twice.');
  for (const group of LOOK_ALIKES) {
    const present = Array.from(inCaseOf(alphabet, group)).filter((symbol) =>
      alphabet.includes(symbol),
    );
    if (present.length > 1 && present.length < group.length) {
      throw new BackupCodeError(
        'invalid_format',
        `alphabet has ${present.join(' and ')} but not all of ${Array.from(group).join(', ')}: a typed look-alike could mean either.`,
      );
    }
  }
  if (!SEPARATORS.includes(separator)) {
    throw new BackupCodeError(
      'invalid_format',
      'separator must be one of "-", " ", ".", "_" or "".',
    );
  }
  const length = wholeNumber('length', definition.length, {
    min: 4,
    max: 64,
    fallback: NaN,
    code: 'invalid_format',
  });
  if (Number.isNaN(length))
    throw new BackupCodeError('invalid_format', 'length is missing: how many symbols a code has.');
  const groupSize = wholeNumber('groupSize', definition.groupSize, {
    min: 1,
    max: length,
    fallback: length,
    code: 'invalid_format',
  });
  const possibilities = alphabet.length ** length;
  if (possibilities < MIN_POSSIBILITIES) {
    throw new BackupCodeError(
      'invalid_format',
      `${alphabet.length} symbols and length ${length} give ${possibilities} codes; at least 10^6 are needed (NIST SP 800-63B-4, section 3.1.2.1).`,
    );
  }
  const bits = Math.floor(100 * length * Math.log2(alphabet.length)) / 100;
  return Object.freeze({ alphabet, length, groupSize, separator, possibilities, bits });
}

const UNAMBIGUOUS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** The formats that come with the package. */
export const formats = Object.freeze({
  /** `XXXX-XXXX`, 40 bits: behind a first factor. A to Z without I and O, 2 to 9. */
  standard: defineFormat({ alphabet: UNAMBIGUOUS, length: 8, groupSize: 4 }),
  /** `XXXX-XXXX-XXXX-XXXX`, 80 bits: a code that signs somebody in alone (NIST SP 800-63B-4, section 4.2.1.1: 64 or more). */
  recovery: defineFormat({ alphabet: UNAMBIGUOUS, length: 16, groupSize: 4 }),
  /** Five groups of five, 125 bits: for a password manager. Past 112 bits a plain approved hash is enough. */
  long: defineFormat({ alphabet: UNAMBIGUOUS, length: 25, groupSize: 5 }),
  /** `0000 0000`, 26.5 bits: for number pads. Needs a pepper. */
  numeric: defineFormat({ alphabet: '0123456789', length: 8, groupSize: 4, separator: ' ' }),
  /** `xxxxx-xxxxx`, 40 bits. */
  hex: defineFormat({ alphabet: '0123456789abcdef', length: 10, groupSize: 5 }),
});

/** The code as it is shown and printed: in groups. `symbols` are bare, as {@link readCode} returns them. */
export function showCode(format: Format, symbols: string): string {
  const groups: string[] = [];
  for (let i = 0; i < symbols.length; i += format.groupSize)
    groups.push(symbols.slice(i, i + format.groupSize));
  return groups.join(format.separator);
}

/**
 * Reads what a person typed or pasted: the bare symbols, or `null` if it is no code of this format. White space,
 * every dash, the separators of all formats and invisible characters are dropped; full-width forms, other scripts'
 * decimal digits, either case and look-alikes are understood.
 */
export function readCode(format: Format, typed: unknown): string | null {
  if (typeof typed !== 'string' || typed.length > MAX_TYPED_LENGTH) return null;
  const bare = typed
    .normalize('NFKC')
    .replace(/[\s\p{Dash}\p{Cf}\p{Default_Ignorable_Code_Point}._]/gu, '')
    .replace(/\p{Nd}/gu, toAsciiDigit);
  if (bare.length !== format.length) return null;
  let symbols = '';
  for (const typedSymbol of inCaseOf(format.alphabet, bare)) {
    const symbol = format.alphabet.includes(typedSymbol)
      ? typedSymbol
      : lookAlike(format.alphabet, typedSymbol);
    if (symbol === undefined) return null;
    symbols += symbol;
  }
  return symbols;
}

/** A format given as an option: made by {@link defineFormat}, or one like it, checked again. @throws {BackupCodeError} `invalid_format`, `invalid_option` */
export function checkFormat(given: unknown): Format {
  assertOptions('format', given, [
    'alphabet',
    'length',
    'groupSize',
    'separator',
    'possibilities',
    'bits',
  ]);
  const { alphabet, length, groupSize, separator } = given as Format;
  return defineFormat({ alphabet, length, groupSize, separator });
}

/** The definition alone, as it is stored with a set. */
export function serializeFormat({ alphabet, length, groupSize, separator }: Format): string {
  return JSON.stringify({ alphabet, length, groupSize, separator });
}

/**
 * A stored definition, checked again: a database row is input too. The floors are those of version 1 and are never raised.
 *
 * @throws {BackupCodeError} `unreadable_set`
 */
export function parseFormat(stored: string): Format {
  try {
    return defineFormat(JSON.parse(stored) as FormatDefinition);
  } catch (cause) {
    throw new BackupCodeError('unreadable_set', 'A stored set has a format that cannot be read.', {
      cause,
    });
  }
}

function lookAlike(alphabet: string, typedSymbol: string): string | undefined {
  const group = LOOK_ALIKES.map((symbols) => inCaseOf(alphabet, symbols)).find((symbols) =>
    symbols.includes(typedSymbol),
  );
  return group && Array.from(group).find((symbol) => alphabet.includes(symbol));
}

/** ASCII letters only: full case mapping would make one letter of another script into two of ours. */
function inCaseOf(alphabet: string, text: string): string {
  return /[a-z]/.test(alphabet)
    ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    : text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** Unicode keeps the decimal digits of a script in runs of ten, zero first. */
function toAsciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  let first = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return String((code - first) % 10);
}
