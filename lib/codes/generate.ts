// Generates the codes of a set. Hashes and stores nothing.
import { randomBytes } from 'node:crypto';
import { BackupCodeError } from '../errors';
import type { Format } from './formats';

/** Returns this many random bytes. Only a test passes another one than `crypto.randomBytes`. */
export type RandomSource = (size: number) => Uint8Array;

/** The most draws for a code, on average. Three are enough; more mean a broken source. */
const MAX_DRAWS = 1000;

/**
 * Distinct codes as bare symbols. Every symbol is equally likely: a byte from the last, incomplete
 * multiple of the alphabet's size is drawn again (rejection sampling). If that size is a power of
 * two, there is no such byte.
 *
 * @throws {BackupCodeError} `invalid_result` if the source returns the same bytes all the time
 */
export function generateCodes(
  { alphabet, length }: Format,
  count: number,
  { random = randomBytes }: { readonly random?: RandomSource } = {},
): string[] {
  const limit = 256 - (256 % alphabet.length);
  const codes = new Set<string>();
  let draws = 0;
  while (codes.size < count) {
    let code = '';
    while (code.length < length) {
      draws += 1;
      if (draws > MAX_DRAWS * count) {
        throw new BackupCodeError(
          'invalid_result',
          'The random source does not give random bytes.',
        );
      }
      for (const byte of random(length - code.length)) {
        if (byte < limit) code += alphabet.charAt(byte % alphabet.length);
      }
    }
    codes.add(code);
  }
  return [...codes];
}
