import { bcryptHasher } from '../../../lib';
import { hasherFor, hasherList, type Hasher } from '../../../lib/codes/hashers/hasher';
import { countingHasher } from '../../helpers/counting-hasher';
import { failure } from '../../helpers/errors';

const quick = bcryptHasher({ cost: 10 });
const SALT = '$2b$10$abcdefghijklmnopqrstuu';

describe('bcryptHasher', () => {
  it('bcryptHasher has a cost of 12 by default, and writes it into the salt', () => {
    expect(bcryptHasher().newSalt()).toMatch(/^\$2b\$12\$[./A-Za-z0-9]{22}$/);
    expect(bcryptHasher({ cost: 16 }).newSalt()).toMatch(/^\$2b\$16\$/);
  });

  it('bcryptHasher makes a new salt each time', () => {
    expect(new Set(Array.from({ length: 100 }, () => quick.newSalt())).size).toBe(100);
  });

  it.each([9, 4, 0, -1, 17, 31, 10.5, NaN, Infinity])(
    'bcryptHasher refuses a cost of %d',
    (cost) => {
      expect(() => bcryptHasher({ cost })).toThrow(failure('invalid_hasher'));
      expect(() => bcryptHasher({ cost })).toThrow(String(cost));
    },
  );

  it('bcryptHasher refuses a cost that is a string, and an unknown option', () => {
    expect(() => bcryptHasher({ cost: '12' as unknown as number })).toThrow(
      failure('invalid_hasher'),
    );
    expect(() => bcryptHasher({ rounds: 12 } as never)).toThrow(failure('invalid_option'));
  });

  it('bcryptHasher reads every cost from 10 to 16, whatever its own cost is', () => {
    for (const cost of ['10', '12', '16'])
      expect(quick.reads(`$2b$${cost}$abcdefghijklmnopqrstuu`)).toBe(true);
  });

  it.each([
    ['below the floor', '$2b$09$abcdefghijklmnopqrstuu'],
    ['beyond the cap', '$2b$17$abcdefghijklmnopqrstuu'],
    ['absurdly strong', '$2b$31$abcdefghijklmnopqrstuu'],
    ['of an older bcrypt', '$2a$12$abcdefghijklmnopqrstuu'],
    ['cut short', '$2b$12$abcdefghijklmnopqrstu'],
    ['too long', '$2b$12$abcdefghijklmnopqrstuuu'],
    ['with a hash after it', '$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuabcdefghij'],
    ['with a line break', '$2b$12$abcdefghijklmnopqrstuu\n'],
    ['of another scheme', '$scrypt$ln=17,r=8,p=1$c2FsdA'],
    ['empty', ''],
    ['that is a word', 'null'],
  ])('bcryptHasher does not read a salt %s', (_what, salt) => {
    expect(quick.reads(salt)).toBe(false);
  });

  it('bcryptHasher returns the same 31 bytes for the same code and salt only', async () => {
    const [one, again, otherCode, otherSalt] = await Promise.all([
      quick.hash('ABCDEFGH', SALT),
      quick.hash('ABCDEFGH', SALT),
      quick.hash('ABCDEFGJ', SALT),
      quick.hash('ABCDEFGH', '$2b$10$bbcdefghijklmnopqrstuu'),
    ]);
    expect(one).toHaveLength(31);
    expect(again).toEqual(one);
    expect(otherCode).not.toEqual(one);
    expect(otherSalt).not.toEqual(one);
  });

  it('bcryptHasher cuts nothing off: inputs that differ after 72 bytes differ', async () => {
    const start = 'A'.repeat(72);
    const [one, other, cut] = await Promise.all(
      [`${start}BBBBBBBB`, `${start}CCCCCCCC`, start].map((code) => quick.hash(code, SALT)),
    );
    expect(one).not.toEqual(other);
    expect(one).not.toEqual(cut);
    expect(other).not.toEqual(cut);
  });

  it('bcryptHasher cuts nothing off 40 characters of two bytes', async () => {
    const start = '\u00e9'.repeat(36);
    const [one, other] = await Promise.all(
      [`${start}aaaa`, `${start}bbbb`].map((code) => quick.hash(code, SALT)),
    );
    expect(one).not.toEqual(other);
  });

  it('A bcryptHasher cannot be changed', () => {
    expect(Object.isFrozen(bcryptHasher())).toBe(true);
  });
});

describe('the hasher of a stored set', () => {
  it('The hasher of a stored set is the first one that reads its salt', () => {
    const [one, other] = [countingHasher('one'), countingHasher('other')];
    expect(hasherFor([one, other, quick], { salt: other.newSalt(), bits: 40 })).toBe(other);
    expect(hasherFor([one, other, quick], { salt: SALT, bits: 40 })).toBe(quick);
  });

  it('A set that no hasher reads is an error, and not an invalid code', () => {
    expect(() =>
      hasherFor([countingHasher(), quick], { salt: '$2b$31$abcdefghijklmnopqrstuu', bits: 40 }),
    ).toThrow(failure('unreadable_hash'));
  });

  it('A set with codes that are too short for its hasher is an error', () => {
    const fast: Hasher = { ...countingHasher(), minimumBits: 112 };
    expect(hasherFor([fast], { salt: fast.newSalt(), bits: 112 })).toBe(fast);
    expect(() => hasherFor([fast], { salt: fast.newSalt(), bits: 111.9 })).toThrow(
      failure('unreadable_hash'),
    );
  });
});

describe('the option hasher', () => {
  it('The option hasher may be one hasher', () => {
    expect(hasherList(quick, 40)).toEqual([quick]);
  });

  it.each<[string, unknown]>([
    ['empty', []],
    ['null', null],
    ['a name', 'bcrypt'],
    ['an object that lacks a method', { newSalt: () => '$x', reads: () => true }],
    ['a list with a hole', [quick, undefined]],
    ['one that does not read its own salts', { ...countingHasher(), reads: () => false }],
    ['one with a salt that is not a string', { ...countingHasher(), newSalt: () => 12 }],
    [
      'one with a salt that is too long to store',
      { ...countingHasher(), newSalt: () => `$counted$${'x'.repeat(300)}` },
    ],
  ])('The option hasher is refused if it is %s', (_what, given) => {
    expect(() => hasherList(given as Hasher, 40)).toThrow(failure('invalid_hasher'));
  });

  it('A format must be long enough for the first hasher, but not for the others', () => {
    const fast: Hasher = { ...countingHasher('fast'), minimumBits: 112 };
    expect(() => hasherList(fast, 80)).toThrow(failure('invalid_hasher'));
    expect(hasherList(fast, 112)).toEqual([fast]);
    expect(hasherList([quick, fast], 40)).toEqual([quick, fast]);
  });
});
