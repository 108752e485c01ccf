// readCode with any string at all: it never throws, reads its own answers the same, and does no
// work on input that is too long.
import fc from 'fast-check';
import { formats } from '../../lib';
import { showCode } from '../../lib/codes/formats';
import { readCode } from '../../lib/codes/read-code';
import { fuzz, SEED } from '../helpers/fuzz';
import { pastingOf, spellingOf } from '../helpers/code-spellings';

const MAX_LENGTH = 200;
/** UTF-16 code units of any value: halves of surrogate pairs, NUL and unassigned ones too. */
const codeUnits = fc
  .array(fc.nat({ max: 0xffff }), { maxLength: MAX_LENGTH })
  .map((units) => String.fromCharCode(...units));
const anyString = fc.oneof(
  codeUnits,
  fc.string({ unit: 'binary', maxLength: MAX_LENGTH }),
  fc.string({ unit: 'grapheme', maxLength: MAX_LENGTH }),
);

/**
 * Characters that cost the most work: compatibility normalization makes eighteen of one of them,
 * another is the tenth digit of its script.
 */
const COSTLY = ['\uFDFA', '\uFDFB', '\u3316', '\u0669', '\u{1D7FF}', '\u{1E959}', '9', '-', 'A'];

/**
 * How many characters the reader passed to built-in functions that walk over them or look them up.
 */
function charactersWalked(read: () => unknown): number {
  const spies = [
    jest.spyOn(String.prototype, 'normalize'),
    jest.spyOn(String.prototype, 'replace'),
    jest.spyOn(String.prototype, 'includes'),
  ];
  const test = jest.spyOn(RegExp.prototype, 'test');
  const lookUp = jest.spyOn(Map.prototype, 'get');
  try {
    read();
    const texts = [
      ...spies.flatMap(({ mock }) => mock.contexts),
      ...test.mock.calls.flat(),
      ...lookUp.mock.calls.flat(),
    ];
    return texts.reduce<number>((sum, text) => sum + String(text).length, 0);
  } finally {
    for (const spy of [...spies, test, lookUp]) spy.mockRestore();
  }
}

describe.each(Object.entries(formats))(
  `readCode, fuzzed with seed ${SEED}, with the format %s`,
  (_name, format) => {
    const isCode = new RegExp(`^[${format.alphabet}]{${format.length}}$`);
    /** A code as people type it, with a character inserted that may not belong there. */
    const nearlyCode = fc
      .tuple(
        spellingOf(format),
        fc.nat(),
        fc.constantFrom('', '', 'A', '7', 'O', '\u0301', '\u0000', '\uD83D'),
      )
      .map(([{ parts }, place, added]) => {
        parts.splice(place % (parts.length + 1), 0, added);
        return parts.join('');
      });

    it('readCode never throws and returns as many symbols as a code has, or null', () => {
      const drawn = { codes: 0, others: 0 };
      fc.assert(
        fc.property(fc.oneof(anyString, nearlyCode), (text) => {
          const symbols = readCode(format, text);
          drawn[symbols === null ? 'others' : 'codes'] += 1;
          if (symbols !== null) expect(symbols).toMatch(isCode);
        }),
        fuzz(500),
      );
      expect(Math.min(drawn.codes, drawn.others)).toBeGreaterThan(0);
    });

    it('readCode reads what it returned as the same code, bare and as it is shown', () => {
      fc.assert(
        fc.property(nearlyCode, (text) => {
          const symbols = readCode(format, text);
          fc.pre(symbols !== null);
          expect(
            [symbols, showCode(format, symbols)].map((again) => readCode(format, again)),
          ).toEqual([symbols, symbols]);
        }),
        fuzz(100),
      );
    });

    it('readCode reads a code however it is spelled and pasted from a list', () => {
      fc.assert(
        fc.property(pastingOf(format), ({ symbols, pasted }) => {
          expect([pasted, readCode(format, pasted)]).toEqual([pasted, symbols]);
        }),
        fuzz(500),
      );
    });

    it('readCode refuses two codes, however they are spelled and pasted from a list', () => {
      fc.assert(
        fc.property(pastingOf(format), pastingOf(format), (first, second) => {
          expect(readCode(format, `${first.pasted}${second.pasted}`)).toBeNull();
        }),
        fuzz(500),
      );
    });

    it('readCode does no work at all on more than 128 characters', () => {
      fc.assert(
        fc.property(
          fc.oneof(anyString, nearlyCode),
          fc.constantFrom(129, 200, 2 ** 20),
          (text, length) => {
            const tooLong = text.padEnd(length, 'A');
            expect(charactersWalked(() => readCode(format, tooLong))).toBe(0);
          },
        ),
        fuzz(30),
      );
    });

    it('readCode does work in proportion to the length of its input', () => {
      const costly = fc
        .array(fc.constantFrom(...COSTLY), { minLength: 1 })
        .map((drawn) => drawn.join(''));
      fc.assert(
        fc.property(
          fc.oneof(anyString, nearlyCode, costly),
          fc.constantFrom(16, 64, 128),
          (text, length) => {
            const typed = text.padEnd(1, 'A').repeat(length).slice(0, length);
            expect(charactersWalked(() => readCode(format, typed))).toBeLessThanOrEqual(
              60 * length + 100 * format.length,
            );
          },
        ),
        fuzz(100),
      );
    });
  },
);
