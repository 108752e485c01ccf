import crypto from 'node:crypto';
import fc from 'fast-check';
import { formats, type Format } from '../lib';
import { generateCodes, type RandomSource } from '../lib/generate';

/** Too few possibilities for `defineFormat`, and so for anybody but a test. */
const tiny: Format = { ...formats.numeric, alphabet: '012', length: 3, possibilities: 27 };
const thirtySix: Format = { ...formats.standard, alphabet: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ' };

/** A source that gives these bytes in this order, and then fails. */
function given(...bytes: number[]): RandomSource {
  let used = 0;
  return (size) => {
    if (used >= bytes.length) throw new Error('no more bytes');
    const given = bytes.slice(used, used + size);
    used += given.length;
    return Uint8Array.from(given);
  };
}

/** Pearson's statistic of symbols against all being alike. */
function chiSquare(symbols: readonly string[], alphabet: string): number {
  const expected = symbols.length / alphabet.length;
  const counts = new Map<string, number>();
  for (const symbol of symbols) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  return Array.from(alphabet).reduce((sum, symbol) => sum + ((counts.get(symbol) ?? 0) - expected) ** 2 / expected, 0);
}

/** Passed by chance once in more than 10^9 runs: mean + 7 sigma and a little for the tail. */
function bound(alphabet: string): number {
  const degrees = alphabet.length - 1;
  return degrees + 7 * Math.sqrt(2 * degrees) + 30;
}

describe('generating codes', () => {
  it.each([['standard', formats.standard], ['numeric', formats.numeric], ['hex', formats.hex]])(
    'gives every symbol the same chance at every place of %s, over 10^5 codes',
    (_name, format) => {
      // In hundreds, for distinctness is what costs; all of them together are 10^5 symbols a place.
      const codes = Array.from({ length: 1000 }, () => generateCodes(format, 100)).flat();
      expect(codes).toHaveLength(1e5);
      for (let place = 0; place < format.length; place += 1) {
        expect(chiSquare(codes.map((code) => code.charAt(place)), format.alphabet)).toBeLessThan(bound(format.alphabet));
      }
      expect(chiSquare(codes.flatMap((code) => Array.from(code)), format.alphabet)).toBeLessThan(bound(format.alphabet));
    },
  );

  it('would show the bias of a remainder: the same test fails on it', () => {
    const biased = Array.from(crypto.randomBytes(8e5), (byte) => formats.numeric.alphabet.charAt(byte % 10));
    expect(chiSquare(biased, formats.numeric.alphabet)).toBeGreaterThan(bound(formats.numeric.alphabet));
  });

  it('draws a byte again that lies past the last whole multiple of the alphabet', () => {
    // 252 = 7 * 36: from there on symbols would come up once more than others.
    expect(generateCodes(thirtySix, 1, given(252, 253, 254, 255, 251, 0, 35, 36, 1, 2, 3, 4))).toEqual(['Z0Z01234']);
  });

  it('uses every byte where the alphabet is a power of two', () => {
    expect(generateCodes(formats.standard, 1, given(0, 31, 32, 255, 254, 63, 64, 1))).toEqual(['A9A989AB']);
  });

  it('gives every symbol the same number of bytes', () => {
    for (const format of [formats.standard, formats.hex, formats.numeric, thirtySix, tiny]) {
      const one: Format = { ...format, length: 1 };
      const counts = new Map<string, number>();
      for (let byte = 0; byte < 256; byte += 1) {
        try {
          const [symbol = ''] = generateCodes(one, 1, given(byte));
          counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
        } catch {
          // Drawn again, and there was no other.
        }
      }
      expect([...counts.keys()].sort()).toEqual(Array.from(format.alphabet).sort());
      expect(new Set(counts.values())).toEqual(new Set([Math.floor(256 / format.alphabet.length)]));
    }
  });

  it('gives as many as asked, all different, of the alphabet and of the length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 27 }), (count) => {
        const codes = generateCodes(tiny, count);
        expect(codes).toHaveLength(count);
        expect(new Set(codes).size).toBe(count);
        for (const code of codes) expect(code).toMatch(/^[012]{3}$/);
      }),
    );
  });

  it('draws a code again that it has already', () => {
    expect(generateCodes(formats.standard, 2, given(...Array(16).fill(0), ...Array(8).fill(1)))).toEqual(['AAAAAAAA', 'BBBBBBBB']);
  });

  it('asks the operating system unless a test says otherwise', () => {
    const spy = jest.spyOn(crypto, 'randomBytes');
    generateCodes(formats.standard, 10);
    expect(spy).toHaveBeenCalledTimes(10);
    spy.mockRestore();
  });

  it('throws where the source does, and gives nothing', () => {
    expect(() => generateCodes(formats.standard, 10, given(...Array(75).fill(7)))).toThrow('no more bytes');
  });
});
