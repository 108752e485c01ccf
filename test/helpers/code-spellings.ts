// The ways in which users type, paste and decorate a code. The tables are written out here or come
// from `Intl`, not from the code under test.
import fc from 'fast-check';
import type { Format } from '../../lib';

/** Every character that Unicode calls a dash. */
export const DASHES =
  '-\u058A\u05BE\u1400\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2053\u207B\u208B\u2212' +
  '\u2E17\u2E1A\u2E3A\u2E3B\u2E40\u301C\u3030\u30A0\uFE31\uFE32\uFE58\uFE63\uFF0D\u{10EAD}';
export const SPACES =
  ' \t\n\r\v\f\u00A0\u1680\u2000\u2003\u2007\u2009\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF';
export const INVISIBLE =
  '\u00AD\u034F\u061C\u200B\u200C\u200D\u200E\u200F\u202A\u202E\u2060\u2066\u2069' +
  '\uFE0E\uFE0F\u{E0020}';
/** All characters that are allowed between symbols, separators included. */
export const DECORATIONS: readonly string[] = Array.from(`${DASHES}${SPACES}${INVISIBLE}._`);

/** Characters that people copy along with a code: quotes, brackets, bullets and the like. */
export const AROUND: readonly string[] = Array.from(
  `,;:!|/\\*#>"'\u0060\u2018\u2019\u201C\u201D\u201E\u00AB\u00BB()[]{}<\u2022\u00B7\u25CF\u25A1\u2610\u2713\u3001`,
);

/** Digits of other scripts. */
export const SCRIPTS: readonly (readonly string[])[] = Intl.supportedValuesOf('numberingSystem')
  .map((system) =>
    Array.from({ length: 10 }, (_, digit) =>
      new Intl.NumberFormat(`en-u-nu-${system}`).format(digit),
    ),
  )
  .filter((digits) => digits.every((digit) => /^\p{Nd}$/u.test(digit)));

const FULL_WIDTH = 0xfee0;
/**
 * Characters that users type for each other. Read as one symbol if only that one is in the
 * alphabet.
 */
const LOOK_ALIKES = ['1IilL', '0Oo'];

/** A code without separators. */
export function symbolsOf({ alphabet, length }: Format): fc.Arbitrary<string> {
  return fc
    .array(fc.constantFrom(...Array.from(alphabet)), { minLength: length, maxLength: length })
    .map((symbols) => symbols.join(''));
}

/** The ways to type one symbol. */
export function spellingsOf({ alphabet }: Format, symbol: string): string[] {
  const group = Array.from(LOOK_ALIKES.find((symbols) => symbols.includes(symbol)) ?? '');
  const isAlone = group.filter((other) => alphabet.includes(other)).length === 1;
  const plain = [
    ...new Set([symbol, symbol.toLowerCase(), symbol.toUpperCase(), ...(isAlone ? group : [])]),
  ];
  const fullWidth = plain.map((character) =>
    String.fromCharCode(character.charCodeAt(0) + FULL_WIDTH),
  );
  const otherScripts = /\d/.test(symbol)
    ? SCRIPTS.map((digits) => digits[Number(symbol)] ?? '')
    : [];
  return [...plain, ...fullWidth, ...otherScripts];
}

/** A code, and one way to type it as a list of characters. At most 128 characters. */
export function spellingOf(format: Format): fc.Arbitrary<{ symbols: string; parts: string[] }> {
  return symbolsOf(format)
    .chain((symbols) =>
      fc
        .tuple(
          fc.tuple(
            ...Array.from(symbols, (symbol) => fc.constantFrom(...spellingsOf(format, symbol))),
          ),
          fc.array(fc.tuple(fc.nat({ max: 2 * format.length }), fc.constantFrom(...DECORATIONS)), {
            maxLength: 30,
          }),
        )
        .map(([parts, decorations]) => {
          for (const [place, decoration] of decorations)
            parts.splice(Math.min(place, parts.length), 0, decoration);
          return { symbols, parts };
        }),
    )
    .filter(({ parts }) => parts.join('').length <= 128);
}

/** The number of a line in a list, set apart from what follows it. */
const listNumber: fc.Arbitrary<string> = fc
  .tuple(
    fc.integer({ min: 1, max: 32 }),
    fc.constantFrom('. ', '.', ') ', ')', ': ', ' ', '\t', '.\u00A0', ' - ', ' | ', '] ', '>'),
  )
  .map(([number, mark]) => `${number}${mark}`);

/** A code in one of its spellings, as it is pasted from a list. At most 128 characters. */
export function pastingOf(format: Format): fc.Arbitrary<{ symbols: string; pasted: string }> {
  const around = fc
    .array(fc.constantFrom(...AROUND, ...Array.from(SPACES + INVISIBLE)), { maxLength: 5 })
    .map((characters) => characters.join(''));
  return fc
    .tuple(spellingOf(format), around, fc.option(listNumber, { nil: '' }), around, around)
    .map(([{ symbols, parts }, first, number, second, last]) => ({
      symbols,
      pasted: `${first}${number}${second}${parts.join('')}${last}`,
    }))
    .filter(({ pasted }) => pasted.length <= 128);
}
