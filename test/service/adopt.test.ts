import { BackupCodes, defineFormat, fastHasher, formats, type Format } from '../../lib';
import { asOneUser, openService, serviceOn, WRONG } from '../helpers/service';
import { memory, onEachStore } from '../helpers/stores';

/** The format in which an older package printed codes. */
const OLD = defineFormat({
  alphabet: '0123456789abcdef',
  length: 10,
  groupSize: 10,
  separator: '-',
});
const PRINTED = ['0123456789', 'fedcba9876', '00ff00ff00'];
const options = { format: [formats.standard, OLD] };

onEachStore('adopt', (open) => {
  it('An adopted list is a set: each code works once, however it is typed', async () => {
    const { backupCodes, hasher, written, received } = await openService(open, options);
    expect(
      await backupCodes.adopt('ada', PRINTED, { format: OLD, context: { actor: 'migration' } }),
    ).toBe(true);
    expect(hasher.count).toBe(3);
    expect(await backupCodes.status('ada')).toMatchObject({ total: 3, remaining: 3 });
    expect(await backupCodes.consume('ada', 'FEDCB-A9876')).toMatchObject({
      ok: true,
      remaining: 2,
      total: 3,
    });
    expect(await backupCodes.consume('ada', 'fedcba9876')).toEqual({ ok: false, reason: 'reused' });
    const [adopted] = await written();
    expect(adopted).toMatchObject({
      type: 'adopted',
      userId: 'ada',
      remaining: 3,
      total: 3,
      context: { actor: 'migration' },
    });
    expect(received[0]).toEqual(adopted);
  });

  it('Adopting changes nothing and returns false for a user who has or had a set', async () => {
    const { backupCodes, written } = await openService(open, options);
    const {
      codes: [code],
    } = await backupCodes.issue('ada');
    expect(await backupCodes.adopt('ada', PRINTED, { format: OLD })).toBe(false);
    expect(await backupCodes.consume('ada', PRINTED[0])).toEqual({ ok: false, reason: 'mismatch' });
    expect(await backupCodes.consume('ada', code)).toMatchObject({ ok: true });
    await backupCodes.revoke('ada');
    expect(await backupCodes.adopt('ada', PRINTED, { format: OLD })).toBe(false);
    expect((await written()).map(({ type }) => type)).toEqual([
      'issued',
      'rejected',
      'consumed',
      'revoked',
    ]);
  });

  it('A list can be adopted although a staged set was never activated', async () => {
    const { backupCodes } = await openService(open, options);
    const { setId } = await backupCodes.stage('ada');
    expect(await backupCodes.adopt('ada', PRINTED, { format: OLD })).toBe(true);
    expect(await backupCodes.activate('ada', setId)).toBe(false);
  });

  it('Of ten adoptions at once one succeeds, and a new set ends its list', async () => {
    const opened = await open();
    const { backupCodes } = serviceOn(opened, options);
    const adopted = await asOneUser(10, () => backupCodes.adopt('ada', PRINTED, { format: OLD }));
    expect(adopted.filter(Boolean)).toHaveLength(1);
    await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', PRINTED[0])).toEqual({ ok: false, reason: 'mismatch' });
  });

  it.each<[string, unknown, string, Format?]>([
    ['an empty list', [], 'invalid_codes'],
    ['a string in place of a list', '0123456789', 'invalid_codes'],
    [
      'more than 32 codes',
      Array.from({ length: 33 }, (_, n) => String(n).padStart(10, '0')),
      'invalid_codes',
    ],
    ['a code of another format', [...PRINTED, WRONG], 'invalid_codes'],
    ['an empty code', [...PRINTED, ''], 'invalid_codes'],
    ['a code with a mark that may mean "used"', [...PRINTED, '0011223344 \u2713'], 'invalid_codes'],
    ['a code that is not a string', [...PRINTED, 1234567890], 'invalid_codes'],
    ['one code in two spellings', ['0123456789', '01234-56789'], 'invalid_codes'],
    ['a format that this BackupCodes does not read', PRINTED, 'invalid_format', formats.hex],
    ['an invalid format', PRINTED, 'invalid_format', {} as Format],
  ])('Adopting %s is refused and changes nothing', async (_what, codes, code, format = OLD) => {
    const { backupCodes, hasher, watched } = await openService(open, options);
    const error = await backupCodes
      .adopt('ada', codes as string[], { format })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'BackupCodeError', code });
    for (const printed of [...PRINTED, WRONG]) expect(String(error)).not.toContain(printed);
    expect([hasher.count, watched.calls]).toEqual([0, []]);
  });
});

it('A list that is easy to guess is refused, and short codes are hashed slowly', async () => {
  const { store } = await memory.open();
  const digits = defineFormat({ alphabet: '0123456789', length: 6, groupSize: 6, separator: '-' });
  const pepper = [{ id: '2026', key: Buffer.alloc(32, 1) }];
  const service = new BackupCodes({
    store,
    pepper,
    format: [formats.long, OLD, digits],
    hasher: fastHasher(),
  });
  const sixDigits = Array.from({ length: 10 }, (_, n) => `00000${n}`);
  await expect(service.adopt('grace', sixDigits, { format: digits })).rejects.toMatchObject({
    code: 'invalid_format',
  });
  expect(await service.adopt('ada', PRINTED.slice(0, 1), { format: OLD })).toBe(true);
  expect((await service.audit.report()).setsByHasher).toEqual({ $2b$12: 1 });
  expect(await service.consume('ada', PRINTED[0])).toMatchObject({ ok: true });
});
