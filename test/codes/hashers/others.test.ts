import { argon2Hasher } from '../../../lib/argon2';
import {
  BackupCodes,
  bcryptHasher,
  fastHasher,
  formats,
  MemoryStore,
  pbkdf2Hasher,
  scryptHasher,
  type Hasher,
} from '../../../lib';
import { failure } from '../../helpers/errors';

interface Case {
  readonly name: string;
  readonly make: () => Hasher;
  /** A salt string of this scheme with parameters below the lowest and above the highest. */
  readonly tooWeak: string | null;
  readonly tooStrong: string | null;
  readonly refused: (() => Hasher) | null;
}

const SALT = 'AAAAAAAAAAAAAAAAAAAAAA';

const CASES: readonly Case[] = [
  {
    name: 'scryptHasher',
    make: () => scryptHasher(),
    tooWeak: `$scrypt$ln=16,r=8,p=1$${SALT}`,
    tooStrong: `$scrypt$ln=21,r=8,p=1$${SALT}`,
    refused: () => scryptHasher({ logN: 16 }),
  },
  {
    name: 'pbkdf2Hasher',
    make: () => pbkdf2Hasher(),
    tooWeak: `$pbkdf2-sha256$i=599999$${SALT}`,
    tooStrong: `$pbkdf2-sha256$i=99999999$${SALT}`,
    refused: () => pbkdf2Hasher({ iterations: 599_999 }),
  },
  {
    name: 'argon2Hasher',
    make: () => argon2Hasher(),
    tooWeak: `$argon2id$v=19$m=19455,t=2,p=1$${SALT}`,
    tooStrong: `$argon2id$v=19$m=9999999,t=3,p=1$${SALT}`,
    refused: () => argon2Hasher({ passes: 1 }),
  },
  { name: 'fastHasher', make: () => fastHasher(), tooWeak: null, tooStrong: null, refused: null },
];

describe.each(CASES)('$name', ({ make, tooWeak, tooStrong, refused }) => {
  it('A hasher reads its own salt strings, and distinguishes codes and salts', async () => {
    const hasher = make();
    const [salt, other] = [hasher.newSalt(), hasher.newSalt()];
    expect(hasher.reads(salt)).toBe(true);
    expect(salt).not.toBe(other);
    const inputs = [
      ['ABCD2345', salt],
      ['ABCD2345', salt],
      ['ABCD2346', salt],
      ['ABCD2345', other],
    ] as const;
    const hashes = (await Promise.all(inputs.map(([code, text]) => hasher.hash(code, text)))).map(
      (hash) => Buffer.from(hash).toString('hex'),
    );
    expect(hashes[0]).toHaveLength(64);
    expect(hashes[1]).toBe(hashes[0]);
    expect(new Set(hashes).size).toBe(3);
  });

  it('A hasher distinguishes inputs that differ after 72 bytes', async () => {
    const hasher = make();
    const salt = hasher.newSalt();
    const [a, b] = [`${'A'.repeat(72)}AAAAAAAA`, `${'A'.repeat(72)}BBBBBBBB`];
    const [hashOfA, hashOfB] = await Promise.all([hasher.hash(a, salt), hasher.hash(b, salt)]);
    expect(Buffer.from(hashOfA).equals(hashOfB)).toBe(false);
  });

  it('A hasher refuses salt strings with parameters out of range or of other schemes', async () => {
    const hasher = make();
    const foreign = [
      bcryptHasher().newSalt(),
      '',
      '$',
      `$scrypt$ln=17$${SALT}`,
      `${hasher.newSalt()}\n`,
      hasher.newSalt().slice(1),
    ];
    for (const salt of [...foreign, ...[tooWeak, tooStrong].filter((text) => text !== null)]) {
      expect(hasher.reads(salt)).toBe(false);
      await expect(hasher.hash('ABCD2345', salt)).rejects.toMatchObject({
        code: 'unreadable_hash',
      });
    }
  });

  it('A hasher with parameters below the lowest is refused at construction', () => {
    if (refused === null)
      expect(() => new BackupCodes({ store: new MemoryStore(), hasher: make() })).toThrow(
        failure('invalid_hasher'),
      );
    else expect(refused).toThrow(failure('invalid_hasher'));
  });
});

describe('sets of different hashers', () => {
  it('Sets of different hashers work side by side, whichever hasher is the newest', async () => {
    const store = new MemoryStore();
    const kinds = [
      fastHasher(),
      argon2Hasher(),
      scryptHasher(),
      pbkdf2Hasher(),
      bcryptHasher({ cost: 10 }),
    ];
    const options = { store, format: formats.long, count: 1 };
    for (const [index, hasher] of kinds.entries()) {
      const { codes } = await new BackupCodes({ ...options, hasher }).issue(`user-${index}`);
      const later = new BackupCodes({
        ...options,
        hasher: [bcryptHasher(), fastHasher(), argon2Hasher()],
      });
      expect(await later.consume(`user-${index}`, codes[0])).toMatchObject({
        ok: true,
        remaining: 0,
      });
    }
  });

  it('Sets with a fast hash and too short codes are unreadable and charge no attempt', async () => {
    const store = new MemoryStore();
    const quick: Hasher = {
      newSalt: () => fastHasher().newSalt(),
      reads: (salt) => fastHasher().reads(salt),
      hash: (code, salt) => fastHasher().hash(code, salt),
    };
    const { codes } = await new BackupCodes({ store, hasher: quick }).issue('ada');
    const backupCodes = new BackupCodes({
      store,
      hasher: [bcryptHasher({ cost: 10 }), fastHasher()],
    });
    await expect(backupCodes.consume('ada', codes[0])).rejects.toMatchObject({
      code: 'unreadable_hash',
    });
    expect(await backupCodes.status('ada')).toMatchObject({ remaining: 10 });
  });
});
