import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { BackupCodes, defineFormat, formats } from '../../lib';
import { adoptCommand } from '../../lib/cli/adopt-command';
import type { CommandHost } from '../../lib/cli/command';
import { Canary } from '../helpers/canary';
import { openService, serviceOn, type Service } from '../helpers/service';
import { memory, onEachStore, type OpenStore } from '../helpers/stores';

/** The format of an older app. */
const OLD = defineFormat({ alphabet: '0123456789abcdef', length: 10 });
const [A, B, C, D] = ['0123456789', 'fedcba9876', '00ff00ff00', 'abcdef0123'] as const;
const CONFIG = ['--config', 'backup-codes.js'];

interface CommandResult {
  readonly exitCode: number;
  /** The lines on standard output. */
  readonly printed: string[];
  /** The lines on standard error. */
  readonly progress: string[];
}

/**
 * Runs the command with a module that has these exports, and an export that has these lines or
 * bytes.
 */
async function run(
  moduleExports: object,
  lines: readonly string[] | Buffer,
  args: readonly string[] = CONFIG,
  host: Partial<CommandHost> = {},
): Promise<CommandResult> {
  const imported: string[] = [];
  let stdout = '';
  let stderr = '';
  const exitCode = await adoptCommand.run(args, {
    importModule: (file) => {
      imported.push(file);
      return Promise.resolve(moduleExports);
    },
    stdin: Readable.from([Buffer.isBuffer(lines) ? lines : Buffer.from(lines.join('\n'))]),
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    stopSignal: new AbortController().signal,
    now: () => 0,
    cores: 1,
    ...host,
  });
  if (exitCode !== 2) expect(imported).toEqual([resolve('backup-codes.js')]);
  return { exitCode, printed: linesOf(stdout), progress: linesOf(stderr) };
}

/** Each line must end with a line feed. */
function linesOf(output: string): string[] {
  const lines = output.split('\n');
  expect(lines.pop()).toBe('');
  return lines;
}

function expectNoCode({ printed, progress }: CommandResult, codes: readonly string[]): void {
  const canary = new Canary();
  for (const code of codes) canary.addCode(code, 'an adopted code');
  expect(canary.findIn([...printed, ...progress].join('\n'))).toEqual([]);
}

onEachStore('the command adopt', (open) => {
  let opened: OpenStore;
  let service: Service;
  let config: { backupCodes: BackupCodes; format: typeof OLD };
  beforeEach(async () => {
    opened = await open();
    service = serviceOn(opened, { format: [formats.standard, OLD] });
    config = { backupCodes: service.backupCodes, format: OLD };
  });
  const works = async (userId: string, code: string): Promise<boolean> =>
    (await service.backupCodes.consume(userId, code)).ok;

  it('adopt reads codes from JSON and comma-separated lines, and each works once', async () => {
    const result = await run(config, [
      `{"userId":"ada","codes":["${A}","${B}"]}`,
      `grace,${C},${D}`,
      `"o""neil, jr",${A}`,
      '',
      `{"userId":7,"codes":["${D}"]}`,
    ]);
    expect(result).toEqual({
      exitCode: 0,
      printed: ['adopted 4, kept 0, refused 0, without codes 0'],
      progress: [],
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

  it('adopt stores no code as a user id if the export has no column of users', async () => {
    const result = await run(config, [`${A};${B}`, `${C};${D}`]);
    expect(result).toMatchObject({
      exitCode: 1,
      printed: [expect.stringMatching(/^The first field of every line reads as a code/)],
    });
    expectNoCode(result, [A, B, C, D]);
    expect([service.watched.calls, await service.written()]).toEqual([[], []]);
    const named = await run(config, [`${A};${B}`, `ada;${C}`]);
    expect(named.printed).toEqual(['adopted 2, kept 0, refused 0, without codes 0']);
    const json = await run(config, [`{"userId":"${D}","codes":["${C}"]}`]);
    expect(json.printed).toEqual(['adopted 1, kept 0, refused 0, without codes 0']);
  });

  it('adopt reads exports from Windows and spreadsheets, and skips empty fields', async () => {
    const result = await run(config, [
      `\uFEFFada, ${A} ,,"${B}"\r`,
      '\r',
      `grace,,\r`,
      '{"userId":"alan","codes":[]}',
      '{"userId":"joan","codes":null}',
    ]);
    expect(result.printed).toEqual(['adopted 1, kept 0, refused 0, without codes 3']);
    expect(await service.backupCodes.status('ada')).toMatchObject({ total: 2 });
    expect(await service.backupCodes.status('grace')).toBeNull();
  });

  it.each([
    ['commas', ','],
    ['semicolons', ';'],
    ['tabs', '\t'],
  ])('adopt reads fields that are separated by %s, below a header', async (_what, mark) => {
    const rows = [
      ['User ID', 'Code 1', 'Code 2', 'Code 3'],
      ['ada', A, B, ''],
      ['"o\'neil, jr; or\ttab"', `"${C}"`, '', ` ${D} `],
      ['', '', '', ''],
      ['grace', '', '', ''],
      ['id', A, '', ''],
    ];
    const lines = rows.map((fields) => fields.join(mark));
    expect(await run(config, [...lines, `{"userId":"alan","codes":["${A}"]}`])).toEqual({
      exitCode: 0,
      printed: ['adopted 4, kept 0, refused 0, without codes 1'],
      progress: [],
    });
    for (const [userId, code] of [
      ['ada', A],
      ['ada', B],
      ["o'neil, jr; or\ttab", C],
      ["o'neil, jr; or\ttab", D],
      ['id', A],
      ['alan', A],
    ] as const) {
      expect(await works(userId, code)).toBe(true);
    }
  });

  it.each(['id', 'user', 'userId', 'user_id', 'User Name', 'LOGIN', 'E-Mail'])(
    'adopt skips a first line that begins with %s as a header, unless it has a code',
    async (name) => {
      const header = await run(config, [`${name};Code`, `ada;${A}`]);
      expect(header.printed).toEqual(['adopted 1, kept 0, refused 0, without codes 0']);
      const user = await run(config, [`${name};${B}`, `${name};${C}`]);
      expect(user.printed).toEqual(['adopted 1, kept 0, refused 0, without codes 0']);
      expect(await service.backupCodes.status(name)).toMatchObject({ total: 2 });
    },
  );

  it.each(['Benutzer', 'user-1', 'id7'])(
    'adopt takes no first line that begins with %s for a header, and refuses its codes',
    async (name) => {
      expect(await run(config, [`${name};Code`, `ada;${A}`])).toMatchObject({
        exitCode: 1,
        printed: [
          'adopted 1, kept 0, refused 1, without codes 0',
          'line 1: Adopted code number 1 does not fit the given format. (docs/errors.md#invalid_codes)',
        ],
      });
    },
  );

  it('adopt skips used codes, which are null or empty, and adopts the other codes', async () => {
    const result = await run(config, [
      `{"userId":"ada","codes":[null,"${A}","",null,"${B}"]}`,
      `{"userId":"alan","codes":[null,null]}`,
      `grace,NULL,${A},null,\\N`,
    ]);
    expect(result.printed).toEqual(['adopted 2, kept 0, refused 0, without codes 1']);
    expect(await service.backupCodes.status('ada')).toMatchObject({ total: 2, remaining: 2 });
    expect(await service.backupCodes.status('grace')).toMatchObject({ total: 1, remaining: 1 });
  });

  it('adopt makes one set of the codes of one user from several lines', async () => {
    expect(
      (await run(config, [`7,${A}`, `8,${A}`, `{"userId":7,"codes":["${B}"]}`, `7,${C}`])).printed,
    ).toEqual(['adopted 2, kept 0, refused 0, without codes 0']);
    expect(await service.backupCodes.status(7)).toMatchObject({ total: 3 });
  });

  it('adopt can run again, and then keeps every user who has or had a set', async () => {
    const lines = [`ada,${A},${B}`, `grace,${C}`, `alan,${D}`];
    await service.backupCodes.issue('alan');
    await service.backupCodes.revoke('alan');
    await run(config, lines.slice(0, 1));
    expect(await works('ada', A)).toBe(true);
    expect(await run(config, lines)).toMatchObject({
      exitCode: 0,
      printed: ['adopted 1, kept 2, refused 0, without codes 0'],
    });
    expect([
      await works('ada', A),
      await works('ada', B),
      await works('grace', C),
      await works('alan', D),
    ]).toEqual([false, true, true, false]);
  });

  it('adopt adopts the other users if it refuses some, names the lines, and fails', async () => {
    const tooBig = `{"userId":9007199254740993,"codes":["${D}"]}`;
    const numbers = '{"userId":"joan","codes":[1234567890]}';
    const result = await run(config, [
      `ada,${A},0123-4567-89ab`,
      `grace,${B}`,
      `alan,${C}`,
      `${'x'.repeat(256)},${D}`,
      tooBig,
      `alan,${C}`,
      numbers,
    ]);
    expect(result).toMatchObject({
      exitCode: 1,
      printed: [
        'adopted 1, kept 0, refused 5, without codes 0',
        'line 1: Adopted code number 2 does not fit the given format. (docs/errors.md#invalid_codes)',
        'line 3, 6: Adopted code number 2 is in the list twice. (docs/errors.md#invalid_codes)',
        expect.stringMatching(/^line 4: A user id must be a string of 1 to 255 characters/),
        expect.stringMatching(/^line 5: A user id must be/),
        'line 7: Adopted code number 1 does not fit the given format. (docs/errors.md#invalid_codes)',
      ],
    });
    expectNoCode(result, [A, B, C, D, '0123-4567-89ab']);
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
    ` "7",${A}`,
    `7,${A}, "${C}"`,
    `7;${A};${C}`,
    `7\t${A}\t${C}`,
    `7,${A};${C}`,
    `7|${A}|${C}`,
    `7 ${A} ${C}`,
    '7',
    `[{"userId":"ada","codes":["${A}"]}]`,
    '['.repeat(1000),
  ])('adopt writes nothing if it cannot read a line: %s', async (line) => {
    const result = await run(config, [`ada,${B}`, line]);
    expect(result).toMatchObject({
      exitCode: 1,
      printed: [expect.stringMatching(/^line 2: expected .* Nothing was written\.$/)],
    });
    expectNoCode(result, [A, B]);
    expect([service.hasher.count, service.watched.calls]).toEqual([0, []]);
  });

  it('adopt writes nothing with --dry-run, and reports what it would do', async () => {
    await service.backupCodes.issue('joan');
    const before = [service.hasher.count, await service.written()];
    const result = await run(
      config,
      [`ada,${A}`, `grace,${B},${B}`, `alan,nothing`, `joan,${C}`],
      [...CONFIG, '--dry-run'],
    );
    expect(result).toMatchObject({
      exitCode: 1,
      printed: [
        'to adopt 1, kept 1, refused 2, without codes 0',
        expect.stringMatching(/^line 2: /),
        expect.stringMatching(/^line 3: /),
      ],
    });
    expect([service.hasher.count, await service.written()]).toEqual(before);
  });

  it('adopt stops when the store fails, and continues when it runs again', async () => {
    const lines = [`ada,${A}`, `grace,${B}`, `alan,${C}`];
    service.watched.failAt(3, 'before');
    const stopped = [
      'adopted 1, kept 0, refused 0, without codes 0',
      'stopped at line 2: the store is down',
      'Run the command again. It keeps the users that it has adopted.',
    ];
    expect(await run(config, lines)).toMatchObject({ exitCode: 1, printed: stopped });
    service.watched.reset();
    expect(await run(config, lines)).toMatchObject({
      exitCode: 0,
      printed: ['adopted 2, kept 1, refused 0, without codes 0'],
    });
    expect([await works('ada', A), await works('grace', B), await works('alan', C)]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it.each([
    ['fields', `ada,${`${A},`.repeat(500_000)}`],
    ['JSON', `{"userId":"ada","codes":[${`"${A}",`.repeat(500_000)}"${A}"]}`],
    ['nothing but quotes', '"'.repeat(5_000_000)],
  ])('adopt refuses a line of several megabytes of %s, and writes nothing', async (_what, line) => {
    const result = await run(config, [`grace,${B}`, line, `joan,${C}`]);
    expect(result).toMatchObject({
      exitCode: 1,
      printed: [
        'line 2: expected a line for each user, of at most 65536 characters. Nothing was written.',
      ],
    });
    expect(service.watched.calls).toEqual([]);
  });

  it('adopt names the first ten of the lines that it cannot read, and counts the others', async () => {
    const lines = Array.from({ length: 25 }, () => `{"userId":"ada"}`);
    const { printed } = await run(config, lines);
    expect(printed).toEqual([
      expect.stringMatching(/^line 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 15 more: expected /),
    ]);
  });

  it.each<[string, BufferEncoding]>([
    ['Latin-1', 'latin1'],
    ['UTF-16', 'utf16le'],
  ])('adopt refuses an export in %s, which would change user ids', async (_what, encoding) => {
    const bytes = Buffer.from(`\u00FFada;${A}\ng\u00E9rard;${B}\n`, encoding);
    const result = await run(config, bytes);
    expect(result).toMatchObject({ exitCode: 1, printed: [expect.stringMatching(/not UTF-8/)] });
    expect(service.watched.calls).toEqual([]);
  });

  it.each([
    ['no line', []],
    ['only empty lines', ['', ' ', ';;']],
    ['only a header', ['user_id,code']],
    ['only users without codes', ['ada,,', '{"userId":"grace","codes":null}']],
  ])('adopt fails if the export has %s', async (_what, lines) => {
    expect(await run(config, lines)).toMatchObject({
      exitCode: 1,
      printed: [
        expect.stringMatching(
          /^The export has no unused code \(users: \d\)\. Nothing was written\.$/,
        ),
      ],
    });
  });

  it('adopt hashes nothing for users who have a set, so that a repeated run takes little', async () => {
    const lines = Array.from({ length: 50 }, (_, n) => `user-${n},${A},${B}`);
    await run(config, lines);
    expect(service.hasher.count).toBe(100);
    service.watched.reset();
    expect((await run(config, lines)).printed).toEqual([
      'adopted 0, kept 50, refused 0, without codes 0',
    ]);
    expect(service.hasher.count).toBe(100);
    expect(service.watched.calls).toEqual(Array(50).fill('find'));
  });

  it.each([1, 2, 5])('adopt adopts %i users at a time on as many cores', async (cores) => {
    const { backupCodes } = service;
    let running = 0;
    let most = 0;
    const watched = {
      formats: backupCodes.formats,
      status: (userId: string) => backupCodes.status(userId),
      adopt: async (...args: Parameters<BackupCodes['adopt']>) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        const isAdopted = await backupCodes.adopt(...args);
        running -= 1;
        return isAdopted;
      },
    };
    const lines = Array.from({ length: 12 }, (_, n) => `user-${n},${n === 3 ? 'x' : A}`);
    const result = await run({ backupCodes: watched, format: OLD }, lines, CONFIG, { cores });
    expect(result.printed).toEqual([
      'adopted 11, kept 0, refused 1, without codes 0',
      'line 4: Adopted code number 1 does not fit the given format. (docs/errors.md#invalid_codes)',
    ]);
    expect(most).toBe(cores);
  });

  it('adopt tries a user again for whom the hash queue had no place, with fewer at a time', async () => {
    const limited = serviceOn(opened, {
      format: [formats.standard, OLD],
      hashConcurrency: 1,
      maxQueuedHashes: 0,
    });
    const lines = Array.from({ length: 12 }, (_, n) => `user-${n},${A},${B}`);
    const result = await run({ backupCodes: limited.backupCodes, format: OLD }, lines, CONFIG, {
      cores: 4,
    });
    expect(result).toMatchObject({
      exitCode: 0,
      printed: ['adopted 12, kept 0, refused 0, without codes 0'],
    });
  });

  it('adopt prints every five seconds how much is done and how much time is left', async () => {
    const lines = Array.from({ length: 250 }, (_, n) => `user-${n},${A}`);
    let elapsedMs = 0;
    const now = (): number => (elapsedMs += 50);
    expect(await run(config, lines, CONFIG, { now })).toEqual({
      exitCode: 0,
      printed: ['adopted 250, kept 0, refused 0, without codes 0'],
      progress: ['100 of 250, about 8 s left', '200 of 250, about 3 s left'],
    });
  });

  it('stops between two users on a signal, names the line, and continues when it runs again', async () => {
    const lines = [`ada,${A}`, `grace,${B}`, `alan,${C}`];
    const stop = new AbortController();
    let users = -1;
    const now = (): number => {
      users += 1;
      if (users === 2) stop.abort('SIGTERM');
      return 0;
    };
    expect(await run(config, lines, CONFIG, { now, stopSignal: stop.signal })).toEqual({
      exitCode: 1,
      printed: [
        'adopted 2, kept 0, refused 0, without codes 0',
        'stopped by SIGTERM before line 3.',
        'Run the command again. It keeps the users that it has adopted.',
      ],
      progress: [],
    });
    expect(await service.backupCodes.status('alan')).toBeNull();
    expect((await run(config, lines)).printed).toEqual([
      'adopted 1, kept 2, refused 0, without codes 0',
    ]);
  });

  it('completes the users that are begun when a signal or a fault stops it', async () => {
    const lines = Array.from({ length: 20 }, (_, n) => `user-${n},${A}`);
    const stop = new AbortController();
    service.watched.before('replace', () => stop.abort('SIGINT'));
    const stopped = await run(config, lines, CONFIG, { cores: 4, stopSignal: stop.signal });
    expect(stopped.printed[0]).toMatch(/^adopted [1-4], kept 0, refused 0, without codes 0$/);
    const adopted = Number(/\d+/.exec(stopped.printed[0] ?? '')?.[0]);
    expect(stopped.printed[1]).toBe(`stopped by SIGINT before line ${adopted + 1}.`);

    service.watched.failAt(10, 'before');
    const failed = await run(config, lines, CONFIG, { cores: 4 });
    expect(failed.printed[1]).toMatch(/^stopped at line \d+: the store is down$/);
    service.watched.reset();
    expect(await run(config, lines, CONFIG, { cores: 4 })).toMatchObject({ exitCode: 0 });
    for (const line of lines) expect(await works(line.split(',')[0] ?? '', A)).toBe(true);
  });

  it('stops on a signal while it reads, and writes nothing', async () => {
    const stop = new AbortController();
    const stdin = new PassThrough();
    stdin.write(`ada,${A}\n`);
    setImmediate(() => stop.abort('SIGINT'));
    expect(await run(config, [], CONFIG, { stdin, stopSignal: stop.signal })).toMatchObject({
      exitCode: 1,
      printed: ['stopped by SIGINT while reading. Nothing was written.'],
    });
    expect(service.watched.calls).toEqual([]);
  });
});

describe('the module and the export for the command adopt', () => {
  const service = async (): Promise<BackupCodes> =>
    (await openService(() => memory.open(), { format: [formats.standard, OLD] })).backupCodes;

  it('adopt accepts an ES module, a CommonJS module and a promise of the service', async () => {
    const backupCodes = await service();
    for (const config of [
      { backupCodes, format: OLD },
      { default: { backupCodes, format: OLD } },
      { backupCodes: Promise.resolve(backupCodes), format: OLD },
    ]) {
      expect((await run(config, [`ada,${A}`])).exitCode).toBe(0);
    }
  });

  it.each<[string, (backupCodes: BackupCodes) => object, RegExp]>([
    ['nothing', () => ({}), /must export backupCodes .* and format/],
    ['no format', (backupCodes) => ({ backupCodes }), /must export backupCodes .* and format/],
    [
      'a format that the service does not list',
      (backupCodes) => ({ backupCodes, format: formats.hex }),
      /must be one of the formats/,
    ],
    [
      'an object that is not a service',
      () => ({ backupCodes: {}, format: OLD }),
      /backupCodes lacks the methods adopt, status/,
    ],
  ])('adopt fails if the module exports %s', async (_what, config, message) => {
    expect(await run(config(await service()), [`ada,${A}`])).toMatchObject({
      exitCode: 1,
      printed: [expect.stringMatching(message)],
    });
  });

  it('adopt reads the export from a file', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'backup-codes-adopt-'));
    try {
      const [backupCodes, file] = [await service(), join(dir, 'export.csv')];
      writeFileSync(file, `ada,${A}\n`);
      expect(await run({ backupCodes, format: OLD }, [], [file, ...CONFIG])).toMatchObject({
        exitCode: 0,
        printed: [expect.stringContaining('adopted 1')],
      });
      expect(
        await run({ backupCodes, format: OLD }, [], [...CONFIG, join(dir, 'no.csv')]),
      ).toMatchObject({ exitCode: 1, printed: [expect.stringContaining('ENOENT')] });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('adopt prints one line if the module cannot be loaded, and fails', async () => {
    let stdout = '';
    const exitCode = await adoptCommand.run(CONFIG, {
      importModule: () => Promise.reject(new Error('Cannot find module\nRequire stack:\n- here')),
      stdin: Readable.from([]),
      stdout: (text) => (stdout += text),
      stderr: () => undefined,
      stopSignal: new AbortController().signal,
      now: () => 0,
      cores: 1,
    });
    expect([exitCode, stdout]).toEqual([1, 'Cannot find module\n']);
  });

  it.each([
    [[]],
    [['--config']],
    [['export.csv']],
    [[...CONFIG, 'one', 'two']],
    [[...CONFIG, '--force']],
  ])('adopt asks for the usage if the arguments are %j', async (args) => {
    expect(await run({}, [], args)).toEqual({ exitCode: 2, printed: [], progress: [] });
  });
});
