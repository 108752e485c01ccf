// Makes the codes of a set. Knows nothing of hashes or stores.
import { randomBytes } from 'node:crypto';
import type { Format } from './formats';

/** Gives `size` random bytes. The only one in the product is `crypto.randomBytes`; a test may pass another. */
export type RandomSource = (size: number) => Uint8Array;

/** Draws for each code, on average, after which the source is broken. A sound one needs three or fewer. */
const MAX_DRAWS = 1000;

/**
 * Codes as bare symbols, distinct, each symbol drawn without bias: bytes past the largest multiple of the alphabet's
 * size are drawn again (rejection sampling), which never happens where that size is a power of two.
 *
 * @throws what the source throws, and where it gives the same bytes again and again, for which no end would come
 */
export function generateCodes(
  { alphabet, length }: Format,
  count: number,
  random: RandomSource = randomBytes,
): string[] {
  const limit = 256 - (256 % alphabet.length);
  const codes = new Set<string>();
  let draws = 0;
  while (codes.size < count) {
    let code = '';
    while (code.length < length) {
      if ((draws += 1) > MAX_DRAWS * count)
        throw new Error('The random source does not give random bytes.');
      for (const byte of random(length - code.length))
        code += byte < limit ? alphabet.charAt(byte % alphabet.length) : '';
    }
    codes.add(code);
  }
  return [...codes];
}
