import crypto from 'node:crypto';
import fc from 'fast-check';
import { formats, type Format } from '../../lib';
import { generateCodes, type RandomSource } from '../../lib/codes/generate';
import { failure } from '../helpers/errors';

/** Too few possibilities for `defineFormat`: only a test has this format. */
const tiny: Format = { ...formats.numeric, alphabet: '012', length: 3, possibilities: 27 };
const thirtySix: Format = { ...formats.standard, alphabet: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ' };

/** A source that returns these bytes in this order and then throws. */
function given(...bytes: number[]): RandomSource {
  let used = 0;
  return (size) => {
    if (used >= bytes.length) throw new Error('no more bytes');
    const given = bytes.slice(used, used + size);
    used += given.length;
    return Uint8Array.from(given);
  };
}

/** How often each symbol occurs in the strings: at one place of each, or anywhere. */
function countSymbols(
  texts: readonly string[],
  alphabet: string,
  place: number | 'anywhere',
): number[] {
  const byCode = new Uint32Array(128);
  for (const text of texts) {
    const [from, to] = place === 'anywhere' ? [0, text.length] : [place, place + 1];
    for (let at = from; at < to; at += 1) byCode[text.charCodeAt(at)]! += 1;
  }
  return Array.from(alphabet, (symbol) => byCode[symbol.charCodeAt(0)]!);
}

/** Pearson's statistic: how far these counts are from all being equal. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Passed by chance once in more than 10^9 runs: mean + 7 sigma and a little for the tail. */
function bound(alphabet: string): number {
  const degrees = alphabet.length - 1;
  return degrees + 7 * Math.sqrt(2 * degrees) + 30;
}

describe('generateCodes', () => {
  it.each([
    ['standard', formats.standard, 1e5],
    ['numeric', formats.numeric, 4e4],
  ] as const)(
    'Every symbol is drawn equally often at every place of a code of the format %s',
    (_name, format, many) => {
      const codes = Array.from({ length: many / 100 }, () => generateCodes(format, 100)).flat();
      expect(codes).toHaveLength(many);
      for (const place of [...Array(format.length).keys(), 'anywhere' as const]) {
        expect(chiSquare(countSymbols(codes, format.alphabet, place))).toBeLessThan(
          bound(format.alphabet),
        );
      }
    },
  );

  it('Remainders of random bytes would fail the test for equal frequency', () => {
    const { alphabet } = formats.numeric;
    const biased = Array.from(crypto.randomBytes(8e5), (byte) => alphabet.charAt(byte % 10)).join(
      '',
    );
    expect(chiSquare(countSymbols([biased], alphabet, 'anywhere'))).toBeGreaterThan(
      bound(alphabet),
    );
  });

  it('A byte past the last whole multiple of the alphabet is drawn again', () => {
    // 252 = 7 * 36: from there on symbols would come up once more than others.
    expect(
      generateCodes(thirtySix, 1, {
        random: given(252, 253, 254, 255, 251, 0, 35, 36, 1, 2, 3, 4),
      }),
    ).toEqual(['Z0Z01234']);
  });

  it('Every byte is used if the size of the alphabet is a power of two', () => {
    expect(
      generateCodes(formats.standard, 1, { random: given(0, 31, 32, 255, 254, 63, 64, 1) }),
    ).toEqual(['A9A989AB']);
  });

  it('Every symbol has the same number of bytes', () => {
    for (const format of [formats.standard, formats.hex, formats.numeric, thirtySix, tiny]) {
      const one: Format = { ...format, length: 1 };
      const counts = new Map<string, number>();
      for (let byte = 0; byte < 256; byte += 1) {
        try {
          const [symbol = ''] = generateCodes(one, 1, { random: given(byte) });
          counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
        } catch {
          // Drawn again, and there is no other byte.
        }
      }
      expect([...counts.keys()].sort()).toEqual(Array.from(format.alphabet).sort());
      expect(new Set(counts.values())).toEqual(new Set([Math.floor(256 / format.alphabet.length)]));
    }
  });

  it('As many distinct codes as asked for are drawn, of the alphabet and the length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 27 }), (count) => {
        const codes = generateCodes(tiny, count);
        expect(codes).toHaveLength(count);
        expect(new Set(codes).size).toBe(count);
        for (const code of codes) expect(code).toMatch(/^[012]{3}$/);
      }),
    );
  });

  it('A code that the set has already is not drawn twice', () => {
    expect(
      generateCodes(formats.standard, 2, {
        random: given(...Array(16).fill(0), ...Array(8).fill(1)),
      }),
    ).toEqual(['AAAAAAAA', 'BBBBBBBB']);
  });

  it('Random bytes come from the operating system unless a test replaces the source', () => {
    const spy = jest.spyOn(crypto, 'randomBytes');
    generateCodes(formats.standard, 10);
    expect(spy).toHaveBeenCalledTimes(10);
    spy.mockRestore();
  });

  it.each<[string, RandomSource]>([
    ['returns the same bytes all the time', (size) => new Uint8Array(size)],
    ['returns no bytes', () => new Uint8Array(0)],
    ['only returns bytes that are drawn again', (size) => new Uint8Array(size).fill(255)],
  ])('A random source that %s is an error, and not an endless loop', (_how, random) => {
    const counted = jest.fn(random);
    for (const count of [2, 3]) {
      counted.mockClear();
      expect(() => generateCodes(formats.numeric, count, { random: counted })).toThrow(
        failure('invalid_result'),
      );
      expect(counted).toHaveBeenCalledTimes(1000 * count);
    }
  });

  it('An error of the random source is thrown, and no code is returned', () => {
    expect(() =>
      generateCodes(formats.standard, 10, { random: given(...Array(75).fill(7)) }),
    ).toThrow('no more bytes');
  });
});
