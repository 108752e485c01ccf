// Taking over a list of codes that an app already printed. Reads and checks it; the codes come from the app's own records, never
// from a browser.
import type { Config } from './options';
import { BackupCodeError } from '../errors';
import { checkFormat, readCode, serializeFormat, type Format } from '../codes/formats';
import { assertHardToGuess } from '../codes/guessing';
import { describe } from '../internal/validate';

const MAX_CODES = 32;

/** The codes as bare symbols. @throws {BackupCodeError} `invalid_codes`, which names the place and not the code; `invalid_format`, `invalid_option` */
export function readAdopted(
  config: Config,
  plainCodes: unknown,
  given: unknown,
): { format: Format; symbols: string[] } {
  const format = adoptedFormat(config.formats, given);
  const symbols = readPlainCodes(format, plainCodes);
  assertHardToGuess(format, {
    count: symbols.length,
    attempts: config.waits.length,
    hasPepper: config.pepper.newest.id !== null,
  });
  return { format, symbols };
}

/** @throws {BackupCodeError} `invalid_format`, `invalid_option` */
export function adoptedFormat(listed: readonly Format[], given: unknown): Format {
  const format = checkFormat(given);
  if (listed.some((other) => serializeFormat(other) === serializeFormat(format))) return format;
  throw new BackupCodeError(
    'invalid_format',
    'The format of adopted codes must be one of the formats of this BackupCodes, or they would never be read: format: [formats.standard, thisOne].',
  );
}

/** @throws {BackupCodeError} `invalid_codes` */
export function readPlainCodes(format: Format, plainCodes: unknown): string[] {
  if (!Array.isArray(plainCodes) || plainCodes.length < 1 || plainCodes.length > MAX_CODES) {
    throw new BackupCodeError(
      'invalid_codes',
      `Adopted codes must be an array of 1 to ${MAX_CODES} texts, but were ${Array.isArray(plainCodes) ? `${plainCodes.length} of them` : describe(plainCodes)}.`,
    );
  }
  const symbols = plainCodes.map((code: unknown, index) => {
    const read = readCode(format, code);
    if (read === null)
      throw new BackupCodeError(
        'invalid_codes',
        `Adopted code number ${index + 1} is not of the format given.`,
      );
    return read;
  });
  const twice = symbols.findIndex((code, index) => symbols.indexOf(code) !== index);
  if (twice !== -1)
    throw new BackupCodeError('invalid_codes', `Adopted code number ${twice + 1} is there twice.`);
  return symbols;
}
