import { inspect } from 'node:util';
import { BackupCodes, formats, MemoryStore, type BackupCodesOptions, type Pepper } from '../../lib';
import { pepperRing } from '../../lib/codes/pepper';
import { checkOf } from '../../lib/codes/digests';
import { userSubject } from '../../lib/stores/subject';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';

const old = { id: '2025', key: Buffer.alloc(32, 1) };
const current = { id: '2026', key: Buffer.alloc(48, 2) };
const none: Pepper = { id: 'none' };

const owner = { userId: 'ada', namespace: null, setId: 'set-1' };

describe('the option pepper', () => {
  it.each([undefined, []])(
    'Without a pepper (%j) the key is the public constant of test/vectors',
    (given) => {
      const key = Buffer.from('passport-backup-code/v1/no-pepper');
      const { newest, keyOf } = pepperRing(given);
      expect(newest).toEqual({ id: null, key });
      expect(
        keyOf({
          ...owner,
          pepperId: null,
          check: checkOf(key, owner),
        }),
      ).toEqual(key);
    },
  );

  it('One pepper that is not in a list signs and verifies', () => {
    const { newest, keyOf } = pepperRing(current);
    const set = { ...owner, pepperId: '2026' };
    expect(newest.id).toBe('2026');
    expect(Buffer.from(keyOf({ ...set, check: checkOf(current.key, set) }))).toEqual(current.key);
  });

  it('The first pepper of a list signs', () => {
    expect(pepperRing([current, old, none]).newest.id).toBe('2026');
  });

  it.each([
    [
      'a key of 31 bytes',
      [{ id: 'a', key: Buffer.alloc(31) }],
      'at least 32 bytes, but was 31 bytes',
    ],
    [
      'a key that is a string',
      [{ id: 'a', key: 'x'.repeat(64) }],
      "but was a string. Decode it first: Buffer.from(key, 'base64').",
    ],
    ['a key that is a list of numbers', [{ id: 'a', key: Array(32).fill(1) }], 'but was an array.'],
    ['no key', [{ id: 'a' }], 'but was undefined.'],
    ['one pepper without a key', { id: 'a' }, 'but was undefined.'],
    ['no id', [{ key: Buffer.alloc(32) }], 'The id of a pepper'],
    ['an empty id', [{ id: '', key: Buffer.alloc(32) }], 'The id of a pepper'],
    ['an id with a space', [{ id: 'a b', key: Buffer.alloc(32) }], 'The id of a pepper'],
    [
      'an id with a line break at its end',
      [{ id: 'a\n', key: Buffer.alloc(32) }],
      'The id of a pepper',
    ],
    [
      'an id of 65 characters',
      [{ id: 'a'.repeat(65), key: Buffer.alloc(32) }],
      'The id of a pepper',
    ],
    ['an id that is a number', [{ id: 2026, key: Buffer.alloc(32) }], 'The id of a pepper'],
    [
      'two peppers of one id',
      [current, { id: '2026', key: Buffer.alloc(32, 3) }],
      'Two peppers have the id "2026"',
    ],
    ['none alone', [none], 'may only be the last of a list'],
    ['none alone and not in a list', none, 'may only be the last of a list'],
    ['none first', [none, current], 'may only be the last of a list'],
    ['none in the middle', [current, none, old], 'may only be the last of a list'],
    ['none twice', [current, none, none], 'may only be the last of a list'],
    [
      'a string',
      'secret',
      'pepper must be { id, key } or a list of them, newest first, but was a string.',
    ],
    ['a list with a string', [current, 'secret'], 'pepper must be { id, key } or a list of them'],
  ])('The option pepper is refused with %s', (_what, given, message) => {
    expect(() => pepperRing(given as Pepper)).toThrow(failure('invalid_pepper'));
    expect(() => pepperRing(given as Pepper)).toThrow(message);
  });

  it.each([
    ['null', null],
    ['a bare key', Buffer.alloc(32)],
    ['a misspelt field', { id: 'a', keys: Buffer.alloc(32) }],
  ])('A list of peppers that contains %s is refused', (_what, entry) => {
    expect(() => pepperRing([entry as unknown as Pepper])).toThrow(failure('invalid_option'));
    expect(() => pepperRing([entry as unknown as Pepper])).toThrow(/^pepper /);
  });

  it('A key is copied, so that the caller may overwrite theirs', () => {
    const key = Buffer.alloc(32, 5);
    const ring = pepperRing([{ id: 'a', key }]);
    key.fill(0);
    expect(Buffer.from(ring.newest.key)).toEqual(Buffer.alloc(32, 5));
  });

  it('A pepper id has 1 to 64 letters, digits, dots, dashes and underscores', () => {
    for (const id of ['a', 'A.b_c-9', 'x'.repeat(64)])
      expect(pepperRing([{ id, key: Buffer.alloc(32) }]).newest.id).toBe(id);
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'null', 'undefined'])(
    'The pepper id %s finds its own key, and is unknown if it is not listed',
    (id) => {
      const set = { ...owner, pepperId: id };
      const stored = { ...set, check: checkOf(old.key, set) };
      expect(Buffer.from(pepperRing([current, { id, key: old.key }]).keyOf(stored))).toEqual(
        old.key,
      );
      for (const others of [undefined, [current]])
        expect(() => pepperRing(others).keyOf(stored)).toThrow(failure('unknown_pepper'));
    },
  );
});

describe('the key of a stored set', () => {
  const stored = { ...owner, pepperId: '2025', check: checkOf(old.key, owner) };

  it('A key is found by the pepper id of a set and proven by its check', () => {
    expect(Buffer.from(pepperRing([current, old]).keyOf(stored))).toEqual(old.key);
  });

  it.each([
    [
      'another key under its id',
      [{ ...old, key: Buffer.alloc(32, 9) }],
      stored,
      'wrong_pepper',
      'The pepper "2025" is not the one that a stored set was made with',
    ],
    [
      'another user',
      [old],
      { ...stored, userId: 'bob' },
      'wrong_pepper',
      'or the set belongs to another user.',
    ],
    ['another set', [old], { ...stored, setId: 'set-2' }, 'wrong_pepper', 'The pepper "2025"'],
    ['a damaged check', [old], { ...stored, check: '' }, 'wrong_pepper', 'The pepper "2025"'],
    [
      'a damaged check and no pepper',
      [],
      { ...stored, pepperId: null, check: '' },
      'wrong_pepper',
      'The pepper "none" is not the one',
    ],
    [
      'an unknown id',
      [current],
      stored,
      'unknown_pepper',
      'A stored set names the pepper "2025", which is not configured.',
    ],
    [
      'no id if there is a pepper',
      [old],
      { ...stored, pepperId: null },
      'unknown_pepper',
      'A stored set was made without a pepper, which is refused once one is configured.',
    ],
    ['an id if there is no pepper', [], stored, 'unknown_pepper', 'names the pepper "2025"'],
    [
      'the name "none"',
      [old, none],
      { ...stored, pepperId: 'none' },
      'unknown_pepper',
      'names the pepper "none"',
    ],
  ] as const)(
    'A set is refused with %s, and the message says what is wrong',
    (_what, peppers, set, code, message) => {
      expect(() => pepperRing(peppers).keyOf(set)).toThrow(failure(code));
      expect(() => pepperRing(peppers).keyOf(set)).toThrow(message);
    },
  );

  it('A key is in no error message, whatever is wrong', () => {
    const key = Buffer.from('a-key-of-more-than-thirty-two-bytes-that-is-text');
    const wrongs: (() => unknown)[] = [
      ...[
        stored,
        { ...stored, pepperId: null },
        { ...stored, pepperId: '2031' },
        { ...stored, check: '' },
      ].map((set) => () => pepperRing([{ id: '2025', key }]).keyOf(set)),
      ...[
        [{ id: '', key }],
        [{ id: '2025', key: key.subarray(0, 31) }],
        [
          { id: 'a', key },
          { id: 'a', key },
        ],
        [{ id: 'a', keys: key }],
        [{ id: 'a', key: key.toString() }],
        [key],
      ].map((peppers) => () => pepperRing(peppers as unknown as Pepper[])),
    ];
    for (const wrong of wrongs) {
      let message = '';
      try {
        wrong();
      } catch (error) {
        message = inspect(error);
      }
      expect(message).toMatch(/BackupCodeError/);
      for (const form of [
        key.toString().slice(0, 12),
        key.toString('hex').slice(0, 12),
        key.toString('base64').slice(0, 12),
        Array.from(key.subarray(0, 5)).join(', '),
        stored.check,
      ])
        expect(message).not.toContain(form);
    }
  });
});

describe('rotating peppers', () => {
  /** Services with one store, as if an operator restarted one with another configuration. */
  function operator(): {
    store: MemoryStore;
    hasher: ReturnType<typeof countingHasher>;
    restart: (
      pepper: BackupCodesOptions['pepper'],
      options?: Partial<BackupCodesOptions>,
    ) => BackupCodes;
    attempts: () => Promise<number | undefined>;
  } {
    const [store, hasher] = [new MemoryStore(), countingHasher()];
    return {
      store,
      hasher,
      restart: (pepper, options) =>
        new BackupCodes({ store, hasher, ...(pepper && { pepper }), ...options }),
      attempts: async () => (await store.find(userSubject('ada')))?.secondFactor.attempts,
    };
  }

  it('New sets have the newest pepper, and sets of all listed peppers are read', async () => {
    const { store, restart } = operator();
    const { codes } = await restart([old]).issue('ada');
    const rotated = restart([current, old]);
    expect(await rotated.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    await rotated.issue('bob');
    expect((await store.find(userSubject('bob')))?.current?.pepperId).toBe('2026');
  });

  it('Sets without a pepper are refused once there is one: it may have been removed', async () => {
    const { restart, hasher, attempts } = operator();
    const { codes } = await restart(undefined).issue('ada');
    hasher.count = 0;
    await expect(restart([current]).consume('ada', codes[0])).rejects.toEqual(
      failure('unknown_pepper'),
    );
    expect([hasher.count, await attempts()]).toEqual([0, 0]);
  });

  it('Sets without a pepper are accepted while the pepper "none" ends the list', async () => {
    const { restart } = operator();
    const { codes } = await restart(undefined).issue('ada');
    const draining = restart([current, none]);
    expect(await draining.consume('ada', codes[0])).toMatchObject({ ok: true });
    const fresh = await draining.issue('ada');
    expect(await restart([current]).consume('ada', fresh.codes[0])).toMatchObject({ ok: true });
  });

  it.each<[string, Pepper[] | undefined, string]>([
    ['its pepper is no longer listed', [current], 'unknown_pepper'],
    ['no pepper is configured', undefined, 'unknown_pepper'],
    ['another key has its id', [{ id: '2025', key: Buffer.alloc(32, 77) }], 'wrong_pepper'],
  ])(
    'A set is refused before any hash, without a charged attempt, if %s',
    async (_what, pepper, code) => {
      const { restart, hasher, attempts } = operator();
      const { codes } = await restart([old]).issue('ada');
      hasher.count = 0;
      for (const typed of [codes[0], 'AAAA-AAAA']) {
        await expect(restart(pepper).consume('ada', typed)).rejects.toEqual(
          failure(code as 'wrong_pepper'),
        );
      }
      expect([hasher.count, await attempts()]).toEqual([0, 0]);
      expect(await restart([old]).consume('ada', codes[0])).toMatchObject({ ok: true });
    },
  );

  it('A pepper in a list and the same one without a list read the same sets', async () => {
    const { store, restart } = operator();
    const { codes } = await restart(current).issue('ada');
    expect((await store.find(userSubject('ada')))?.current?.pepperId).toBe('2026');
    expect(await restart(current).consume('ada', codes[0])).toMatchObject({ ok: true });
    expect(await restart([current]).consume('ada', codes[1])).toMatchObject({ ok: true });
  });

  it('A short format needs a pepper', () => {
    const { restart } = operator();
    expect(() => restart(undefined, { format: formats.numeric })).toThrow(
      failure('invalid_format'),
    );
    expect(restart([current], { format: formats.numeric }).formats[0]).toEqual(formats.numeric);
  });
});
