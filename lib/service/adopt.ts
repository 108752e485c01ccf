// Reads and checks a list of codes that the app printed before it used this package.
import { checkFormat, serializeFormat, type Format } from '../codes/formats';
import { readRecordedCode } from '../codes/read-code';
import { assertHardToGuess } from '../codes/guessing';
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';
import type { NewCodes } from './issue';
import type { Config } from './config';

const MAX_CODES = 32;

/**
 * The codes as bare symbols. An error names the position of a code and not the code.
 *
 * @throws {BackupCodeError} `invalid_codes`, `invalid_format`, `invalid_option`
 */
export function readAdopted(config: Config, plainCodes: unknown, given: unknown): NewCodes {
  const format = adoptedFormat(config.formats, given);
  const symbols = readPlainCodes(format, plainCodes);
  assertHardToGuess(format, {
    count: symbols.length,
    attempts: config.waits.second_factor.length,
    hasPepper: config.pepper.newest.id !== null,
  });
  return { format, symbols };
}

/** @throws {BackupCodeError} `invalid_format`, `invalid_option` */
export function adoptedFormat(listed: readonly Format[], given: unknown): Format {
  const format = checkFormat(given);
  const definition = serializeFormat(format);
  if (listed.some((other) => serializeFormat(other) === definition)) return format;
  throw new BackupCodeError(
    'invalid_format',
    'The format of adopted codes must be one of the formats of this BackupCodes, ' +
      'or they could never be read: ' +
      'format: [formats.standard, thisOne].',
  );
}

/** @throws {BackupCodeError} `invalid_codes` */
export function readPlainCodes(format: Format, plainCodes: unknown): string[] {
  if (!Array.isArray(plainCodes)) {
    throw new BackupCodeError(
      'invalid_codes',
      `Adopted codes must be an array of 1 to ${MAX_CODES} strings, ` +
        `but were ${describe(plainCodes)}.`,
    );
  }
  if (plainCodes.length < 1 || plainCodes.length > MAX_CODES) {
    throw new BackupCodeError(
      'invalid_codes',
      `Adopted codes must be an array of 1 to ${MAX_CODES} strings, ` +
        `but there were ${plainCodes.length}.`,
    );
  }
  const symbols = plainCodes.map((code: unknown, index) => readPlainCode(format, code, index + 1));
  const repeated = symbols.findIndex((code, index) => symbols.indexOf(code) !== index);
  if (repeated !== -1) {
    throw new BackupCodeError(
      'invalid_codes',
      `Adopted code number ${repeated + 1} is in the list twice.`,
    );
  }
  return symbols;
}

function readPlainCode(format: Format, code: unknown, number: number): string {
  const symbols = readRecordedCode(format, code);
  if (symbols !== null) return symbols;
  throw new BackupCodeError(
    'invalid_codes',
    `Adopted code number ${number} does not fit the given format.`,
  );
}
