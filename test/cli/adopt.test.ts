import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { BackupCodes, defineFormat, formats } from '../../lib';
import { adoptCommand } from '../../lib/cli/adopt';
import { Canary } from '../helpers/canary';
import { openService, type Service } from '../helpers/service';
import { memory, onEachStore } from '../helpers/stores';

/** As an older app printed them. */
const OLD = defineFormat({ alphabet: '0123456789abcdef', length: 10 });
const [A, B, C, D] = ['0123456789', 'fedcba9876', '00ff00ff00', 'abcdef0123'] as const;
const CONFIG = ['--config', 'backup-codes.js'];

interface Run {
  readonly code: number | null;
  readonly printed: string[];
  readonly told: string[];
}

/** The command, with a module that exports these and an export of these lines. */
async function run(
  config: object,
  lines: readonly string[],
  args: readonly string[] = CONFIG,
): Promise<Run> {
  const [printed, told, loaded] = [[] as string[], [] as string[], [] as string[]];
  const code = await adoptCommand(args, {
    load: (file) => {
      loaded.push(file);
      return Promise.resolve(config);
    },
    stdin: Readable.from([Buffer.from(lines.join('\n'))]),
    print: (line) => printed.push(line),
    tell: (line) => told.push(line),
  });
  if (code !== null) expect(loaded).toEqual([resolve('backup-codes.js')]);
  return { code, printed, told };
}

/** Nothing that was said tells a code. */
function tellsNoCode({ printed, told }: Run, codes: readonly string[]): void {
  const canary = new Canary();
  for (const code of codes) canary.addCode(code, 'an adopted code');
  expect(canary.findIn([...printed, ...told].join('\n'))).toEqual([]);
}

onEachStore('the command adopt', (open) => {
  let service: Service;
  let config: { backupCodes: BackupCodes; format: typeof OLD };
  beforeEach(async () => {
    service = await openService(open, { format: [formats.standard, OLD] });
    config = { backupCodes: service.backupCodes, format: OLD };
  });
  const works = async (userId: string, code: string): Promise<boolean> =>
    (await service.backupCodes.consume(userId, code)).ok;

  it('takes over JSON lines and lines of fields; each code then works, once', async () => {
    const ran = await run(config, [
      `{"userId":"ada","codes":["${A}","${B}"]}`,
      `grace,${C},${D}`,
      `"o""neil, jr",${A}`,
      '',
      `{"userId":7,"codes":["${D}"]}`,
    ]);
    expect(ran).toEqual({
      code: 0,
      printed: ['adopted 4, kept 0, refused 0, without codes 0'],
      told: [],
    });
    for (const [userId, code] of [
      ['ada', A],
      ['ada', B],
      ['grace', C],
      ['grace', D],
      ['o"neil, jr', A],
      ['7', D],
    ] as const) {
      expect([await works(userId, code), await works(userId, code)]).toEqual([true, false]);
    }
    expect((await service.written())[0]).toMatchObject({
      type: 'adopted',
      userId: 'ada',
      total: 2,
      context: { actor: 'passport-backup-code adopt' },
    });
  });

  it('reads what Windows and spreadsheets write, and empty fields for codes that are gone', async () => {
    const ran = await run(config, [
      `\uFEFFada, ${A} ,,"${B}"\r`,
      '\r',
      `grace,,\r`,
      '{"userId":"alan","codes":[]}',
      '{"userId":"joan","codes":null}',
    ]);
    expect(ran.printed).toEqual(['adopted 1, kept 0, refused 0, without codes 3']);
    expect(await service.backupCodes.status('ada')).toMatchObject({ total: 2 });
    expect(await service.backupCodes.status('grace')).toBeNull();
  });

  it("gathers one user's codes from several lines, since a user is adopted once", async () => {
    expect(
      (await run(config, [`7,${A}`, `8,${A}`, `{"userId":7,"codes":["${B}"]}`, `7,${C}`])).printed,
    ).toEqual(['adopted 2, kept 0, refused 0, without codes 0']);
    expect(await service.backupCodes.status(7)).toMatchObject({ total: 3 });
  });

  it('may be run again: whoever has or had a set is kept', async () => {
    const lines = [`ada,${A},${B}`, `grace,${C}`, `alan,${D}`];
    await service.backupCodes.issue('alan');
    await service.backupCodes.revoke('alan');
    await run(config, lines.slice(0, 1));
    expect(await works('ada', A)).toBe(true);
    expect(await run(config, lines)).toMatchObject({
      code: 0,
      printed: ['adopted 1, kept 2, refused 0, without codes 0'],
    });
    expect([
      await works('ada', A),
      await works('ada', B),
      await works('grace', C),
      await works('alan', D),
    ]).toEqual([false, true, true, false]);
  });

  it('names the lines that it refused and no code, takes over the others, and fails', async () => {
    const tooBig = `{"userId":9007199254740993,"codes":["${D}"]}`;
    const numbers = '{"userId":"joan","codes":[1234567890]}';
    const ran = await run(config, [
      `ada,${A},0123-4567-89ab`,
      `grace,${B}`,
      `alan,${C}`,
      `${'x'.repeat(256)},${D}`,
      tooBig,
      `alan,${C}`,
      numbers,
    ]);
    expect(ran).toMatchObject({
      code: 1,
      printed: [
        'adopted 1, kept 0, refused 5, without codes 0',
        'line 1: Adopted code number 2 is not of the format given.',
        'line 3, 6: Adopted code number 2 is there twice.',
        expect.stringMatching(/^line 4: A user id must be a string of 1 to 255 characters/),
        expect.stringMatching(/^line 5: A user id must be/),
        'line 7: Adopted code number 1 is not of the format given.',
      ],
    });
    tellsNoCode(ran, [A, B, C, D, '0123-4567-89ab']);
    expect([await works('grace', B), await service.backupCodes.status('ada')]).toEqual([
      true,
      null,
    ]);
  });

  it.each([
    '{"userId":"ada","codes":["0123',
    `{"userId":"ada","code":"${A}"}`,
    `{"codes":["${A}"]}`,
    `{"userId":null,"codes":["${A}"]}`,
    `{"userId":"ada","codes":"${A}"}`,
    `,${A}`,
    `"7,${A}`,
    `"7"8,${A}`,
    `7,${A}"${C}`,
  ])(
    'writes nothing at all where a line is unreadable, since it may hold codes of anybody: %s',
    async (line) => {
      const ran = await run(config, [`ada,${B}`, line]);
      expect(ran).toMatchObject({
        code: 1,
        printed: [expect.stringMatching(/^line 2: neither .* Nothing was written\.$/)],
      });
      tellsNoCode(ran, [A, B]);
      expect([service.hasher.count, service.watched.calls]).toEqual([0, []]);
    },
  );

  it('only looks, with --dry-run', async () => {
    await service.backupCodes.issue('joan');
    const before = [service.hasher.count, await service.written()];
    const ran = await run(
      config,
      [`ada,${A}`, `grace,${B},${B}`, `alan,nothing`, `joan,${C}`],
      [...CONFIG, '--dry-run'],
    );
    expect(ran).toMatchObject({
      code: 1,
      printed: [
        'to adopt 1, kept 1, refused 2, without codes 0',
        expect.stringMatching(/^line 2: /),
        expect.stringMatching(/^line 3: /),
      ],
    });
    expect([service.hasher.count, await service.written()]).toEqual(before);
  });

  it('stops where the store fails, says where, and goes on when it is run again', async () => {
    const lines = [`ada,${A}`, `grace,${B}`, `alan,${C}`];
    service.watched.failAt(2, 'before');
    const stopped = [
      'adopted 1, kept 0, refused 0, without codes 0',
      'stopped at line 2: the store is down',
      'run it again: whoever is done is kept',
    ];
    expect(await run(config, lines)).toMatchObject({ code: 1, printed: stopped });
    service.watched.reset();
    expect(await run(config, lines)).toMatchObject({
      code: 0,
      printed: ['adopted 2, kept 1, refused 0, without codes 0'],
    });
    expect([await works('ada', A), await works('grace', B), await works('alan', C)]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('says how far it is, every hundred users', async () => {
    const lines = Array.from({ length: 250 }, (_, n) => `user-${n},${A}`);
    expect(await run(config, lines)).toEqual({
      code: 0,
      printed: ['adopted 250, kept 0, refused 0, without codes 0'],
      told: ['100 of 250', '200 of 250'],
    });
  });
});

describe('what the command adopt is given', () => {
  const service = async (): Promise<BackupCodes> =>
    (await openService(() => memory.open(), { format: [formats.standard, OLD] })).backupCodes;

  it('may be an ES module or a CommonJS one, and a promise', async () => {
    const backupCodes = await service();
    for (const config of [
      { backupCodes, format: OLD },
      { default: { backupCodes, format: OLD } },
      { backupCodes: Promise.resolve(backupCodes), format: OLD },
    ]) {
      expect((await run(config, [`ada,${A}`])).code).toBe(0);
    }
  });

  it.each<[string, (backupCodes: BackupCodes) => object, RegExp]>([
    ['recovery', () => ({}), /must export backupCodes .* and format/],
    ['no format', (backupCodes) => ({ backupCodes }), /must export backupCodes .* and format/],
    [
      'a format that is never read',
      (backupCodes) => ({ backupCodes, format: formats.hex }),
      /must be one of the formats/,
    ],
    [
      'something else',
      () => ({ backupCodes: {}, format: OLD }),
      /backupCodes lacks the methods adopt, status/,
    ],
  ])('is told of a module that exports %s', async (_what, config, message) => {
    expect(await run(config(await service()), [`ada,${A}`])).toMatchObject({
      code: 1,
      printed: [expect.stringMatching(message)],
    });
  });

  it('may be a file', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'backup-codes-adopt-'));
    try {
      const [backupCodes, file] = [await service(), join(dir, 'export.csv')];
      writeFileSync(file, `ada,${A}\n`);
      expect(await run({ backupCodes, format: OLD }, [], [file, ...CONFIG])).toMatchObject({
        code: 0,
        printed: [expect.stringContaining('adopted 1')],
      });
      expect(
        await run({ backupCodes, format: OLD }, [], [...CONFIG, join(dir, 'no.csv')]),
      ).toMatchObject({ code: 1, printed: [expect.stringContaining('ENOENT')] });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it.each([
    [[]],
    [['--config']],
    [['export.csv']],
    [[...CONFIG, 'one', 'two']],
    [[...CONFIG, '--force']],
  ])('makes no sense: %j', async (args) => {
    expect(await run({}, [], args)).toEqual({ code: null, printed: [], told: [] });
  });
});
