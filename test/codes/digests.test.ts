import crypto from 'node:crypto';
import fc from 'fast-check';
import {
  checkOf,
  findMatch,
  keyStretched,
  recordCode,
  type CodeRecord,
  type SetBinding,
} from '../../lib/codes/digests';

const pepper = Buffer.alloc(32, 7);
const binding: SetBinding = {
  userId: 'ada',
  namespace: null,
  setId: 'set-1',
  salt: '$2b$12$abcdefghijklmnopqrstuu',
};
const stretched = Buffer.alloc(31, 1);

function records(keyed: Uint8Array, others: number): CodeRecord[] {
  return [
    ...Array.from({ length: others }, () => recordCode(crypto.randomBytes(32))),
    recordCode(keyed),
  ];
}

/** HMAC-SHA-256 of a list of fields, as test/vectors/README.md describes it. */
function mac(key: Uint8Array, fields: readonly (string | Uint8Array)[]): Buffer {
  const bytes = fields
    .map((field) => Buffer.from(field as string))
    .flatMap((field) => [
      Buffer.from([field.length >>> 24, field.length >>> 16, field.length >>> 8, field.length]),
      field,
    ]);
  return crypto.createHmac('sha256', key).update(Buffer.concat(bytes)).digest();
}

let keyed: Buffer;
beforeEach(() => {
  keyed = keyStretched(stretched, pepper, binding);
});

describe('version 1 of the scheme', () => {
  it.each(['ada', 'Ада', '\u{1F511}', 'a'.repeat(255)])(
    'Keyed value, check and digest are those of test/vectors, for the user %j',
    (userId) => {
      const { setId, salt } = binding;
      const expected = mac(pepper, ['passport-backup-code/v1', userId, setId, salt, stretched]);
      expect(keyStretched(stretched, pepper, { ...binding, userId })).toEqual(expected);
      expect(checkOf(pepper, { ...binding, userId })).toBe(
        mac(pepper, ['passport-backup-code/v1/check', userId, setId]).toString('hex').slice(0, 32),
      );
      const record = recordCode(expected);
      expect(record.digest).toBe(
        mac(expected, [record.codeId, Buffer.from(record.salt, 'hex')]).toString('hex'),
      );
    },
  );
});

describe('version 1 of the scheme in a namespace', () => {
  it('Keyed value and check have the namespace as one field more, before the user', () => {
    const { userId, setId, salt } = binding;
    const owned = { ...binding, namespace: 'bank' };
    const version = 'passport-backup-code/v1';
    expect(keyStretched(stretched, pepper, owned)).toEqual(
      mac(pepper, [version, 'bank', userId, setId, salt, stretched]),
    );
    const check = mac(pepper, [`${version}/check`, 'bank', userId, setId]);
    expect(checkOf(pepper, owned)).toBe(check.toString('hex').slice(0, 32));
  });

  it('No other owner gives the same keyed value or check', () => {
    const owner = fc.record({
      namespace: fc.option(fc.constantFrom('a', 'b', 'ab')),
      userId: fc.constantFrom('a', 'b', 'ab', 'ba'),
      setId: fc.constantFrom('a', 'b', 'ab'),
    });
    fc.assert(
      fc.property(owner, owner, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        const { salt } = binding;
        const keyedOf = (given: typeof one): string =>
          keyStretched(stretched, pepper, { ...given, salt }).toString('hex');
        expect(keyedOf(one) === keyedOf(other)).toBe(isSame);
        expect(checkOf(pepper, one) === checkOf(pepper, other)).toBe(isSame);
      }),
    );
  });
});

describe('the keyed value', () => {
  it.each<[string, () => Buffer]>([
    ['user', () => keyStretched(stretched, pepper, { ...binding, userId: 'bob' })],
    ['set', () => keyStretched(stretched, pepper, { ...binding, setId: 'set-2' })],
    ['namespace', () => keyStretched(stretched, pepper, { ...binding, namespace: 'bank' })],
    [
      'salt',
      () => keyStretched(stretched, pepper, { ...binding, salt: '$2b$12$abcdefghijklmnopqrstuv' }),
    ],
    ['stretched code', () => keyStretched(Buffer.alloc(31, 2), pepper, binding)],
    ['pepper', () => keyStretched(stretched, Buffer.alloc(32, 8), binding)],
  ])('The keyed value of a code differs for another %s', (_what, other) => {
    expect(other()).not.toEqual(keyed);
  });

  it('The keyed value of a code is the same for the same input', () => {
    expect(keyStretched(stretched, pepper, { ...binding })).toEqual(keyed);
  });

  it('Two lists of fields never give the same bytes to hash', () => {
    const shifted = fc.tuple(
      fc.string({ minLength: 1 }),
      fc.string(),
      fc.string(),
      fc.integer({ min: 1, max: 20 }),
    );
    fc.assert(
      fc.property(shifted, ([userId, setId, salt, by]) => {
        const joined = userId + setId;
        const other = {
          userId: joined.slice(0, by),
          namespace: null,
          setId: joined.slice(by),
          salt,
        };
        fc.pre(other.userId !== userId);
        expect(keyStretched(stretched, pepper, other)).not.toEqual(
          keyStretched(stretched, pepper, { userId, namespace: null, setId, salt }),
        );
      }),
    );
    expect(keyStretched(Buffer.from('b'), pepper, { ...binding, salt: 'a' })).not.toEqual(
      keyStretched(Buffer.from('ab'), pepper, { ...binding, salt: '' }),
    );
  });
});

describe('the check of a set', () => {
  it('The check of a set has 16 bytes and differs for another pepper, user or set', () => {
    const checks = [
      checkOf(pepper, binding),
      checkOf(Buffer.alloc(32, 8), binding),
      checkOf(pepper, { ...binding, userId: 'bob' }),
      checkOf(pepper, { ...binding, setId: 'set-2' }),
      checkOf(pepper, { ...binding, namespace: 'bank' }),
      checkOf(pepper, { ...binding, userId: 'adas', setId: 'et-1' }),
    ];
    for (const check of checks) expect(check).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(checks).size).toBe(checks.length);
  });

  it('The check of a set reveals nothing of the keyed value', () => {
    expect(
      keyStretched(Buffer.alloc(0), pepper, { ...binding, salt: '' })
        .toString('hex')
        .startsWith(checkOf(pepper, binding)),
    ).toBe(false);
  });
});

describe('the record of a code', () => {
  it('A code has its own salt and its own id, distinct over 10 000 codes', () => {
    const many = Array.from({ length: 10_000 }, () => recordCode(keyed));
    expect(new Set(many.map(({ salt }) => salt)).size).toBe(10_000);
    expect(new Set(many.map(({ codeId }) => codeId)).size).toBe(10_000);
    expect(new Set(many.map(({ digest }) => digest)).size).toBe(10_000);
    for (const { codeId, salt, digest } of many.slice(0, 10)) {
      expect([codeId, salt, digest].map((hex) => /^[0-9a-f]+$/.test(hex) && hex.length)).toEqual([
        32, 32, 64,
      ]);
    }
  });

  it('A code is found at every place of the list', () => {
    const [first, second, third] = [
      recordCode(keyed),
      recordCode(crypto.randomBytes(32)),
      recordCode(crypto.randomBytes(32)),
    ];
    for (const list of [
      [first, second, third],
      [second, first, third],
      [second, third, first],
    ])
      expect(findMatch(keyed, list)).toBe(first);
  });

  it('A code is not found by the keyed value of another code, user, set or pepper', () => {
    const list = records(keyed, 3);
    for (const other of [
      keyStretched(Buffer.alloc(31, 2), pepper, binding),
      keyStretched(stretched, pepper, { ...binding, userId: 'bob' }),
      keyStretched(stretched, pepper, { ...binding, setId: 'set-2' }),
      keyStretched(stretched, Buffer.alloc(32, 8), binding),
    ])
      expect(findMatch(other, list)).toBeNull();
  });

  it('A digest does not verify with the salt or the id of another code', () => {
    const [one, other] = [recordCode(keyed), recordCode(keyed)];
    expect(findMatch(keyed, [{ ...one, digest: other.digest }])).toBeNull();
    expect(findMatch(keyed, [{ ...one, codeId: other.codeId }])).toBeNull();
    expect(findMatch(keyed, [{ ...one, salt: other.salt }])).toBeNull();
    expect(findMatch(keyed, [one])).toBe(one);
  });

  it.each([
    ['empty', () => ''],
    ['too short', (digest: string) => digest.slice(0, 62)],
    ['too long', (digest: string) => `${digest}00`],
    ['not hex', (digest: string) => `zz${digest.slice(2)}`],
    ['off by one bit', (digest: string) => (digest.startsWith('0') ? '1' : '0') + digest.slice(1)],
    ['all zeros', () => '0'.repeat(64)],
    ['a word', () => 'null'],
  ])('A digest that is %s matches nothing and throws nothing', (_what, damage) => {
    const [record] = records(keyed, 0) as [CodeRecord];
    expect(findMatch(keyed, [{ ...record, digest: damage(record.digest) }])).toBeNull();
  });

  it('A code is found among damaged records', () => {
    const damaged = { codeId: '', salt: 'zz', digest: 'zz' };
    const [record] = records(keyed, 0) as [CodeRecord];
    expect(findMatch(keyed, [damaged, record, damaged])).toBe(record);
  });
});

describe('the comparison', () => {
  it.each<[string, (match: CodeRecord, others: CodeRecord[]) => CodeRecord[]]>([
    ['no match', (_match, others) => others],
    ['a match at the first place', (match, others) => [match, ...others.slice(1)]],
    ['a match at the last place', (match, others) => [...others.slice(1), match]],
    [
      'damaged digests',
      (_match, others) => others.map((record) => ({ ...record, digest: 'beef' })),
    ],
  ])('Every record is compared in constant time: %s', (_what, arrange) => {
    const all = records(keyed, 9);
    const list = arrange(all.pop()!, all);
    const compared = jest.spyOn(crypto, 'timingSafeEqual');
    const hashed = jest.spyOn(crypto, 'hash');
    findMatch(keyed, list);
    const calls = [compared.mock.calls.length, hashed.mock.calls.length];
    jest.restoreAllMocks();
    // An HMAC is two hashes (RFC 2104).
    expect(calls).toEqual([9, 2 * 9]);
  });

  it('An empty list has no match', () => {
    expect(findMatch(keyed, [])).toBeNull();
  });
});
