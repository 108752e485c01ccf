// With `replaceConsumed: true` each consumed code is replaced by a new one.
import crypto from 'node:crypto';
import { formats, type BackupCodesOptions } from '../../lib';
import { atOnce, openService, serviceOn, WRONG } from '../helpers/service';
import { memory, onEachStore } from '../helpers/stores';
import { storeFault } from '../helpers/watched-store';

const options: Partial<BackupCodesOptions> = { replaceConsumed: true, attempts: { free: 50 } };

onEachStore('replacements', (open) => {
  it('A consumed code returns a replacement, which works once', async () => {
    const { backupCodes } = await openService(open, options);
    const { setId, codes, expiresAt } = await backupCodes.issue('ada');
    let typed = codes[0];
    for (let n = 1; n <= 15; n += 1) {
      const outcome = await backupCodes.consume('ada', typed);
      expect(outcome).toEqual({
        ok: true,
        remaining: 10,
        total: 10 + n,
        low: false,
        repeated: false,
        setId,
        codeId: expect.any(String),
        expiresAt,
        replacement: expect.stringMatching(/^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/),
      });
      expect(await backupCodes.consume('ada', typed)).toEqual({ ok: false, reason: 'reused' });
      typed = (outcome as { replacement?: string }).replacement;
    }
    for (const code of codes.slice(1))
      expect(await backupCodes.consume('ada', code)).toMatchObject({ ok: true, remaining: 10 });
  });

  it('A replacement is reported as `renewed`, and never as `low` or `exhausted`', async () => {
    const { backupCodes, received, written } = await openService(open, {
      ...options,
      count: 1,
      lowAt: 1,
    });
    const { codes } = await backupCodes.issue('ada');
    const outcome = await backupCodes.consume('ada', codes[0]);
    expect(received.slice(1).map(({ type, remaining, total }) => [type, remaining, total])).toEqual(
      [
        ['consumed', 1, 2],
        ['renewed', 1, 2],
      ],
    );
    expect(received[2]?.codeId).toMatch(/^[0-9a-f]{32}$/);
    expect(received[2]?.codeId).not.toBe(received[1]?.codeId);
    expect(await written()).toEqual(received);
    for (const code of [codes[0], (outcome as { replacement?: string }).replacement])
      expect(JSON.stringify(received)).not.toContain(code);
  });

  it('A replacement has the format of its set, whichever format is the newest', async () => {
    const opened = await open();
    const older = serviceOn(opened, { ...options, format: formats.hex });
    const { codes } = await older.backupCodes.issue('ada');
    const newer = serviceOn(opened, { ...options, format: [formats.standard, formats.hex] });
    const outcome = await newer.backupCodes.consume('ada', codes[0]);
    expect(outcome).toMatchObject({
      ok: true,
      replacement: expect.stringMatching(/^[0-9a-f]{5}-[0-9a-f]{5}$/),
    });
    expect(
      await newer.backupCodes.consume('ada', (outcome as { replacement?: string }).replacement),
    ).toMatchObject({ ok: true });
  });

  it('A replacement costs a second slow hash, and only after a valid code', async () => {
    const { backupCodes, hasher } = await openService(open, options);
    const { codes } = await backupCodes.issue('ada');
    const costOf = async (typed: unknown): Promise<number> => {
      hasher.count = 0;
      await backupCodes.consume('ada', typed);
      return hasher.count;
    };
    expect([await costOf(codes[0]), await costOf(codes[0]), await costOf(WRONG)]).toEqual([
      2, 1, 1,
    ]);
  });

  it('After `maxReplacements` consumed codes the set counts down, and says that it is low', async () => {
    const { backupCodes, received, hasher } = await openService(open, {
      ...options,
      maxReplacements: 2,
      count: 4,
      lowAt: 1,
    });
    const { codes } = await backupCodes.issue('ada');
    const replacements: string[] = [];
    for (const code of codes.slice(0, 2)) {
      const outcome = await backupCodes.consume('ada', code);
      expect(outcome).toMatchObject({ ok: true, remaining: 4, low: false });
      replacements.push((outcome as { replacement: string }).replacement);
    }
    expect(await backupCodes.status('ada')).toMatchObject({ remaining: 4, total: 6, low: false });
    const left = [...codes.slice(2), ...replacements];
    for (const [n, code] of left.entries()) {
      hasher.count = 0;
      const outcome = await backupCodes.consume('ada', code);
      expect(outcome).toMatchObject({ ok: true, remaining: 3 - n, total: 6, low: true });
      expect([Object.keys(outcome).includes('replacement'), hasher.count]).toEqual([false, 1]);
      expect(await backupCodes.status('ada')).toMatchObject({ remaining: 3 - n, low: true });
    }
    expect(received.slice(1).map(({ type }) => type)).toEqual([
      ...['consumed', 'renewed', 'consumed', 'renewed'],
      ...['consumed', 'consumed', 'consumed', 'low', 'consumed', 'exhausted'],
    ]);
    await backupCodes.issue('ada');
    expect(await backupCodes.status('ada')).toMatchObject({ remaining: 4, low: false });
  });

  it('By default a hundred codes of a set are replaced', async () => {
    const { backupCodes } = await openService(open, { ...options, count: 1, lowAt: 0 });
    const { codes } = await backupCodes.issue('ada');
    let typed = codes[0];
    for (let n = 1; n <= 100; n += 1) {
      const outcome = await backupCodes.consume('ada', typed);
      expect(outcome).toMatchObject({ ok: true, remaining: 1, total: 1 + n, low: false });
      typed = (outcome as { replacement?: string }).replacement;
    }
    expect(await backupCodes.consume('ada', typed)).toMatchObject({
      ok: true,
      remaining: 0,
      total: 101,
      low: true,
    });
  });

  it('Of fifty callers with one code exactly one receives a replacement', async () => {
    const { backupCodes } = await openService(open, options);
    const { codes } = await backupCodes.issue('ada');
    const outcomes = await atOnce(50, () => backupCodes.consume('ada', codes[0]));
    expect(
      outcomes.filter((outcome) => outcome.ok && outcome.replacement !== undefined).length,
    ).toBe(1);
    expect(await backupCodes.status('ada')).toMatchObject({ remaining: 10, total: 11 });
  });
});

describe('replacements', () => {
  it('A replacement is never a code that the set has or had', async () => {
    const { backupCodes } = await openService(memory.open, options);
    const bytes = (symbol: number): Buffer => Buffer.alloc(8, symbol);
    const { codes } = await withRandom([...Array.from({ length: 10 }, (_, n) => bytes(n))], () =>
      backupCodes.issue('ada'),
    );
    expect(codes.slice(0, 2)).toEqual(['AAAA-AAAA', 'BBBB-BBBB']);
    const outcome = await withRandom([bytes(0), bytes(1), bytes(20)], () =>
      backupCodes.consume('ada', 'AAAA-AAAA'),
    );
    expect(outcome).toMatchObject({ ok: true, remaining: 10, replacement: 'WWWW-WWWW' });
    expect(await backupCodes.consume('ada', 'AAAA-AAAA')).toEqual({ ok: false, reason: 'reused' });
  });

  it('If no replacement can be made, neither the attempt nor the code is spent', async () => {
    const { backupCodes, hasher, charged } = await openService(memory.open, options);
    const { codes } = await backupCodes.issue('ada');
    const { hash } = hasher;
    const fault = new Error('out of memory');
    let hashes = 0;
    hasher.hash = (code, salt) => {
      hashes += 1;
      return hashes % 2 === 0 ? Promise.reject(fault) : hash(code, salt);
    };
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(backupCodes.consume('ada', codes[0])).rejects.toBe(fault);
      expect(await charged('ada')).toBe(0);
    }
    hasher.hash = hash;
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 10 });
  });

  it('A replacement whose consumption failed does not work, and the old code does', async () => {
    const { backupCodes, watched, written } = await openService(memory.open, options);
    const { codes } = await backupCodes.issue('ada');
    watched.failAt(2, 'before');
    await expect(backupCodes.consume('ada', codes[0])).rejects.toBe(storeFault);
    watched.reset();
    expect(await written()).toHaveLength(1);
    expect(await backupCodes.status('ada')).toMatchObject({ remaining: 10, total: 10 });
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
  });
});

/**
 * Draws codes from these bytes, eight at a time. Ids and salts still come from the operating
 * system.
 */
async function withRandom<T>(drawn: Buffer[], work: () => Promise<T>): Promise<T> {
  const real = crypto.randomBytes.bind(crypto) as (size: number) => Buffer;
  const spy = jest
    .spyOn(crypto, 'randomBytes')
    .mockImplementation((size: number) => (size === 8 && drawn.shift()) || real(size));
  try {
    return await work();
  } finally {
    spy.mockRestore();
  }
}
