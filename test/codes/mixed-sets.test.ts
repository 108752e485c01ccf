// Sets of every age with one configuration: whatever hasher, cost, format and pepper a set was
// issued with, its codes are accepted while these are listed. The hashers make and read the salt
// strings of the real ones, but their hash is fast and counted; vectors.test.ts and hashers/ run
// the real ones.
import fc from 'fast-check';
import {
  BackupCodes,
  bcryptHasher,
  defineFormat,
  fastHasher,
  formats,
  MemoryStore,
  pbkdf2Hasher,
  scryptHasher,
  type Hasher,
  type Outcome,
  type Pepper,
} from '../../lib';
import { argon2Hasher } from '../../lib/argon2';
import { serializeFormat } from '../../lib/codes/formats';
import { userSubject } from '../../lib/stores/subject';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';

const counted = countingHasher('own');
const quick = (real: Hasher): Hasher => ({ ...real, hash: counted.hash });

const HASHERS = {
  'bcrypt 10': quick(bcryptHasher({ cost: 10 })),
  'bcrypt 12': quick(bcryptHasher()),
  'scrypt 17': quick(scryptHasher()),
  'scrypt 18': quick(scryptHasher({ logN: 18 })),
  'PBKDF2 600 000': quick(pbkdf2Hasher()),
  'PBKDF2 700 000': quick(pbkdf2Hasher({ iterations: 700_000 })),
  'argon2id 19 MiB': quick(argon2Hasher({ memoryKiB: 19_456, passes: 2 })),
  'argon2id 64 MiB': quick(argon2Hasher()),
  'SHA-256': quick(fastHasher()),
  "the app's own": counted,
};
const FORMATS = {
  ...formats,
  own: defineFormat({
    alphabet: '0123456789abcdefghijklmnopqrstuvwxyz',
    length: 13,
    groupSize: 4,
    separator: '.',
  }),
};
const PEPPERS = {
  '2026': { id: '2026', key: Buffer.alloc(32, 26) },
  '2025': { id: '2025', key: Buffer.alloc(32, 25) },
  none: { id: 'none' },
} as const satisfies Record<string, Pepper>;

/** What a set is issued with. */
interface Setup {
  readonly hasher: keyof typeof HASHERS;
  readonly format: keyof typeof FORMATS;
  readonly pepper: keyof typeof PEPPERS;
}

/** What is configured, newest first. */
type Lists = { readonly [Name in keyof Setup]: readonly Setup[Name][] };

const HASHER_NAMES = Object.keys(HASHERS) as Setup['hasher'][];
const FORMAT_NAMES = Object.keys(FORMATS) as Setup['format'][];

/** All that `BackupCodes` accepts: a fast hash needs long codes, and a short format a pepper. */
function setupsWith(peppers: readonly Setup['pepper'][]): Setup[] {
  const all = HASHER_NAMES.flatMap((hasher) =>
    FORMAT_NAMES.flatMap((format) => peppers.map((pepper) => ({ hasher, format, pepper }))),
  );
  return all.filter(
    ({ hasher, format, pepper }) =>
      (hasher !== 'SHA-256' || format === 'long') && (format !== 'numeric' || pepper !== 'none'),
  );
}

const olds = setupsWith(['2025', 'none']);
const news = setupsWith(['2026']);

function serviceOf(store: MemoryStore, { hasher, format, pepper }: Lists): BackupCodes {
  const listed = (['2026', '2025', 'none'] as const)
    .filter((id) => pepper.includes(id))
    .map((id) => PEPPERS[id]);
  const options = {
    hasher: hasher.map((name) => HASHERS[name]),
    format: format.map((name) => FORMATS[name]),
  };
  return new BackupCodes({
    store,
    count: 1,
    ...options,
    pepper: pepper[0] === 'none' ? [] : listed,
  });
}

const listsOf = (...newestFirst: readonly Setup[]): Lists => ({
  hasher: newestFirst.map(({ hasher }) => hasher),
  format: newestFirst.map(({ format }) => format),
  pepper: newestFirst.map(({ pepper }) => pepper),
});

const schemeOf = (name: Setup['hasher']): string | undefined =>
  HASHERS[name].newSalt().split('$')[1];

describe.each(HASHER_NAMES)('a set hashed by %s', (hasher) => {
  const own = olds.filter((old) => old.hasher === hasher);

  it('A set is read after each change of its configuration', async () => {
    const store = new MemoryStore();
    for (const old of own) {
      const issuing = serviceOf(store, listsOf(old));
      for (const fresh of news) {
        const { setId, codes } = await issuing.issue('ada');
        const lists = listsOf(fresh, old);
        // A hasher that differs in its cost only need not be listed.
        const changed = serviceOf(
          store,
          schemeOf(fresh.hasher) === schemeOf(hasher)
            ? { ...lists, hasher: [fresh.hasher] }
            : lists,
        );
        const outcome = await changed.consume('ada', codes[0]);
        expect({ old, fresh, outcome }).toEqual({
          old,
          fresh,
          outcome: expect.objectContaining({ ok: true, setId }),
        });
      }
    }
    expect.assertions(own.length * news.length);
  });
});

describe('a set with something that is no longer listed', () => {
  /** A configuration that shares nothing with the old one. */
  const later = ({ format }: Setup): Setup => ({
    hasher: 'bcrypt 12',
    format: format === 'recovery' ? 'standard' : 'recovery',
    pepper: '2026',
  });
  const isBuiltIn = ({ hasher }: Setup): boolean => /^(?:bcrypt|scrypt|PBKDF2)/.test(hasher);
  const malformed: Outcome = { ok: false, reason: 'malformed' };

  it.each<[keyof Setup, (call: Promise<Outcome>) => Promise<void>, Setup[]]>([
    [
      'hasher',
      (call) => expect(call).rejects.toEqual(failure('unreadable_hash')),
      olds.filter((old) => !isBuiltIn(old)),
    ],
    ['format', (call) => expect(call).resolves.toEqual(malformed), olds],
    ['pepper', (call) => expect(call).rejects.toEqual(failure('unknown_pepper')), olds],
  ])(
    'A set is refused before any hash, and uncharged, until its %s is listed again',
    async (dropped, isRefused, sets) => {
      const store = new MemoryStore();
      for (const old of sets) {
        const { codes } = await serviceOf(store, listsOf(old)).issue('ada');
        const lists = listsOf(later(old), old);
        counted.count = 0;
        await isRefused(
          serviceOf(store, { ...lists, [dropped]: lists[dropped].slice(0, 1) }).consume(
            'ada',
            codes[0],
          ),
        );
        expect([
          counted.count,
          (await store.find(userSubject('ada')))?.secondFactor.attempts,
        ]).toEqual([0, 0]);
        expect(await serviceOf(store, lists).consume('ada', codes[0])).toMatchObject({
          ok: true,
          remaining: 0,
        });
      }
      expect.assertions(3 * sets.length);
    },
  );
});

it('Sets of every age work side by side, each with what was newest at its issue', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...olds), { minLength: 1, maxLength: 4 }),
      fc.constantFrom(...news),
      async (history, newest) => {
        const store = new MemoryStore();
        // The pepper `none` may be the last of a list, but not the first.
        const ages = [...history]
          .sort((a, b) => Number(a.pepper !== 'none') - Number(b.pepper !== 'none'))
          .concat(newest);
        const codes: (string | undefined)[] = [];
        for (const [age, setup] of ages.entries()) {
          const {
            codes: [code],
          } = await serviceOf(store, listsOf(...ages.slice(0, age + 1).reverse())).issue(age);
          codes.push(code);
          const header = (await store.find(userSubject(age)))?.current;
          expect(header).toMatchObject({
            format: serializeFormat(FORMATS[setup.format]),
            pepperId: setup.pepper === 'none' ? null : setup.pepper,
          });
          expect(HASHERS[setup.hasher].reads(header!.salt)).toBe(true);
        }
        const backupCodes = serviceOf(store, listsOf(...ages.reverse()));
        for (const [age, code] of codes.entries())
          expect(await backupCodes.consume(age, code)).toMatchObject({ ok: true, remaining: 0 });
      },
    ),
  );
});
