// A set that a released version stored verifies with every later version. The vectors are computed
// again from their description, and the package reads and consumes them.
import {
  BackupCodes,
  defineFormat,
  fastHasher,
  formats,
  MemoryStore,
  type Pepper,
} from '../../lib';
import { argon2Hasher } from '../../lib/argon2';
import { auditEvent } from '../../lib/audit/events';
import { parseFormat, showCode } from '../../lib/codes/formats';
import { readCode } from '../../lib/codes/read-code';
import { userSubject } from '../../lib/stores/subject';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import { check, derive, stretch } from '../vectors/make';
import reading from '../vectors/reading-v1.json';
import vectors from '../vectors/sets-v1.json';
import hasherVectors from '../vectors/sets-v1-hashers.json';

type StoredSet = (typeof vectors.sets)[number];

const sets: readonly StoredSet[] = [...vectors.sets, ...hasherVectors.sets];

const CREATED_AT = Date.UTC(2026, 10, 21);
const own = defineFormat({
  alphabet: '0123456789abcdefghijklmnopqrstuvwxyz',
  length: 13,
  groupSize: 4,
  separator: '.',
});
const hex28 = defineFormat({
  alphabet: '0123456789abcdef',
  length: 28,
  groupSize: 7,
  separator: '_',
});

function peppers({ pepper }: StoredSet): Pepper[] {
  return pepper ? [{ id: pepper.id, key: Buffer.from(pepper.key, 'hex') }] : [];
}

/** The package of another time: the hasher and the format of the set are only read, not issued. */
async function serviceWith(set: StoredSet, pepper = peppers(set)): Promise<BackupCodes> {
  const store = new MemoryStore();
  const { userId, setId, format, salt, codes } = set;
  const subject = userSubject(userId);
  const context = {
    ip: null,
    userAgent: null,
    requestId: null,
    actor: null,
    channel: 'second_factor',
  } as const;
  await store.replace({
    subject,
    header: {
      setId,
      format,
      salt,
      pepperId: set.pepper?.id ?? null,
      check: set.check,
      total: codes.length,
      createdAt: CREATED_AT,
      expiresAt: null,
    },
    codes: codes.map(({ codeId, salt: codeSalt, digest }) => ({ codeId, salt: codeSalt, digest })),
    event: auditEvent('issued', { at: CREATED_AT, userId, context }),
    now: CREATED_AT,
  });
  const hasher = [countingHasher(), argon2Hasher(), fastHasher()];
  const readFormats = [
    formats.recovery,
    formats.standard,
    formats.long,
    formats.numeric,
    formats.hex,
    own,
    hex28,
  ];
  return new BackupCodes({ store, pepper, hasher, format: readFormats, now: () => CREATED_AT });
}

const moves: [string, (set: StoredSet) => Partial<StoredSet>][] = [
  ['user', ({ userId }) => ({ userId: `${userId}2` })],
  [
    'set id',
    ({ setId }) => ({ setId: setId.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) }),
  ],
];

describe.each(sets.map((set): [string, StoredSet] => [set.name, set]))(
  'the stored set "%s"',
  (_name, set) => {
    it('A stored set has the values that its description gives', async () => {
      expect(check(set)).toBe(set.check);
      expect(await Promise.all(set.codes.map((code) => stretch(set, code)))).toEqual(
        set.codes.map(({ stretched }) => stretched),
      );
      for (const code of set.codes)
        expect(derive(set, code)).toEqual({ keyed: code.keyed, digest: code.digest });
    });

    it('The codes of a stored set are shown as they were printed', () => {
      for (const { shown, symbols } of set.codes)
        expect(showCode(parseFormat(set.format), symbols)).toBe(shown);
    });

    it('Each code of a stored set is accepted under its own id; an invalid one is not', async () => {
      const backupCodes = await serviceWith(set);
      const [first, second] = set.codes as [StoredSet['codes'][0], StoredSet['codes'][0]];
      const [wrong] = set.wrong as [string];
      expect(await backupCodes.consume(set.userId, wrong)).toEqual({
        ok: false,
        reason: 'mismatch',
      });
      expect(await backupCodes.consume(set.userId, first.shown)).toMatchObject({
        ok: true,
        codeId: first.codeId,
        setId: set.setId,
        remaining: 1,
      });
      expect(
        await backupCodes.consume(set.userId, ` ${second.symbols.toUpperCase()}\u2014`),
      ).toMatchObject({ ok: true, codeId: second.codeId, remaining: 0 });
    });

    it.each(moves)(
      'A stored set is unreadable if it is moved to another %s',
      async (_what, move) => {
        const moved = { ...set, ...move(set) };
        await expect(
          (await serviceWith(moved)).consume(moved.userId, set.codes[0]?.shown),
        ).rejects.toEqual(failure('wrong_pepper'));
      },
    );

    it('A stored set is unreadable with another pepper, or with one if it has none', async () => {
      const other = await serviceWith(set, [
        { id: set.pepper?.id ?? 'new', key: Buffer.alloc(32, 1) },
      ]);
      await expect(other.consume(set.userId, set.codes[0]?.shown)).rejects.toEqual(
        failure(set.pepper ? 'wrong_pepper' : 'unknown_pepper'),
      );
    });
  },
);

it.each(moves)(
  'No code verifies under another %s, even with a check that fits',
  async (_what, move) => {
    // Without a pepper an attacker who can write to the database can compute the check.
    for (const set of sets.filter(({ salt }) => /^\$(?:2b\$10|sha256)\$/.test(salt))) {
      const moved = { ...set, ...move(set) };
      const backupCodes = await serviceWith({ ...moved, check: check(moved) });
      expect(await backupCodes.consume(moved.userId, set.codes[0]?.shown)).toEqual({
        ok: false,
        reason: 'mismatch',
      });
    }
  },
);

it('The digest of a code does not verify in the record of another code', async () => {
  const [set] = vectors.sets as [StoredSet];
  const [first, second] = set.codes as [StoredSet['codes'][0], StoredSet['codes'][0]];
  const backupCodes = await serviceWith({
    ...set,
    codes: [
      { ...first, digest: second.digest },
      { ...second, digest: first.digest },
    ],
  });
  expect(await backupCodes.consume(set.userId, first.shown)).toEqual({
    ok: false,
    reason: 'mismatch',
  });
  expect(await backupCodes.consume(set.userId, second.shown)).toEqual({
    ok: false,
    reason: 'mismatch',
  });
});

it('The vectors cover each hasher with and without a pepper, and all formats', () => {
  const kinds = new Set(
    sets.map(
      ({ salt, pepper }) =>
        `${salt.replace(/[^$]+$/, '').slice(1, -1)} ${pepper ? 'pepper' : 'none'}`,
    ),
  );
  expect([...kinds].sort()).toEqual([
    '2b$10 none',
    '2b$10 pepper',
    '2b$12 none',
    '2b$12 pepper',
    'argon2id$v=19$m=19456,t=2,p=1 pepper',
    'argon2id$v=19$m=65536,t=3,p=1 none',
    'pbkdf2-sha256$i=600000 none',
    'pbkdf2-sha256$i=700001 pepper',
    'scrypt$ln=17,r=8,p=1 none',
    'scrypt$ln=17,r=8,p=1 pepper',
    'scrypt$ln=18,r=8,p=1 none',
    'sha256 none',
    'sha256 pepper',
  ]);
  const stored = sets.map(({ format }) => parseFormat(format));
  for (const format of Object.values(formats)) expect(stored).toContainEqual(format);
});

describe.each(
  reading.formats.map((format): [string, (typeof reading.formats)[number]] => [
    format.name,
    format,
  ]),
)('typed codes of the format "%s"', (_name, { format, reads, refuses }) => {
  const parsed = parseFormat(format);

  it.each(reads)('The input %j is read as the code %s', (typed, symbols) => {
    expect(readCode(parsed, typed)).toBe(symbols);
  });

  it.each(refuses)('The input %j is refused', (typed) => {
    expect(readCode(parsed, typed)).toBeNull();
  });
});
