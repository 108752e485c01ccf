// Recomputes each figure of SECURITY.md from the published rates, the formats and the waits. These
// tests fail if the page or a default changes alone.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bcryptHasher, formats, MemoryStore, pbkdf2Hasher, scryptHasher } from '../../lib';
import { argon2Hasher } from '../../lib/argon2';
import { attemptWaits } from '../../lib/service/back-off';
import { parseConfig } from '../../lib/service/config';

type Row = Readonly<Record<string, string>>;

const PAGE = readFileSync(join(__dirname, '../../SECURITY.md'), 'utf8');
/** The page with single spaces in place of line ends. */
const TEXT = PAGE.replace(/\s+/g, ' ');
const DAY = 86_400;
const YEAR = 365.25 * DAY;
const CODES = 10;
const ATTEMPTS = attemptWaits().second_factor.length;

/** The rows of the nth table under a heading, by the names of their columns. */
function table(heading: string, nth = 0): Row[] {
  const section = PAGE.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const tables = section.split(/\n\n/).filter((block) => block.startsWith('|'));
  const lines = tables[nth]?.trim().split('\n') ?? [];
  const cells = lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
  const [names = [], , ...rows] = cells;
  return rows.map((row) =>
    Object.fromEntries(names.map((name, place) => [name, row[place] ?? ''])),
  );
}

/** Parses a number such as `184 000 [1]`, `2^80` or `10^8`. */
function numberIn(cell = ''): number {
  const [, base, exponent] = /^(\d+)\^(\d+)/.exec(cell) ?? [];
  return base === undefined
    ? parseInt(cell.replaceAll(' ', ''), 10)
    : Number(base) ** Number(exponent);
}

function power(value: number): string {
  const [digits = '', exponent = ''] = value.toExponential(1).split('e');
  return `${digits} · 10^${Number(exponent)}`;
}

/** Rounds to three digits, in groups. From 10^9 the number is a power of ten. */
function rate(value: number): string {
  if (value >= 1e9) return power(value);
  return grouped(Number(value.toPrecision(3)));
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
}

function time(seconds: number): string {
  const [unit, length] = (
    [
      ['years', YEAR],
      ['days', DAY],
      ['hours', 3600],
      ['minutes', 60],
    ] as const
  ).find(([, size]) => seconds >= size) ?? ['seconds', 1];
  const many = seconds / length;
  return `${many >= 10_000 ? power(many) : String(Number(many.toPrecision(2)))} ${unit}`;
}

/** Scales a published rate from its parameters to ours, with the values of the row only. */
function scaled({ hasher = '', published, at = '' }: Row): number {
  const publishedRate = numberIn(published);
  if (hasher.startsWith('`bcrypt'))
    return (publishedRate * 2 ** Number(/\d+/.exec(at))) / 2 ** Number(/\d+/.exec(hasher));
  if (hasher.startsWith('`scrypt'))
    return (
      (publishedRate * numberIn(at.replace('N = ', ''))) / numberIn(/2\^\d+/.exec(hasher)?.[0])
    );
  if (hasher.startsWith('`pbkdf2'))
    return (publishedRate * numberIn(at)) / numberIn(hasher.split(': ')[1]);
  return publishedRate;
}

function formatsOf(cell = ''): (keyof typeof formats)[] {
  return Array.from(cell.matchAll(/`(\w+)`/g), ([, name]) => name as keyof typeof formats);
}

const rates = table('What guessing offline costs');
const bounds = table('What guessing offline costs', 1);
const times = table('What guessing offline costs', 2);
const online = table('What guessing online costs');

describe('the guesses a second', () => {
  it('The table of guesses a second has a row for every hasher', () => {
    expect(rates.map(({ hasher }) => /^`(\w+)/.exec(hasher ?? '')?.[1])).toEqual([
      ...Array<string>(3).fill('bcryptHasher'),
      'scryptHasher',
      'pbkdf2Hasher',
      'argon2Hasher',
      'fastHasher',
    ]);
  });

  it.each(rates)('The guesses a second against $hasher follow from the published rate', (row) => {
    expect(row['guesses a second']).toBe(rate(scaled(row)));
  });

  it('The guesses a second apply to the default parameters', () => {
    expect(bcryptHasher().newSalt()).toMatch(/^\$2b\$12\$/);
    expect(scryptHasher().newSalt()).toMatch(/^\$scrypt\$ln=17,r=8,p=1\$/);
    expect(pbkdf2Hasher().newSalt()).toMatch(/^\$pbkdf2-sha256\$i=600000\$/);
    expect(argon2Hasher().newSalt()).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$/);
    expect(
      rates.filter(({ hasher }) => hasher?.includes('default')).map(({ hasher }) => hasher),
    ).toEqual(['`bcryptHasher({ cost: 12 })`, the default']);
  });

  it.each(bounds)('The memory of the card limits the guesses a second against $hasher', (row) => {
    const [, bits = '', gigabits = ''] = /\((\d+) bits at (\d+) Gbit\/s\)/.exec(PAGE) ?? [];
    const bytesPerSecond = (Number(bits) * Number(gigabits) * 1e9) / 8;
    expect(PAGE).toContain(`${grouped(bytesPerSecond / 1e9)} GB/s`);
    const [factor = '', mebibytes = ''] =
      row['bytes moved by a hash, at least [3]']?.split(' · ') ?? [];
    expect(row['guesses a second, at most']).toBe(
      rate(bytesPerSecond / (Number(factor) * parseInt(mebibytes, 10) * 2 ** 20)),
    );
  });

  it('The guesses a second could rise by the factors on the page', () => {
    const [scrypt = NaN, argon2 = NaN] = bounds.map(
      (row, place) =>
        numberIn(row['guesses a second, at most']) /
        scaled(
          rates.find(
            ({ hasher }) => hasher?.startsWith(['`scrypt', '`argon2'][place] ?? '') === true,
          ) ?? {},
        ),
    );
    expect(TEXT).toContain(
      `scrypt could gain a factor of ${scrypt.toFixed(1)}, argon2id one of ${argon2.toFixed(1)}:`,
    );
  });

  it('Each hash moves the bytes that the formulas for scrypt and argon2id give', () => {
    expect(bounds.map((row) => row['bytes moved by a hash, at least [3]'])).toEqual([
      `1.25 · ${(128 * 8 * 2 ** 17) / 2 ** 20} MiB`,
      `${3 * 3 - 1} · 64 MiB`,
    ]);
  });
});

describe('the time until the first code of a set is found', () => {
  it('The table of times has the same hashers, and every format', () => {
    expect(times.map(({ hasher }) => hasher)).toEqual(rates.map(({ hasher }) => hasher));
    expect(
      Object.keys(times[0] ?? {})
        .flatMap(formatsOf)
        .sort(),
    ).toEqual(Object.keys(formats).sort());
  });

  it.each(times)(
    'The time to find a code with $hasher is that of N / 11 guesses',
    ({ hasher, ...cells }) => {
      const guesses = scaled(rates.find((row) => row['hasher'] === hasher) ?? {});
      for (const [column, cell] of Object.entries(cells)) {
        for (const name of formatsOf(column)) {
          const isRefused = hasher?.startsWith('`fastHasher') === true && formats[name].bits < 112;
          expect([name, cell]).toEqual([
            name,
            isRefused ? 'refused' : time(formats[name].possibilities / (CODES + 1) / guesses),
          ]);
        }
      }
    },
  );

  it('The time to find a code is that of the default set of ten codes', () => {
    expect(parseConfig({ store: new MemoryStore() }).count).toBe(CODES);
    const seconds =
      formats.standard.possibilities /
      (CODES + 1) /
      scaled(rates.find(({ hasher }) => hasher?.includes('default')) ?? {});
    expect(TEXT).toContain(
      'A hundred cards take a hundredth of the time: at the default, `standard` falls within ' +
        `${time(seconds / 100)}.`,
    );
  });

  it('A short format is refused without a pepper', () => {
    expect(() => parseConfig({ store: new MemoryStore(), format: formats.numeric })).toThrow(
      /needs a pepper/,
    );
  });
});

describe('the chance of guessing online', () => {
  it('The table of chances has every format', () => {
    expect(online.flatMap(({ format }) => formatsOf(format)).sort()).toEqual(
      Object.keys(formats).sort(),
    );
  });

  it.each(online)(
    'The chance for $format follows from codes, attempts and possibilities',
    (row) => {
      for (const name of formatsOf(row['format'])) {
        const chance = (CODES * ATTEMPTS) / formats[name].possibilities;
        expect(numberIn(row['possibilities'])).toBe(formats[name].possibilities);
        expect(row['chance']).toBe(power(chance));
        const hits = chance * 1e6;
        expect(row['sets guessed of a million']).toBe(hits >= 1 ? String(hits) : power(hits));
      }
    },
  );

  it('Fifty attempts on a channel take the forty hours that the page states', () => {
    const seconds =
      attemptWaits()
        .second_factor.slice(0, -1)
        .reduce((sum, wait) => sum + wait, 0) / 1000;
    expect(TEXT).toContain(
      `at most \`lockAfter\` (${ATTEMPTS}) attempts are checked ` +
        'until a new set is issued or an actor calls `unlock`, ' +
        `and with the default waits they take at least ${Math.floor(seconds / 3600)} hours`,
    );
  });

  it('On recovery a network has as many guesses a year as the page says', () => {
    const { recovery } = attemptWaits();
    const yearMs = 365.25 * 24 * 3_600_000;
    const longest = recovery.at(-1)!;
    const sum = recovery.reduce((total, wait) => total + wait, 0);
    const guesses = recovery.length + Math.floor((yearMs - sum) / longest) + 1;
    expect(guesses).toBeLessThanOrEqual(8775);
    expect(TEXT).toContain('a network has at most 8,775 guesses a year');
    expect(Math.log2(guesses * 1e6)).toBeCloseTo(33, 0);
    expect((guesses * 1e6 * CODES) / 2 ** 64).toBeLessThan(5e-9);
  });
});

describe('the price of one slow hash', () => {
  const shared = table('Why one slow hash, and not one for each code');

  it('The price of one slow hash is the one in the table', () => {
    const numbers = shared.map((row) => [
      row['server, an invalid code'],
      row['attacker, until the first code of a set'],
    ]);
    const attacker = (cost: number): string =>
      `${2 ** (cost - 10)} N / (n + 1) = ${(2 ** (cost - 10) / (CODES + 1)).toFixed(2)} N`;
    expect(numbers).toEqual([
      ['10', 'N / 2 (aims at a single code)'],
      ['4', attacker(12)],
      ['8', attacker(13)],
    ]);
  });

  it('The text compares one slow hash to a loop with the correct factors', () => {
    const ratios = (cost: number): string[] =>
      [2 ** (cost - 10) / CODES, 2 ** (cost - 10) / (CODES + 1) / 0.5].map((ratio) =>
        String(Number(ratio.toFixed(2))),
      );
    const [server12 = '', attacker12 = ''] = ratios(12);
    const [server13 = '', attacker13 = ''] = ratios(13);
    expect(TEXT).toContain(
      `So cost 12 takes ${server12} times as long as the loop on the server and costs ` +
        `the attacker ${attacker12} times the work; cost 13 takes ${server13} and costs ` +
        `${attacker13}.`,
    );
  });
});
