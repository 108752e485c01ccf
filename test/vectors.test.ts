// A set that a released version stored verifies for ever. The vectors are recomputed from their description, and read
// and consumed by the product.
import { BackupCodes, defineFormat, formats, MemoryStore, type Pepper } from '../lib';
import { auditEvent } from '../lib/events';
import { parseFormat, readCode, showCode } from '../lib/formats';
import { userSubject } from '../lib/subject';
import { countingHasher } from './helpers/counting-hasher';
import { failure } from './helpers/errors';
import { check, derive, stretch } from './vectors/make';
import reading from './vectors/reading-v1.json';
import vectors from './vectors/sets-v1.json';

type StoredSet = (typeof vectors.sets)[number];

const CREATED_AT = Date.UTC(2026, 10, 21);
const own = defineFormat({ alphabet: '0123456789abcdefghijklmnopqrstuvwxyz', length: 13, groupSize: 4, separator: '.' });

function peppers({ pepper }: StoredSet): Pepper[] {
  return pepper ? [{ id: pepper.id, key: Buffer.from(pepper.key, 'hex') }] : [];
}

/** The product of another time: another slow hash and another format, the set's own no more than read. */
async function serviceWith(set: StoredSet, { userId = set.userId, pepper = peppers(set), codes = set.codes } = {}): Promise<BackupCodes> {
  const store = new MemoryStore();
  const subject = userSubject(userId);
  const { setId, format, salt } = set;
  const context = { ip: null, userAgent: null, requestId: null, actor: null, after: 'first-factor' } as const;
  await store.replace({
    subject,
    header: { setId, format, salt, pepperId: set.pepper?.id ?? null, check: set.check, total: codes.length, createdAt: CREATED_AT, expiresAt: null },
    codes: codes.map(({ codeId, salt: codeSalt, digest }) => ({ codeId, salt: codeSalt, digest })),
    event: auditEvent('issued', { at: CREATED_AT, userId, context }),
    now: CREATED_AT,
  });
  return new BackupCodes({ store, pepper, hasher: countingHasher(), format: [formats.recovery, formats.standard, formats.long, formats.numeric, formats.hex, own], now: () => CREATED_AT });
}

describe.each(vectors.sets.map((set): [string, StoredSet] => [set.name, set]))('the stored set "%s"', (_name, set) => {
  it('is what its description gives', () => {
    expect(check(set)).toBe(set.check);
    for (const code of set.codes) expect(derive(set, code)).toEqual({ keyed: code.keyed, digest: code.digest });
  });

  it('shows its codes as they were printed', () => {
    for (const { shown, symbols } of set.codes) expect(showCode(parseFormat(set.format), symbols)).toBe(shown);
  });

  it('accepts its codes, each by its own name, and no wrong one', async () => {
    const backupCodes = await serviceWith(set);
    const [first, second] = set.codes as [StoredSet['codes'][0], StoredSet['codes'][0]];
    const [wrong] = set.wrong as [string];
    expect(await backupCodes.consume(set.userId, wrong)).toEqual({ ok: false, reason: 'mismatch' });
    expect(await backupCodes.consume(set.userId, first.shown)).toMatchObject({ ok: true, codeId: first.codeId, setId: set.setId, remaining: 1 });
    expect(await backupCodes.consume(set.userId, ` ${second.symbols.toUpperCase()}\u2014`)).toMatchObject({ ok: true, codeId: second.codeId, remaining: 0 });
  });

  it('is unreadable for another user, whoever moved it there', async () => {
    const backupCodes = await serviceWith(set, { userId: `${set.userId}2` });
    await expect(backupCodes.consume(`${set.userId}2`, set.codes[0]?.shown)).rejects.toEqual(failure('wrong_pepper'));
  });

  it('is unreadable under another pepper, or with one where it had none', async () => {
    const other = await serviceWith(set, { pepper: [{ id: set.pepper?.id ?? 'new', key: Buffer.alloc(32, 1) }] });
    await expect(other.consume(set.userId, set.codes[0]?.shown)).rejects.toEqual(failure(set.pepper ? 'wrong_pepper' : 'unknown_pepper'));
  });
});

it('the slow hash of a stored set is what bcrypt puts behind the salt string', async () => {
  const [set] = vectors.sets as [StoredSet];
  for (const code of set.codes) expect(await stretch(set, code)).toBe(code.stretched);
});

it('the digest of a code does not verify in the place of another', async () => {
  const [set] = vectors.sets as [StoredSet];
  const [first, second] = set.codes as [StoredSet['codes'][0], StoredSet['codes'][0]];
  const backupCodes = await serviceWith(set, { codes: [{ ...first, digest: second.digest }, { ...second, digest: first.digest }] });
  expect(await backupCodes.consume(set.userId, first.shown)).toEqual({ ok: false, reason: 'mismatch' });
  expect(await backupCodes.consume(set.userId, second.shown)).toEqual({ ok: false, reason: 'mismatch' });
});

it('the vectors hold bcrypt of cost 10 and 12, with and without a pepper, and all formats of the package', () => {
  const kinds = vectors.sets.map(({ salt, pepper }) => `${salt.slice(0, 7)} ${pepper ? 'pepper' : 'none'}`);
  expect([...new Set(kinds)].sort()).toEqual(['$2b$10$ none', '$2b$10$ pepper', '$2b$12$ none', '$2b$12$ pepper']);
  const stored = vectors.sets.map(({ format }) => parseFormat(format));
  for (const format of Object.values(formats)) expect(stored).toContainEqual(format);
});

describe.each(reading.formats.map((format): [string, (typeof reading.formats)[number]] => [format.name, format]))('typed codes of the format "%s"', (_name, { format, reads, refuses }) => {
  const parsed = parseFormat(format);

  it.each(reads)('%j is read as %s', (typed, symbols) => {
    expect(readCode(parsed, typed)).toBe(symbols);
  });

  it.each(refuses)('%j is refused', (typed) => {
    expect(readCode(parsed, typed)).toBeNull();
  });
});
