// On the recovery channel a code is the only proof, so codes of fewer than 64 bits are never
// accepted there: by no configuration, and of no stored set.
import { defineFormat, formats, type BackupCodesOptions, type Outcome } from '../../lib';
import { failure } from '../helpers/errors';
import { openService, serviceOn, WRONG, type Service } from '../helpers/service';
import { memory, onEachStore } from '../helpers/stores';

const DIGITS = '0123456789';
/** 16 symbols each: 53 bits and 64 bits. Each code of the first also reads as one of the second. */
const DIGITS_53 = defineFormat({ alphabet: DIGITS, length: 16, groupSize: 4 });
const HEX_64 = defineFormat({ alphabet: `${DIGITS}abcdef`, length: 16, groupSize: 4 });
const BOTH: Partial<BackupCodesOptions> = { format: [formats.recovery, formats.standard] };

const recovery = { channel: 'recovery' } as const;
const malformed: Outcome = { ok: false, reason: 'malformed' };

type Attempt = (service: Service, code: unknown) => Promise<Outcome>;
const attempts: [string, Attempt][] = [
  ['a user', ({ backupCodes }, code) => backupCodes.consume('ada', code, recovery)],
  [
    'an unknown name',
    ({ backupCodes }, code) => backupCodes.rejectUnknownUser('eve', code, recovery),
  ],
];

onEachStore('codes of fewer than 64 bits on the recovery channel', (open) => {
  it('a code of 40 bits is malformed on the recovery channel, costs nothing, and works after a first factor', async () => {
    const opened = await open();
    const { codes } = await serviceOn(opened).backupCodes.issue('ada');
    const service = serviceOn(opened, BOTH);
    const { backupCodes, hasher, charged, watched } = service;
    for (const [, attempt] of attempts) expect(await attempt(service, codes[0])).toEqual(malformed);
    expect([hasher.count, watched.calls, await charged('ada')]).toEqual([0, [], 0]);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
  });

  it('a code of 80 bits works on the recovery channel beside a shorter format', async () => {
    const { backupCodes } = await openService(open, BOTH);
    const { codes } = await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', codes[0], recovery)).toMatchObject({ ok: true });
  });

  it.each([
    ['that is still listed', [HEX_64, DIGITS_53]],
    ['that is no longer listed', [HEX_64]],
  ])(
    'a set of a shorter format %s is not opened by a code that also reads as a longer one',
    async (_what, format) => {
      const opened = await open();
      const { codes } = await serviceOn(opened, { format: DIGITS_53 }).backupCodes.issue('ada');
      const { backupCodes, hasher } = serviceOn(opened, { format });
      expect(await backupCodes.consume('ada', codes[0], recovery)).toEqual({
        ok: false,
        reason: 'mismatch',
      });
      expect(hasher.count).toBe(1);
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    },
  );

  it('an adopted set of a shorter format is not opened on the recovery channel', async () => {
    const { backupCodes, charged } = await openService(open, BOTH);
    const codes = ['BCDF-GHJK', 'BCDF-GHJM'];
    expect(await backupCodes.adopt('ada', codes, { format: formats.standard })).toBe(true);
    expect(await backupCodes.consume('ada', codes[0], recovery)).toEqual(malformed);
    expect(await charged('ada')).toBe(0);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 1 });
  });

  it.each(attempts)(
    'an attempt by %s does the same work if the set has a shorter format',
    async (_who, attempt) => {
      const opened = await open();
      await serviceOn(opened).backupCodes.issue('ada');
      const service = serviceOn(opened, BOTH);
      const outcome = await attempt(service, 'AAAA-AAAA-AAAA-AAAA');
      expect(outcome.ok).toBe(false);
      const { hasher, watched } = service;
      expect([hasher.count, watched.calls.filter((method) => method !== 'nameKey')]).toEqual([
        1,
        ['takeAttempt', 'append'],
      ]);
    },
  );
});

describe('a service that reads no format of 64 bits', () => {
  it.each(attempts)(
    'an attempt by %s on the recovery channel is an error that names the fix, before an attempt is taken',
    async (_who, attempt) => {
      for (const format of [formats.standard, [DIGITS_53, formats.hex]]) {
        const service = await openService(memory.open, { format });
        for (const code of [WRONG, 'AAAA-AAAA-AAAA-AAAA', '', null]) {
          const call = attempt(service, code);
          await expect(call).rejects.toEqual(failure('invalid_format'));
          await expect(call).rejects.toThrow('format: formats.recovery');
        }
        expect([service.hasher.count, service.watched.calls]).toEqual([0, []]);
      }
    },
  );

  it('the error says how many bits the longest format has', async () => {
    const { backupCodes } = await openService(memory.open, { format: [formats.hex, DIGITS_53] });
    await expect(backupCodes.consume('ada', WRONG, recovery)).rejects.toThrow(
      'the longest format of this BackupCodes has 53.15 bits',
    );
  });
});
