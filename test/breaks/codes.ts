// Breaks of codes and their storage.
import type { Break } from './break';

const issue = 'test/service/issue.test.ts';
const consume = 'test/service/consume.test.ts';
const equalWork = 'test/service/equal-work.test.ts';
const config = 'test/service/options.test.ts';
const formats = 'test/codes/formats.test.ts';
const generate = 'test/codes/generate.test.ts';
const bcrypt = 'test/codes/hashers/bcrypt.test.ts';
const others = 'test/codes/hashers/others.test.ts';
const pepper = 'test/codes/pepper.test.ts';
const scheme = 'test/codes/digests.test.ts';
const strategyOptions = 'test/strategy/options.test.ts';
const vectors = 'test/codes/vectors.test.ts';

const mixed =
  'test/codes/mixed-sets.test.ts › A set is read after each change of its configuration';
const recoveryBits = 'test/service/recovery-bits.test.ts';

export const codeBreaks: readonly Break[] = [
  {
    id: 'N-01',
    what: 'codes come from Math.random',
    file: 'lib/codes/generate.ts',
    find: 'random = randomBytes',
    replace:
      'random = (size: number) => Uint8Array.from({ length: size }, () => Math.random() * 256)',
    noticedBy: [
      `${generate} › Random bytes come from the operating system unless a test replaces the source`,
    ],
  },
  {
    id: 'N-01',
    what: 'symbols are drawn with modulo bias',
    file: 'lib/codes/generate.ts',
    find: '256 - (256 % alphabet.length)',
    replace: '256',
    noticedBy: [
      `${generate} › Every symbol is drawn equally often at every place of a code of the format …`,
      `${generate} › A byte past the last whole multiple of the alphabet is drawn again`,
    ],
  },
  {
    id: 'N-01',
    what: 'the old codes are deleted before the new ones exist',
    file: 'lib/service/backup-codes.ts',
    find: "this.#make('issued',",
    replace: "(await this.revoke(userId), this).#make('issued',",
    noticedBy: [
      `${issue} › Without random bytes from the operating system no set is stored`,
      'test/service/faults-sources.test.ts › A random source that fails in … changes nothing',
    ],
  },
  {
    id: 'N-04',
    what: 'a format with five digits is accepted',
    file: 'lib/codes/formats.ts',
    find: 'const MIN_POSSIBILITIES = 1e6',
    replace: 'const MIN_POSSIBILITIES = 1e5',
    noticedBy: [
      `${formats} › A format of six decimal digits is accepted, and one of five is refused`,
    ],
  },
  {
    id: 'K-06',
    what: 'the chance of guessing a code is not checked',
    file: 'lib/codes/guessing.ts',
    find: 'const MAX_GUESSING_CHANCE = 1e-4',
    replace: 'const MAX_GUESSING_CHANCE = 1',
    noticedBy: [`${config} › A chance of guessing a code above 10^-4 is refused with the number`],
  },
  {
    id: 'N-21',
    what: 'a code of 40 bits is accepted on the recovery channel',
    file: 'lib/codes/guessing.ts',
    find: 'const MIN_RECOVERY_BITS = 64',
    replace: 'const MIN_RECOVERY_BITS = 40',
    noticedBy: [
      `${strategyOptions} › findUser refuses …, and names the number of bits and the standard`,
    ],
  },
  {
    id: 'N-21',
    what: 'consume reads codes of 40 bits on the recovery channel',
    file: 'lib/service/consume.ts',
    find: 'isRead(format) ? readCode(format, typed) : null,',
    replace: 'readCode(format, typed),',
    noticedBy: [
      `${recoveryBits} › a code of 40 bits is malformed on the recovery channel, costs nothing, and works after a first factor`,
      `${recoveryBits} › an adopted set of a shorter format is not opened on the recovery channel`,
      `${recoveryBits} › a set of a shorter format … is not opened by a code that also reads as a longer one`,
    ],
  },
  {
    id: 'N-21',
    what: 'a service that reads no format of 64 bits refuses recovery logins silently',
    file: 'lib/service/consume.ts',
    find: 'assertAllowedOn(context.channel, config.formats);',
    replace: 'if (config === null) assertAllowedOn(context.channel, config.formats);',
    noticedBy: [
      'test/service/recovery-bits.test.ts › an attempt by … on the recovery channel is an error that names the fix, before an attempt is taken',
    ],
  },
  {
    id: 'N-21',
    what: 'an older set of a shorter format opens on the recovery channel',
    file: 'lib/service/compare.ts',
    find: 'return isAllowedOn(channel, format) ? readCode(format, typed) : null;',
    replace: 'return channel ? readCode(format, typed) : null;',
    noticedBy: [
      `${recoveryBits} › a set of a shorter format … is not opened by a code that also reads as a longer one`,
    ],
  },
  {
    id: 'N-21',
    what: 'separators count as random symbols',
    file: 'lib/codes/formats.ts',
    find: 'Math.floor(100 * length * Math.log2',
    replace: 'Math.floor(100 * (length + Math.ceil(length / groupSize) - 1) * Math.log2',
    noticedBy: [`${formats} › The format … has … bits`],
  },
  {
    id: 'N-06',
    what: 'the id of a stored code is the code',
    file: 'lib/service/issue.ts',
    find: '  return { header, records, codes:',
    replace: `  for (const [n, record] of records.entries()) Object.assign(record, { codeId: \`\${symbols[n]}\${record.codeId.slice(8)}\` });
  return { header, records, codes:`,
    noticedBy: [
      `${issue} › The store holds no code and no pepper, in any form`,
      'test/leaks/service.test.ts › The store keeps no code and no pepper',
    ],
  },
  {
    id: 'N-06',
    what: 'all codes of all sets share one salt',
    file: 'lib/codes/digests.ts',
    find: "const salt = randomBytes(SALT_BYTES).toString('hex')",
    replace: "const salt = '00'.repeat(SALT_BYTES)",
    noticedBy: [`${scheme} › A code has its own salt and its own id, distinct over 10 000 codes`],
  },
  {
    id: 'N-06',
    what: 'codes are hashed by a single SHA-256, for speed',
    file: 'lib/codes/stretch.ts',
    find: 'hasher.hash(code, salt)',
    replace: 'Buffer.from(code.padEnd(32))',
    noticedBy: [
      `${equalWork} › Accepting the code at index … costs one slow hash and ten comparisons`,
    ],
  },
  {
    id: 'N-06',
    what: 'the default cost of bcrypt is its floor',
    file: 'lib/codes/hashers/bcrypt.ts',
    find: 'fallback: 12',
    replace: 'fallback: 10',
    noticedBy: [
      `${config} › By default a set has ten standard codes for a year, hashed at cost 12`,
    ],
  },
  {
    id: 'A-11.4.2',
    what: 'bcrypt has no minimum cost',
    file: 'lib/codes/hashers/bcrypt.ts',
    find: 'const MIN_COST = 10',
    replace: 'const MIN_COST = 4',
    noticedBy: [
      `${bcrypt} › bcryptHasher refuses a cost of …`,
      `${bcrypt} › bcryptHasher does not read a salt …`,
    ],
  },
  {
    id: 'A-11.4.2',
    what: 'a database row can demand any bcrypt cost',
    file: 'lib/codes/hashers/bcrypt.ts',
    find: 'const MAX_COST = 16',
    replace: 'const MAX_COST = 31',
    noticedBy: [`${bcrypt} › bcryptHasher does not read a salt …`],
  },
  {
    id: 'A-11.4.2',
    what: 'scrypt has no minimum cost',
    file: 'lib/codes/hashers/scrypt.ts',
    find: 'const MIN_LOG_N = 17',
    replace: 'const MIN_LOG_N = 10',
    noticedBy: [
      `${others} › A hasher with parameters below the lowest is refused at construction`,
      `${others} › A hasher refuses salt strings with parameters out of range or of other schemes`,
    ],
  },
  {
    id: 'A-11.4.2',
    what: 'PBKDF2 has no minimum number of iterations',
    file: 'lib/codes/hashers/pbkdf2.ts',
    find: 'const MIN_ITERATIONS = 600_000',
    replace: 'const MIN_ITERATIONS = 1000',
    noticedBy: [
      `${others} › A hasher with parameters below the lowest is refused at construction`,
      `${others} › A hasher refuses salt strings with parameters out of range or of other schemes`,
    ],
  },
  {
    id: 'A-11.4.2',
    what: 'argon2id accepts a single pass',
    file: 'lib/argon2/argon2-hasher.ts',
    find: 'const MIN_PASSES = 2',
    replace: 'const MIN_PASSES = 1',
    noticedBy: [`${others} › A hasher with parameters below the lowest is refused at construction`],
  },
  {
    id: 'A-11.4.2',
    what: 'a plain hash is accepted for short codes',
    file: 'lib/codes/hashers/fast.ts',
    find: 'const MINIMUM_BITS = 112',
    replace: 'const MINIMUM_BITS = 0',
    noticedBy: [`${others} › A hasher with parameters below the lowest is refused at construction`],
  },
  {
    id: 'A-11.4.2',
    what: 'stored parameters are used without a limit',
    file: 'lib/codes/hashers/salt-string.ts',
    find: 'value < min || value > max',
    replace: 'value <= 0',
    noticedBy: [
      `${others} › A hasher refuses salt strings with parameters out of range or of other schemes`,
    ],
  },
  {
    id: 'N-08',
    what: 'stored sets are read with the newest hasher',
    file: 'lib/codes/hashers/hasher.ts',
    find: 'if (!hasher.reads(salt)) continue;',
    replace: '',
    noticedBy: [
      `${others} › Sets of different hashers work side by side, whichever hasher is the newest`,
    ],
  },
  {
    id: 'N-08',
    what: 'bcrypt reads only sets of its own cost',
    file: 'lib/codes/hashers/bcrypt.ts',
    find: 'return stored >= MIN_COST && stored <= MAX_COST',
    replace: 'return stored === cost',
    noticedBy: [
      `${bcrypt} › bcryptHasher reads every cost from 10 to 16, whatever its own cost is`,
      mixed,
    ],
  },
  {
    id: 'N-08',
    what: 'a set does not remember its format',
    file: 'lib/service/compare.ts',
    find: 'const format = config.formats[listed] ?? parseFormat(set.format);',
    replace: 'const [format] = config.formats;',
    noticedBy: [
      `${consume} › A set works after its … changed, as long as the old one is listed`,
      mixed,
    ],
  },
  {
    id: 'N-08',
    what: 'the storage scheme changes between two versions',
    file: 'lib/codes/digests.ts',
    find: "const VERSION = 'passport-backup-code/v1'",
    replace: "const VERSION = 'passport-backup-code/v2'",
    noticedBy: [
      `${vectors} › Each code of a stored set is accepted under its own id; an invalid one is not`,
    ],
  },
  {
    id: 'N-09',
    what: 'every set is read with the newest pepper',
    file: 'lib/codes/pepper.ts',
    find: 'peppers.get(pepperId)',
    replace: 'newest',
    noticedBy: [
      `${pepper} › New sets have the newest pepper, and sets of all listed peppers are read`,
      'test/docs/pepper-rotation.test.ts › Each printed code works until its pepper is dropped',
    ],
  },
  {
    id: 'N-09',
    what: 'an attacker who can write the database can strip the pepper',
    file: 'lib/codes/pepper.ts',
    find: 'peppers.get(pepperId)',
    replace: 'peppers.get(pepperId) ?? (pepperId === null ? NO_PEPPER : undefined)',
    noticedBy: [
      `${pepper} › Sets without a pepper are refused once there is one: it may have been removed`,
    ],
  },
  {
    id: 'N-09',
    what: 'a wrong key under the right pepper id makes every code invalid',
    file: 'lib/codes/pepper.ts',
    find: 'if (checkOf(pepper.key, binding) !== check)',
    replace: 'if (false)',
    noticedBy: [`${pepper} › A set is refused before any hash, without a charged attempt, if …`],
  },
  {
    id: 'N-09',
    what: 'sets from before the first pepper are refused',
    file: 'lib/codes/pepper.ts',
    find: 'return NO_PEPPER;\n',
    replace: "return { id: 'none', key: NO_PEPPER.key };\n",
    noticedBy: [
      `${pepper} › Sets without a pepper are accepted while the pepper "none" ends the list`,
    ],
  },
  {
    id: 'N-09',
    what: 'a short pepper key is accepted',
    file: 'lib/codes/pepper.ts',
    find: 'const MIN_KEY_BYTES = 32',
    replace: 'const MIN_KEY_BYTES = 16',
    noticedBy: [`${pepper} › The option pepper is refused with …`],
  },
  {
    id: 'C-15',
    what: 'bcrypt truncates its input at 72 bytes',
    file: 'lib/codes/hashers/bcrypt.ts',
    find: 'Buffer.byteLength(code) <= MAX_INPUT_BYTES',
    replace: 'true',
    noticedBy: [
      `${bcrypt} › bcryptHasher cuts nothing off: inputs that differ after 72 bytes differ`,
      `${bcrypt} › bcryptHasher cuts nothing off 40 characters of two bytes`,
    ],
  },
  {
    id: 'C-15',
    what: 'scrypt truncates its input at 72 characters',
    file: 'lib/codes/hashers/scrypt.ts',
    find: 'scrypt(code, salt, HASH_BYTES',
    replace: 'scrypt(code.slice(0, 72), salt, HASH_BYTES',
    noticedBy: [`${others} › A hasher distinguishes inputs that differ after 72 bytes`],
  },
  {
    id: 'A-11.2.4',
    what: 'the comparison stops at the first match',
    file: 'lib/codes/digests.ts',
    find: 'match = isEqual ? record : match',
    replace: 'if (isEqual) return record',
    noticedBy: [`${scheme} › Every record is compared in constant time: …`],
  },
  {
    id: 'A-11.2.4',
    what: 'digests are compared as strings',
    file: 'lib/codes/digests.ts',
    find: `timingSafeEqual(
      expected,`,
    replace: '((one: Buffer, other: Buffer) => one.equals(other))(expected,',
    noticedBy: [`${scheme} › Every record is compared in constant time: …`],
  },
  {
    id: 'A-11.2.4',
    what: 'a digest of another length makes the comparison throw',
    file: 'lib/codes/digests.ts',
    find: 'stored.length === expected.length ? stored : Buffer.alloc(expected.length)',
    replace: 'stored',
    noticedBy: [`${scheme} › A digest that is … matches nothing and throws nothing`],
  },
  {
    id: 'K-09',
    what: 'a set can hold a code twice',
    file: 'lib/codes/generate.ts',
    find: 'return [...codes]',
    replace: "return [...codes].map((_, place, all) => all[place - (place % 2)] ?? '')",
    noticedBy: [
      `${generate} › As many distinct codes as asked for are drawn, of the alphabet and the length`,
      `${generate} › A code that the set has already is not drawn twice`,
    ],
  },
];
