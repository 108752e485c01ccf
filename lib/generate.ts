// Makes the codes of a set. Knows nothing of hashes or stores.
import { randomBytes } from 'node:crypto';
import type { Format } from './formats';

/** Gives `size` random bytes. The only one in the product is `crypto.randomBytes`; a test may pass another. */
export type RandomSource = (size: number) => Uint8Array;

/**
 * Codes as bare symbols, distinct, each symbol drawn without bias: bytes past the largest multiple of the alphabet's
 * size are drawn again (rejection sampling), which never happens where that size is a power of two.
 */
export function generateCodes(format: Format, count: number, random: RandomSource = randomBytes): string[] {
  const codes = new Set<string>();
  while (codes.size < count) codes.add(generateCode(format, random));
  return [...codes];
}

function generateCode({ alphabet, length }: Format, random: RandomSource): string {
  const limit = 256 - (256 % alphabet.length);
  let code = '';
  while (code.length < length) {
    for (const byte of random(length - code.length)) {
      if (byte < limit) code += alphabet.charAt(byte % alphabet.length);
    }
  }
  return code;
}
