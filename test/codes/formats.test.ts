import fc from 'fast-check';
import { BackupCodeError, defineFormat, formats, type Format } from '../../lib';
import { checkFormat, parseFormat, serializeFormat, showCode } from '../../lib/codes/formats';
import { readCode, readRecordedCode } from '../../lib/codes/read-code';
import { failure } from '../helpers/errors';

const allFormats: [string, Format][] = Object.entries(formats);

/**
 * Written out, not computed: every character that Unicode calls a dash, and the characters that are
 * blank or invisible.
 */
const DASHES =
  '-\u058A\u05BE\u1400\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2053\u207B\u208B' +
  '\u2212\u2E17\u2E1A\u2E3A\u2E3B\u2E40\u301C\u3030\u30A0\uFE31\uFE32\uFE58\uFE63\uFF0D' +
  '\u{10EAD}';
const SPACES =
  ' \t\n\r\v\f\u00A0\u1680\u2000\u2003\u2007\u2009\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF';
const INVISIBLE =
  '\u00AD\u034F\u061C\u200B\u200C\u200D\u200E\u200F\u202A\u202E\u2060\u2066\u2069\uFE0E' +
  '\uFE0F\u{E0020}';
const DECORATIONS = Array.from(`${DASHES}${SPACES}${INVISIBLE}._`);

/** Characters that are no decoration and no symbol of any format, and do not look like one. */
const FOREIGN = Array.from(
  '\u00DF\u00E9\u00D1\u0131\u0130\u0301\u03A9\u0410\u0421\u0431\u05D0\u0639\u0915\u3042\u4E00' +
    '\u0000\u0007\u007F\uD800',
);
/** Characters that are ignored around a code, and refused in it. */
const PUNCTUATION = Array.from(
  '!"#$%&\'()*+,/:;<=>?@[\\]^`{|}~\u00A3\u00A7\u00AB\u00B0\u00B7\u00BB\u2018\u2019\u201A\u201C' +
    '\u201D\u201E\u2022\u25A1\u25CF\u2610\u2713\u3001\u300C\u300D\u{1F511}',
);

/** Digits of other scripts, from the tables of `Intl` and not from those of the code under test. */
const SCRIPTS = Intl.supportedValuesOf('numberingSystem')
  .map((system) =>
    Array.from({ length: 10 }, (_, digit) =>
      new Intl.NumberFormat(`en-u-nu-${system}`).format(digit),
    ),
  )
  .filter((digits) => digits.every((digit) => /^\p{Nd}$/u.test(digit)));

const FULL_WIDTH = 0xfee0;
/** What people type for a symbol whose look-alikes are not in the alphabet. */
const LOOK_ALIKES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  standard: { L: '1IilL' },
  recovery: { L: '1IilL' },
  long: { L: '1IilL' },
  numeric: { 0: '0Oo', 1: '1IilL' },
  hex: { 0: '0Oo', 1: '1IilL' },
};

function symbolsOf({ alphabet, length }: Format): fc.Arbitrary<string> {
  return fc
    .array(fc.constantFrom(...Array.from(alphabet)), { minLength: length, maxLength: length })
    .map((symbols) => symbols.join(''));
}

/** The ways to type one symbol. */
function typings(name: string, symbol: string): string[] {
  const plain = [
    ...new Set([
      symbol,
      symbol.toLowerCase(),
      symbol.toUpperCase(),
      ...Array.from(LOOK_ALIKES[name]?.[symbol] ?? ''),
    ]),
  ];
  const fullWidth = plain.map((character) =>
    String.fromCharCode(character.charCodeAt(0) + FULL_WIDTH),
  );
  const otherScripts = /\d/.test(symbol)
    ? SCRIPTS.map((digits) => digits[Number(symbol)] ?? '')
    : [];
  return [...plain, ...fullWidth, ...otherScripts];
}

/** A code, and one way to type it. */
function typedCode(
  name: string,
  format: Format,
): fc.Arbitrary<{ symbols: string; parts: string[] }> {
  return symbolsOf(format).chain((symbols) =>
    fc
      .tuple(
        ...Array.from(symbols, (symbol) => fc.constantFrom(...typings(name, symbol))),
        fc.array(fc.tuple(fc.nat({ max: 2 * format.length }), fc.constantFrom(...DECORATIONS)), {
          maxLength: 30,
        }),
      )
      .map((drawn) => {
        const parts = drawn.slice(0, -1) as string[];
        for (const [place, decoration] of drawn.at(-1) as [number, string][])
          parts.splice(Math.min(place, parts.length), 0, decoration);
        return { symbols, parts };
      }),
  );
}

/** The numbers of the lines of a list of at most 32 codes, as pages, files and mails show them. */
const LIST_NUMBERS = Array.from({ length: 32 }, (_, index) => index + 1).flatMap((n) => [
  ...[`${n}. `, `${n}.`, `${n}) `, `${n})`, `(${n}) `, `[${n}] `, `${n}: `, `${n} `, `${n}\t`],
  ...[`${n}.\u00A0`, `  ${n}.  `, `${n} - `, `${n} \u2013 `, `${n} | `, `#${n} `, `| ${n} | `],
  ...[`\u2022 ${n}. `, `- ${n}) `, `* ${n}: `, `"${n}","`, `${n};`, `${n}, `, `${n}/`],
  ...[`\u200E${n}.\u200F `, `${String(n).padStart(2, '0')}. `, `\u202A${n}\u202C)\u2007`],
  ...[`${new Intl.NumberFormat('ar-EG').format(n)}. `, `${String.fromCharCode(0x245f + n)} `],
]);

interface ListStyle {
  readonly line: (shown: string, number: number) => string;
  readonly separator: string;
}
const LIST_STYLES: ListStyle[] = ['\n', '\r\n', ' ', ', ', ';', '\t', ' / ', ' | '].flatMap(
  (separator) => [
    { separator, line: (shown) => shown },
    { separator, line: (shown) => `- ${shown}` },
    { separator, line: (shown) => `"${shown}"` },
    { separator, line: (shown, number) => `${number}. ${shown}` },
    { separator, line: (shown, number) => `${number}) ${shown}` },
    { separator, line: (shown, number) => `${number} ${shown}` },
  ],
);

describe('readCode', () => {
  describe.each(allFormats)('with the format %s', (name, format) => {
    it('A code is read as it is shown', () => {
      fc.assert(
        fc.property(symbolsOf(format), (symbols) =>
          expect(readCode(format, showCode(format, symbols))).toBe(symbols),
        ),
      );
    });

    it('A code is read in any case, with look-alikes, spaces and dashes', () => {
      fc.assert(
        fc.property(typedCode(name, format), ({ symbols, parts }) => {
          fc.pre(parts.join('').length <= 128);
          expect(readCode(format, parts.join(''))).toBe(symbols);
        }),
        { numRuns: 100 },
      );
    });

    it('A code with a foreign character anywhere is refused', () => {
      fc.assert(
        fc.property(
          typedCode(name, format),
          fc.constantFrom(...FOREIGN),
          fc.nat(),
          ({ parts }, foreign, place) => {
            parts.splice(place % (parts.length + 1), 0, foreign);
            expect(readCode(format, parts.join(''))).toBeNull();
          },
        ),
        { numRuns: 50 },
      );
    });

    it('A code with a foreign character instead of a symbol is refused', () => {
      fc.assert(
        fc.property(
          symbolsOf(format),
          fc.constantFrom(...FOREIGN),
          fc.nat({ max: format.length - 1 }),
          (symbols, foreign, place) => {
            expect(
              readCode(format, symbols.slice(0, place) + foreign + symbols.slice(place + 1)),
            ).toBeNull();
          },
        ),
      );
    });

    it('A code is read with punctuation around it, and refused with punctuation in it', () => {
      fc.assert(
        fc.property(
          symbolsOf(format),
          fc.constantFrom(...PUNCTUATION),
          fc.integer({ min: 1, max: format.length - 1 }),
          (symbols, mark, place) => {
            const shown = showCode(format, symbols);
            for (const typed of [`${mark}${shown}`, `${shown}${mark}`, `${mark} ${shown} ${mark}`])
              expect(readCode(format, typed)).toBe(symbols);
            expect(
              readCode(format, symbols.slice(0, place) + mark + symbols.slice(place)),
            ).toBeNull();
          },
        ),
      );
    });

    it('A code is read with the number of its line in a list', () => {
      fc.assert(
        fc.property(symbolsOf(format), fc.constantFrom(...LIST_NUMBERS), (symbols, listNumber) => {
          for (const shown of [showCode(format, symbols), symbols])
            expect([listNumber, readCode(format, `${listNumber}${shown}`)]).toEqual([
              listNumber,
              symbols,
            ]);
        }),
        { numRuns: 1000 },
      );
    });

    it('Digits in front that are not set apart are symbols too many', () => {
      fc.assert(
        fc.property(symbolsOf(format), fc.integer({ min: 1, max: 32 }), (symbols, n) => {
          for (const digits of [`${n}`, `0${n}`, `${n}\u200B`])
            expect(readCode(format, `${digits}${showCode(format, symbols)}`)).toBeNull();
        }),
      );
    });

    it('A number of three digits in front of a code is refused', () => {
      fc.assert(
        fc.property(symbolsOf(format), (symbols) => {
          expect(readCode(format, `100. ${symbols}`)).toBeNull();
        }),
      );
    });

    it('A pasted list of several codes is refused, with list numbers and without', () => {
      fc.assert(
        fc.property(
          fc.array(symbolsOf(format), { minLength: 2, maxLength: 10 }),
          fc.constantFrom(...LIST_STYLES),
          ([...codes], { line, separator }) => {
            const lines = codes.map((symbols, index) => line(showCode(format, symbols), index + 1));
            expect(readCode(format, lines.join(separator))).toBeNull();
          },
        ),
        { numRuns: 300 },
      );
    });

    it('A code with one symbol too few or too many is refused', () => {
      fc.assert(
        fc.property(symbolsOf(format), (symbols) => {
          expect(readCode(format, symbols.slice(1))).toBeNull();
          expect(readCode(format, `${symbols}${symbols.charAt(0)}`)).toBeNull();
        }),
      );
    });

    it('Any string is read as symbols of the alphabet in the right number, or as null', () => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 0, max: 0x10ffff }), { maxLength: 140 }),
          (codePoints) => {
            const symbols = readCode(format, String.fromCodePoint(...codePoints));
            if (symbols === null) return;
            expect(symbols).toHaveLength(format.length);
            expect(
              Array.from(symbols).filter((symbol) => !format.alphabet.includes(symbol)),
            ).toEqual([]);
          },
        ),
      );
    });

    it.each([
      ['an empty string', ''],
      ['blanks', '    '],
      ['only dashes', '----\u2014\u2014'],
      ['only zero-width characters', '\u200B'.repeat(8)],
      ['a number', 12345678],
      ['null', null],
      ['undefined', undefined],
      ['true', true],
      ['an array', ['ABCD-EFGH']],
      ['an empty array', []],
      ['an object', { code: 'ABCD-EFGH' }],
      ['a query operator', { $ne: null }],
      ['an object that turns into a code', { toString: () => 'ABCD-EFGH' }],
      ['a String object', Object('ABCD-EFGH')],
      ['a symbol', Symbol('ABCDEFGH')],
      ['a bigint', 12345678n],
      ['a function', () => 'ABCDEFGH'],
      ['bytes', Buffer.from('ABCDEFGH')],
      ['the name of a prototype', '__proto__'],
      ['a method of every object', 'constructor'],
      ['a megabyte', 'A'.repeat(2 ** 20)],
    ])('Input that is not a code is refused: %s', (_what, typed: unknown) => {
      expect(readCode(format, typed)).toBeNull();
    });
  });

  it('1, I and l are read as L if the alphabet has only L', () => {
    expect(
      ['1', 'I', 'i', 'l', 'L'].map((typed) => readCode(formats.standard, `${typed}BCD-EFGH`)),
    ).toEqual(Array(5).fill('LBCDEFGH'));
  });

  it('0 and O are refused if the alphabet has neither', () => {
    expect(['0', 'O', 'o'].map((typed) => readCode(formats.standard, `${typed}BCD-EFGH`))).toEqual([
      null,
      null,
      null,
    ]);
  });

  it('1, I and L are different symbols if the alphabet has all three', () => {
    const format = defineFormat({ alphabet: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', length: 6 });
    expect(readCode(format, '1ilO0o')).toBe('1ILO0O');
  });

  it('Input of more than 128 characters is refused', () => {
    const code = 'ABCDEFGH';
    expect(readCode(formats.standard, code + ' '.repeat(120))).toBe(code);
    expect(readCode(formats.standard, code + ' '.repeat(121))).toBeNull();
  });

  it('A letter of another script is never read as two ASCII letters', () => {
    expect(readCode(formats.hex, '\u00DF12345678')).toBeNull();
    expect(
      readCode(defineFormat({ alphabet: 'ABCDEFGHJKMNPQRSTUVWXYZ', length: 8 }), '\u00DFABCDEF'),
    ).toBeNull();
  });

  it.each([
    ['numeric', '1 48210937', '48210937'],
    ['numeric', '1. 4821 0937', '48210937'],
    ['numeric', '12 4821 0937', '48210937'],
    ['numeric', '12 345678', '12345678'],
    ['numeric', '1. 2345678', '12345678'],
    ['numeric', '1) 2345678', null],
    ['numeric', '1. 2345 678', '12345678'],
    ['numeric', '1. 345678', null],
    ['numeric', '123 456 789', null],
    ['numeric', '1. 2. 4821 0937', null],
    ['standard', '2345-6789', '23456789'],
    ['standard', '2. 3456-789A', '3456789A'],
    ['standard', '10. ABCD-EFGH', 'ABCDEFGH'],
    ['standard', '1. (ABCD-EFGH)', 'ABCDEFGH'],
    ['standard', '\u2488 ABCD-EFGH', 'ABCDEFGH'],
    ['standard', '\u2776 ABCD-EFGH', 'ABCDEFGH'],
    ['standard', 'ABCD-EFGH 2.', null],
    ['standard', 'l. ABCD-EFGH', null],
    ['standard', 'Code 1: ABCD-EFGH', null],
    ['standard', 'ABCD-EFGH used', null],
  ] as const)('In the format %s, %j is read as %j: the length decides', (name, typed, symbols) => {
    expect(readCode(formats[name], typed)).toBe(symbols);
  });

  it('Input that becomes longer than 128 compatible characters is refused', () => {
    expect(readCode(formats.standard, `ABCDEFGH${'\u2026'.repeat(40)}`)).toBe('ABCDEFGH');
    expect(readCode(formats.standard, `ABCDEFGH${'\u2026'.repeat(41)}`)).toBeNull();
  });

  it('The decimal digits of every script that Intl knows are read', () => {
    expect(SCRIPTS.length).toBeGreaterThan(50);
    for (const digits of SCRIPTS)
      expect(readCode(formats.numeric, digits.slice(2).join(''))).toBe('23456789');
  });
});

describe('readRecordedCode', () => {
  it('A recorded code is read in groups, in either case and with spaces around it', () => {
    expect(
      ['ABCD-EFGH', 'abcdefgh', ' ABCD EFGH\r', '\uFEFFABCD.EFGH'].map((recorded) =>
        readRecordedCode(formats.standard, recorded),
      ),
    ).toEqual(Array(4).fill('ABCDEFGH'));
  });

  it.each([...PUNCTUATION, '1. ', '1) '])(
    'A recorded code with %j beside it is refused, because the mark may mean that it was used',
    (mark) => {
      expect(readRecordedCode(formats.standard, `${mark}ABCD-EFGH`)).toBeNull();
    },
  );

  it.each([null, undefined, 12345678, ['ABCDEFGH'], `ABCDEFGH${' '.repeat(121)}`])(
    'A recorded code that is not a string of at most 128 characters is refused: %j',
    (recorded) => {
      expect(readRecordedCode(formats.standard, recorded)).toBeNull();
    },
  );
});

describe('showCode', () => {
  it.each([
    ['standard', 'ABCDEFGH', 'ABCD-EFGH'],
    ['recovery', 'ABCDEFGHJKLMNPQR', 'ABCD-EFGH-JKLM-NPQR'],
    ['long', 'ABCDEFGHJKLMNPQRSTUVWXYZ2', 'ABCDE-FGHJK-LMNPQ-RSTUV-WXYZ2'],
    ['numeric', '01234567', '0123 4567'],
    ['hex', '0123456789', '01234-56789'],
  ] as const)('A code of the format %s is shown in groups', (name, symbols, shown) => {
    expect(showCode(formats[name], symbols)).toBe(shown);
  });

  it('The last group is shorter if the length is not a multiple of the group size', () => {
    expect(
      showCode(
        defineFormat({ alphabet: '0123456789', length: 8, groupSize: 3, separator: '.' }),
        '12345678',
      ),
    ).toBe('123.456.78');
  });
});

describe('formats', () => {
  it.each([
    ['standard', 40],
    ['recovery', 80],
    ['long', 125],
    ['numeric', 26.57],
    ['hex', 40],
  ] as const)('The format %s has %d bits', (name, bits) => {
    expect(formats[name].bits).toBe(bits);
  });

  it('Formats that mix letters and digits have no I, O, 0 and 1', () => {
    for (const { alphabet } of [formats.standard, formats.recovery, formats.long]) {
      expect(alphabet).toHaveLength(32);
      expect(alphabet).toMatch(/^[A-HJ-NP-Z2-9]+$/);
    }
  });

  it('The formats of the package cannot be changed', () => {
    for (const [, format] of allFormats) expect(Object.isFrozen(format)).toBe(true);
    expect(Object.isFrozen(formats)).toBe(true);
  });
});

describe('defineFormat', () => {
  it('A format has one group and a dash as the separator by default', () => {
    expect(defineFormat({ alphabet: '0123456789', length: 6 })).toEqual({
      alphabet: '0123456789',
      length: 6,
      groupSize: 6,
      separator: '-',
      possibilities: 1e6,
      bits: 19.93,
    });
  });

  it('A format of six decimal digits is accepted, and one of five is refused', () => {
    expect(defineFormat({ alphabet: '0123456789', length: 6 }).possibilities).toBe(1e6);
    expect(() => defineFormat({ alphabet: '0123456789', length: 5 })).toThrow(
      failure('invalid_format'),
    );
    expect(() => defineFormat({ alphabet: '0123456789', length: 5 })).toThrow(
      '10 symbols and length 5 give 100000 codes; at least 10^6 are needed',
    );
  });

  it.each([
    ['a symbol twice', 'alphabet has the symbol "A" twice.', { alphabet: 'ABCDEFGHA', length: 8 }],
    [
      'both cases',
      'the letters all upper case or all lower case',
      { alphabet: 'ABCDEFGabcdefg', length: 8 },
    ],
    [
      'a letter that is not ASCII',
      'alphabet must be 2 to 36',
      { alphabet: 'ABCDEFG\u00C9', length: 8 },
    ],
    ['a dash in the alphabet', 'alphabet must be 2 to 36', { alphabet: 'ABCDEFG-', length: 8 }],
    ['one symbol', 'alphabet must be 2 to 36', { alphabet: 'A', length: 64 }],
    ['no symbols', 'alphabet must be 2 to 36', { alphabet: '', length: 8 }],
    [
      'an alphabet that is a list',
      'alphabet must be 2 to 36',
      { alphabet: ['A', 'B', 'C', 'D'] as unknown as string, length: 64 },
    ],
    [
      '1 and L but not I',
      'alphabet has 1 and L but not all of 1, I, L: a typed',
      { alphabet: '123456789ABCDEFGHJKL', length: 8 },
    ],
    [
      '1 and I but not L',
      'alphabet has 1 and I but not all of',
      { alphabet: '123456789ABCDEFGHIJK', length: 8 },
    ],
    [
      'i and l but not 1',
      'alphabet has i and l but not all of',
      { alphabet: '23456789abcdefghijkl', length: 8 },
    ],
    [
      'no length',
      'length is missing',
      { alphabet: '0123456789' } as { alphabet: string; length: number },
    ],
    [
      'a length of three',
      'length must be a whole number from 4 to 64, but was 3',
      { alphabet: '0123456789', length: 3 },
    ],
    ['a length of 65', 'but was 65', { alphabet: '0123456789', length: 65 }],
    ['half a symbol', 'length must be', { alphabet: '0123456789', length: 8.5 }],
    [
      'a length that is a string',
      'length must be',
      { alphabet: '0123456789', length: '8' as unknown as number },
    ],
    [
      'a group of no symbols',
      'groupSize must be a whole number from 1 to 8, but was 0',
      { alphabet: '0123456789', length: 8, groupSize: 0 },
    ],
    [
      'a group longer than the code',
      'groupSize must be',
      { alphabet: '0123456789', length: 8, groupSize: 9 },
    ],
    [
      'a separator that could be a symbol',
      'separator must be one of',
      { alphabet: '0123456789', length: 8, separator: 'X' },
    ],
    [
      'a separator that is null',
      'separator must be one of',
      { alphabet: '0123456789', length: 8, separator: null as unknown as string },
    ],
  ])('A format with %s is refused with the message "%s"', (_what, message, definition) => {
    expect(() => defineFormat(definition)).toThrow(failure('invalid_format'));
    expect(() => defineFormat(definition)).toThrow(message);
  });

  it.each(['-', ' ', '.', '_', ''])('The separator %j is accepted', (separator) => {
    expect(
      showCode(
        defineFormat({ alphabet: '0123456789', length: 8, groupSize: 4, separator }),
        '12345678',
      ),
    ).toBe(`1234${separator}5678`);
  });

  it('An alphabet with 0 and O, and with 1, I and L, is accepted', () => {
    expect(defineFormat({ alphabet: '0123456789ABCDEFGHIJKLMNOP', length: 8 }).length).toBe(8);
  });

  it('An unknown field of a format is refused, and the one that was meant is suggested', () => {
    expect(() =>
      defineFormat({ alphabet: '0123456789', length: 8, groupsize: 4 } as never),
    ).toThrow('defineFormat has no option "groupsize". Did you mean "groupSize"?');
    expect(() => defineFormat(null as never)).toThrow(failure('invalid_option'));
    expect(() => checkFormat({ ...formats.numeric, sise: 4 })).toThrow(
      'format has no option "sise"',
    );
  });
});

describe('a stored format', () => {
  it.each(allFormats)('The stored format %s is parsed to the same format', (_name, format) => {
    expect(parseFormat(serializeFormat(format))).toEqual(format);
    expect(checkFormat(format)).toEqual(format);
  });

  it.each([
    ['is not JSON', 'XXXX-XXXX'],
    ['is a number', '8'],
    ['is null', 'null'],
    ['is a list', '[]'],
    ['is empty', ''],
    ['lacks its length', '{"alphabet":"0123456789"}'],
    ['has too few possibilities', '{"alphabet":"01","length":4}'],
    ['has a field of another kind', '{"alphabet":"0123456789","length":8,"__proto__":{}}'],
  ])('A stored format that %s is an error, and not an invalid code', (_what, stored) => {
    expect(() => parseFormat(stored)).toThrow(failure('unreadable_set'));
    expect(() => parseFormat(stored)).toThrow('A stored set has a format that cannot be read.');
  });

  it('A stored string is parsed once, to a format that cannot be changed', () => {
    const stored = '{"alphabet":"0123456789","length":12,"separator":" "}';
    const parsing = jest.spyOn(JSON, 'parse');
    const first = parseFormat(stored);
    const others = [parseFormat(stored), parseFormat(stored)];
    const times = parsing.mock.calls.length;
    parsing.mockRestore();
    expect(times).toBe(1);
    for (const other of others) expect(other).toBe(first);
    expect(Object.isFrozen(first)).toBe(true);
  });

  it('A stored format is parsed correctly after a thousand others', () => {
    const stored = Array.from({ length: 1000 }, (_, n) =>
      JSON.stringify({ alphabet: '0123456789', length: 8 + (n % 50), groupSize: 1 + (n % 8) }),
    );
    const parse = (): [number, number][] =>
      stored.map(parseFormat).map(({ length, groupSize }) => [length, groupSize]);
    expect(parse()).toEqual(stored.map((_, n) => [8 + (n % 50), 1 + (n % 8)]));
    expect(parse()).toEqual(parse());
  });

  it('A stored format that cannot be read is refused every time', () => {
    for (let time = 1; time <= 3; time += 1)
      expect(() => parseFormat('{"alphabet":"AA","length":9}')).toThrow(failure('unreadable_set'));
  });

  it('The bits of a given format are computed again and not believed', () => {
    expect(checkFormat({ ...formats.numeric, bits: 200, possibilities: 1e60 })).toEqual(
      formats.numeric,
    );
  });

  it('The error of an unreadable format names the fault in its cause', () => {
    const thrown = (): Format => parseFormat('{"alphabet":"AA","length":8}');
    expect(thrown).toThrow(BackupCodeError);
    expect(thrown).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ code: 'invalid_format' }) }),
    );
  });
});
