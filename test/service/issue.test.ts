import crypto from 'node:crypto';
import { bcryptHasher, defineFormat, formats, type Format, type Hasher } from '../../lib';
import { readCode } from '../../lib/codes/read-code';
import { DAY_MS, START } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import {
  asOneUser,
  openService,
  openServiceForBoth,
  serviceOn,
  WRONG_ON_BOTH,
} from '../helpers/service';
import { memory, onEachStore } from '../helpers/stores';

const pepper = [{ id: '2026', key: crypto.randomBytes(32) }];

/** The forms in which a secret could be stored. */
function forms(secret: string): string[] {
  const plain = [secret, secret.replace(/[^A-Za-z0-9]/g, '')];
  const texts = plain
    .flatMap((text) => [text, Array.from(text).reverse().join('')])
    .flatMap((text) => [text, text.toLowerCase(), text.toUpperCase()]);
  return [
    ...new Set(
      texts.flatMap((text) => [
        text,
        Buffer.from(text).toString('base64').replace(/=+$/, ''),
        Buffer.from(text).toString('base64url'),
        Buffer.from(text).toString('hex'),
        Buffer.from(text, 'utf16le').toString('latin1'),
      ]),
    ),
  ];
}

onEachStore('issuing a set', (open) => {
  it('Issuing returns ten different codes and the times of the set', async () => {
    const { backupCodes, written } = await openService(open);
    const issued = await backupCodes.issue('ada');
    expect(Object.keys(issued).sort()).toEqual(['codes', 'createdAt', 'expiresAt', 'setId']);
    expect(issued).toMatchObject({
      setId: expect.stringMatching(/^[0-9a-f]{32}$/),
      createdAt: START,
      expiresAt: START + 365 * DAY_MS,
    });
    expect(issued.codes).toHaveLength(10);
    expect(new Set(issued.codes).size).toBe(10);
    for (const code of issued.codes) expect(code).toMatch(/^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/);
    expect(await written()).toHaveLength(1);
  });

  it('The event of an issued set has user, time, set, count, actor and origin', async () => {
    const { backupCodes, received, written } = await openService(open);
    const { setId } = await backupCodes.issue(42, {
      ip: '192.0.2.1',
      userAgent: 'Firefox',
      requestId: 'r-1',
      actor: 'support-7',
    });
    const context = {
      ip: '192.0.2.1',
      userAgent: 'Firefox',
      requestId: 'r-1',
      actor: 'support-7',
      channel: 'second_factor',
    };
    expect(received).toEqual([
      {
        id: expect.any(String),
        type: 'issued',
        at: START,
        userId: '42',
        namespace: null,
        setId,
        codeId: null,
        reason: null,
        remaining: 10,
        total: 10,
        consumedSecondsAgo: null,
        refusals: null,
        details: null,
        context,
      },
    ]);
    expect(await written()).toEqual(received);
  });

  it.each<[string, Format]>([
    ...Object.entries(formats),
    [
      'of the app',
      defineFormat({
        alphabet: 'abcdefghjkmnpqrstvwxyz',
        length: 10,
        groupSize: 5,
        separator: ' ',
      }),
    ],
  ])('Codes are issued in the format %s, and each of them works', async (_name, format) => {
    const { backupCodes } = await openService(open, { format, pepper });
    const { codes } = await backupCodes.issue('ada');
    for (const code of codes) {
      expect(code).toHaveLength(
        format.length + format.separator.length * (Math.ceil(format.length / format.groupSize) - 1),
      );
      expect(readCode(format, code)).not.toBeNull();
    }
    for (const [used, code] of codes.entries())
      expect(await backupCodes.consume('ada', code)).toMatchObject({
        ok: true,
        remaining: 9 - used,
      });
  });

  it.each([1, 16, 32])('A set can have %d codes', async (count) => {
    const { backupCodes, hasher } = await openService(open, { count });
    const { codes } = await backupCodes.issue('ada');
    expect(new Set(codes).size).toBe(count);
    expect(hasher.count).toBe(count);
    expect(await backupCodes.status('ada')).toMatchObject({ total: count, remaining: count });
  });

  it('A set can have no expiry', async () => {
    const { backupCodes, clock } = await openService(open, { expiresAfterDays: null });
    const { codes, expiresAt } = await backupCodes.issue('ada');
    expect(expiresAt).toBeNull();
    clock.advance(50 * 365 * DAY_MS);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, expiresAt: null });
  });

  it('The store holds no code and no pepper, in any form', async () => {
    const opened = await open();
    const { backupCodes } = serviceOn(opened, { pepper });
    const issued = await backupCodes.issue('ada');
    const staged = await backupCodes.stage('ada');
    await backupCodes.consume('ada', issued.codes[0]);
    await backupCodes.consume('ada', 'WRNG-WRNG');
    const dump = opened.dump();
    expect(dump).toContain(issued.setId);
    for (const secret of [...issued.codes, ...staged.codes, 'WRNG-WRNG']) {
      for (const form of forms(secret)) expect(dump).not.toContain(form);
    }
    for (const encoding of ['hex', 'base64', 'latin1'] as const)
      expect(dump).not.toContain(pepper[0]?.key.toString(encoding).replace(/=+$/, ''));
  });

  it('A new set ends the one before, and resets the attempt counters', async () => {
    const { backupCodes, charged } = await openServiceForBoth(open);
    const old = await backupCodes.issue('ada');
    for (const channel of ['second_factor', 'recovery'] as const)
      await backupCodes.consume('ada', WRONG_ON_BOTH, { channel });
    expect(await charged('ada')).toBe(1);
    const fresh = await backupCodes.issue('ada');
    expect(await charged('ada')).toBe(0);
    expect(await backupCodes.consume('ada', old.codes[0])).toEqual({
      ok: false,
      reason: 'mismatch',
    });
    expect(await backupCodes.consume('ada', fresh.codes[0])).toMatchObject({
      ok: true,
      setId: fresh.setId,
    });
  });

  it('A new set erases the salts and digests of the one before', async () => {
    const opened = await open();
    const { backupCodes, watched } = serviceOn(opened);
    const replace = jest.spyOn(watched.store, 'replace');
    await backupCodes.issue('ada');
    const [{ codes }] = replace.mock.calls[0]!;
    for (const { salt, digest } of codes) {
      expect(opened.dump()).toContain(salt);
      expect(opened.dump()).toContain(digest);
    }
    await backupCodes.issue('ada');
    for (const { salt, digest } of codes) {
      expect(opened.dump()).not.toContain(salt);
      expect(opened.dump()).not.toContain(digest);
    }
  });

  it('Each user has a set of their own', async () => {
    const { backupCodes } = await openService(open);
    const [ada, bob] = [await backupCodes.issue('ada'), await backupCodes.issue('bob')];
    expect(await backupCodes.consume('bob', ada.codes[0])).toEqual({
      ok: false,
      reason: 'mismatch',
    });
    expect(await backupCodes.consume('ada', ada.codes[0])).toMatchObject({ ok: true });
    expect(await backupCodes.consume('bob', bob.codes[0])).toMatchObject({ ok: true });
  });

  it('Of ten sets issued at once exactly one works', async () => {
    const { backupCodes } = await openService(open, { attempts: { free: 50 } });
    const sets = await asOneUser(10, () => backupCodes.issue('ada'));
    const outcomes = await asOneUser(10, (nth) => backupCodes.consume('ada', sets[nth]!.codes[0]));
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
    expect(outcomes.filter((outcome) => !outcome.ok && outcome.reason === 'mismatch')).toHaveLength(
      9,
    );
  });
});

describe('a set that cannot be made', () => {
  it('Without random bytes from the operating system no set is stored', async () => {
    const { backupCodes, watched } = await openService(memory.open);
    const { codes } = await backupCodes.issue('ada');
    watched.reset();
    const random = jest.spyOn(crypto, 'randomBytes').mockImplementation(() => {
      throw new Error('no entropy');
    });
    await expect(backupCodes.issue('ada')).rejects.toThrow('no entropy');
    await expect(backupCodes.stage('ada')).rejects.toThrow('no entropy');
    random.mockRestore();
    expect(watched.calls).toEqual([]);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
  });

  it.each<[string, () => unknown]>([
    ['rejects', () => Promise.reject(new Error('hash failed'))],
    [
      'throws',
      () => {
        throw new Error('hash failed');
      },
    ],
    ['returns undefined', () => undefined],
    ['returns a string', () => 'x'.repeat(60)],
    ['returns 15 bytes', () => Buffer.alloc(15)],
  ])('If the hasher %s, no set is stored', async (_how, hash) => {
    const hasher = {
      newSalt: () => '$odd$',
      reads: (salt: string) => salt === '$odd$',
      hash,
    } as unknown as Hasher;
    const { backupCodes, watched, received } = await openService(memory.open, { hasher });
    await expect(backupCodes.issue('ada')).rejects.toThrow(
      /hash failed|A hasher must return 16 bytes or more/,
    );
    expect(watched.calls).toEqual([]);
    expect(received).toEqual([]);
    expect(await backupCodes.status('ada')).toBeNull();
  });

  it('When the hash queue is full, issuing is refused as busy and stores nothing', async () => {
    let finish: (hash: Buffer) => void = () => undefined;
    const hash = (): Promise<Buffer> => new Promise((resolve) => (finish = resolve));
    const { backupCodes, watched } = await openService(memory.open, {
      count: 1,
      hasher: { newSalt: () => '$odd$', reads: () => true, hash },
      hashConcurrency: 1,
      maxQueuedHashes: 0,
    });
    const first = backupCodes.issue('ada');
    await expect(backupCodes.issue('bob')).rejects.toEqual(failure('busy'));
    await expect(backupCodes.stage('bob')).rejects.toEqual(failure('busy'));
    expect(watched.calls).toEqual([]);
    finish(Buffer.alloc(16));
    expect((await first).codes).toHaveLength(1);
  });
});

describe('the hashes of a set', () => {
  it('The hashes of a set use one place, and logins run between them', async () => {
    const order: string[] = [];
    let name = 'set';
    const hasher: Hasher = {
      newSalt: () => '$odd$',
      reads: (salt) => salt === '$odd$',
      hash: async (code) => {
        order.push(name === 'login' && code === 'A'.repeat(16) ? 'login' : 'set');
        await new Promise((resolve) => setImmediate(resolve));
        return crypto.createHash('sha256').update(code).digest();
      },
    };
    const { backupCodes } = await openServiceForBoth(memory.open, { hasher, hashConcurrency: 1 });
    const issuing = backupCodes.issue('ada');
    name = 'login';
    const login = backupCodes.consume('bob', WRONG_ON_BOTH, { channel: 'recovery' });
    await Promise.all([issuing, login]);
    expect(order).toHaveLength(11);
    expect(order.indexOf('login')).toBeLessThanOrEqual(2);
  });

  it('The hashes of a set run before waiting attempts on unknown names', async () => {
    const hashed: string[] = [];
    const finish: (() => void)[] = [];
    const hasher: Hasher = {
      newSalt: () => '$odd$',
      reads: (salt) => salt === '$odd$',
      hash: (code) =>
        new Promise((resolve) => {
          hashed.push(code);
          finish.push(() => resolve(crypto.createHash('sha256').update(code).digest()));
        }),
    };
    const { backupCodes } = await openServiceForBoth(memory.open, {
      hasher,
      hashConcurrency: 1,
      count: 1,
    });
    const settle = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
    const strangers = [WRONG_ON_BOTH, 'BBBB-BBBB-BBBB-BBBB'].map((code) =>
      backupCodes.rejectUnknownUser('eve', code, { channel: 'recovery' }),
    );
    await settle();
    const issuing = backupCodes.issue('ada');
    for (let n = 0; n < 3; n += 1) {
      await settle();
      finish.shift()?.();
    }
    const {
      codes: [code],
    } = await issuing;
    await Promise.all(strangers);
    expect(hashed).toEqual(['A'.repeat(16), code!.replaceAll('-', ''), 'B'.repeat(16)]);
  });

  it('Codes are hashed by the newest hasher that accepts codes of their length', async () => {
    const exact = Object.assign(countingHasher('exact'), { minimumBits: formats.standard.bits });
    const other = countingHasher();
    const { backupCodes } = await openService(memory.open, { hasher: [exact, other] });
    await backupCodes.adopt('ada', ['BBBB-BBBB'], { format: formats.standard });
    expect([exact.count, other.count]).toEqual([1, 0]);
  });

  it('bcrypt does not block the event loop', async () => {
    const { backupCodes } = await openService(memory.open, {
      count: 4,
      hasher: bcryptHasher({ cost: 10 }),
    });
    let ticks = 0;
    const ticking = setInterval(() => (ticks += 1), 5);
    await backupCodes.issue('ada');
    clearInterval(ticking);
    // A hash takes 50 ms or more. On the event loop there would be at most one tick between two of
    // them.
    expect(ticks).toBeGreaterThan(8);
  });
});
