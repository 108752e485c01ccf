// The command replay: what it reads, what it prints, and how it ends.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { BackupCodes, MemoryStore, type AuditEvent } from '../../lib';
import type { CommandHost } from '../../lib/cli/command';
import { replayCommand } from '../../lib/cli/replay-command';
import { Canary } from '../helpers/canary';
import { countingHasher } from '../helpers/counting-hasher';

const FROM_STDIN = ['--config', 'backup-codes.js', '-'];

interface CommandResult {
  readonly exitCode: number;
  readonly printed: string[];
  readonly progress: string[];
}

async function run(
  moduleExports: object,
  input: string | Iterable<string | Buffer>,
  args: readonly string[] = FROM_STDIN,
  host: Partial<CommandHost> = {},
): Promise<CommandResult> {
  let stdout = '';
  let stderr = '';
  const chunks = typeof input === 'string' ? [input] : input;
  const exitCode = await replayCommand.run(args, {
    importModule: () => Promise.resolve(moduleExports),
    stdin: Readable.from(Array.from(chunks, (chunk) => Buffer.from(chunk))),
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    stopSignal: new AbortController().signal,
    now: () => 0,
    cores: 1,
    ...host,
  });
  const linesOf = (output: string): string[] => output.split('\n').slice(0, -1);
  return { exitCode, printed: linesOf(stdout), progress: linesOf(stderr) };
}

const jsonLines = (events: readonly unknown[]): string =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

const serviceOf = (namespace?: string): BackupCodes =>
  new BackupCodes({
    store: new MemoryStore(),
    hasher: countingHasher(),
    ...(namespace && { namespace }),
  });

/** An export in which ada has issued, consumed and issued again, and grace has revoked. */
async function exportEvents(): Promise<{ events: readonly AuditEvent[]; codes: string[] }> {
  const lost = serviceOf();
  const { codes } = await lost.issue('ada');
  await lost.consume('ada', codes[0]);
  const { codes: newCodes } = await lost.issue('ada');
  await lost.issue('grace');
  await lost.revoke('grace');
  const { events } = await lost.audit.events();
  return { events, codes: [...codes, ...newCodes] };
}

describe('the command replay', () => {
  it('replay applies a file, names the users without a set, and prints no code', async () => {
    const { events, codes } = await exportEvents();
    const backupCodes = serviceOf();
    const directory = mkdtempSync(join(tmpdir(), 'backup-codes-replay-'));
    const file = join(directory, 'events.jsonl');
    writeFileSync(file, jsonLines(events));
    const result = await run({ backupCodes }, '', ['--config', 'x.js', file]);
    rmSync(directory, { recursive: true });
    expect(result).toEqual({
      exitCode: 0,
      printed: [
        'events 5, written 5, codes consumed 0, sets replaced 0, sets revoked 0, ' +
          'users locked 0, of other namespaces 0',
        'users without a set 1: ask them to make new codes.',
        '"ada"',
      ],
      progress: [],
    });
    const canary = new Canary();
    for (const code of codes) canary.addCode(code, 'an issued code');
    expect(canary.findIn(result.printed.join('\n'))).toEqual([]);
    const { events: trail } = await backupCodes.audit.events();
    expect(trail.slice(0, -1)).toEqual(events);
    expect(trail.at(-1)).toMatchObject({
      type: 'replayed',
      context: { actor: 'passport-backup-code replay' },
    });
  });

  it('replay run again changes nothing', async () => {
    const { events } = await exportEvents();
    const backupCodes = serviceOf();
    await run({ backupCodes }, jsonLines(events));
    const [summary] = (await run({ default: { backupCodes } }, jsonLines(events))).printed;
    expect(summary).toMatch(/^events 5, written 0, codes consumed 0/);
    expect((await backupCodes.audit.events()).events).toHaveLength(6);
  });

  it('replay names the lines that it cannot read, applies the others, and fails', async () => {
    const { events, codes } = await exportEvents();
    const secret = codes[1] ?? '';
    const lines = [
      JSON.stringify(events[0]),
      `{"id":"${secret}`,
      '',
      JSON.stringify({ ...events[1], setId: secret }),
      secret,
      JSON.stringify({ ...events[1], at: Date.now() + 86_400_000 }),
      JSON.stringify(events[2]).slice(0, -5),
    ];
    const { exitCode, printed } = await run({ backupCodes: serviceOf() }, lines.join('\r\n'));
    expect([exitCode, ...printed]).toEqual([
      1,
      expect.stringMatching(/^events 1, written 1/),
      'users without a set 1: ask them to make new codes.',
      '"ada"',
      'line 2, 5, 7: expected an event as JSON on one line.',
      'line 4: This is not an exported audit event: setId must be a set id, or null. ' +
        '(docs/errors.md#invalid_event)',
      'line 6: This is not an exported audit event: at is in the future: ' +
        'check the clock of this machine. (docs/errors.md#invalid_event)',
    ]);
    expect(printed.join('\n')).not.toContain(secret);
  });

  it('replay names at most ten lines for each problem', async () => {
    const { printed } = await run({ backupCodes: serviceOf() }, 'x\n'.repeat(12));
    expect(printed.at(-1)).toBe(
      'line 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more: expected an event as JSON on one line.',
    );
  });

  it('replay with --dry-run reads the file and changes nothing', async () => {
    const { events } = await exportEvents();
    const backupCodes = serviceOf();
    const args = ['--dry-run', ...FROM_STDIN];
    expect(await run({ backupCodes }, `${jsonLines(events)}x\n`, args)).toMatchObject({
      exitCode: 1,
      printed: ['events 5. Nothing was changed.', 'line 6: expected an event as JSON on one line.'],
    });
    expect((await backupCodes.audit.events()).events).toEqual([]);
  });

  it('replay shows how far it is every five seconds', async () => {
    const { events } = await exportEvents();
    let now = 0;
    const { progress } = await run({ backupCodes: serviceOf() }, jsonLines(events), FROM_STDIN, {
      now: () => (now += 2_000),
    });
    expect(progress).toEqual(['3 lines']);
  });

  it('replay stops at a signal, says where, and can be run again', async () => {
    const { events } = await exportEvents();
    const stop = new AbortController();
    const backupCodes = serviceOf();
    const chunks = function* (): Generator<Buffer> {
      yield Buffer.from(jsonLines(events.slice(0, 2)));
      stop.abort('SIGINT');
      yield Buffer.from(jsonLines(events.slice(2)));
    };
    const stdin = Readable.from(chunks());
    const host = { stopSignal: stop.signal, stdin };
    const { exitCode, printed } = await run({ backupCodes }, '', FROM_STDIN, host);
    expect([exitCode, printed.at(-1)]).toEqual([
      1,
      expect.stringMatching(/^Run the command again/),
    ]);
    expect(printed.at(-2)).toMatch(/^stopped by SIGINT after line \d/);
    await run({ backupCodes }, jsonLines(events));
    expect((await backupCodes.audit.events({ types: ['revoked'] })).events).toHaveLength(1);
  });

  it.each<[string, object, string, RegExp]>([
    ['an empty file', { backupCodes: serviceOf() }, '', /has no event/],
    ['a module without backupCodes', {}, '', /must export backupCodes/],
    ['backupCodes of another kind', { backupCodes: {} }, '', /lacks the method consume/],
  ])('replay fails with the reason for %s', async (_what, exported, input, reason) => {
    const { exitCode, printed } = await run(exported, input);
    expect([exitCode, printed.at(-1)]).toEqual([1, expect.stringMatching(reason)]);
  });

  it('replay fails if every event is of another namespace', async () => {
    const { events } = await exportEvents();
    const { exitCode, printed } = await run({ backupCodes: serviceOf('bank') }, jsonLines(events));
    expect([exitCode, printed]).toEqual([
      1,
      [
        expect.stringMatching(/of other namespaces 5$/),
        expect.stringMatching(/^Every event is of/),
      ],
    ]);
  });

  it('replay fails with the reason for a file that is missing or is not UTF-8', async () => {
    const { printed } = await run({ backupCodes: serviceOf() }, '', ['--config', 'x', 'missing']);
    expect(printed[0]).toMatch(/ENOENT/);
    const latin = await run({ backupCodes: serviceOf() }, [Buffer.from([0xff, 0xfe, 0x0a])]);
    expect([latin.exitCode, latin.printed[0]]).toEqual([1, expect.stringMatching(/not UTF-8/)]);
  });

  it('replay says where it stopped if the store fails', async () => {
    const { events } = await exportEvents();
    const store = new MemoryStore();
    const backupCodes = new BackupCodes({ store, hasher: countingHasher() });
    store.replayEvents = () => Promise.reject(new Error('the database is away'));
    const { exitCode, printed } = await run({ backupCodes }, jsonLines(events));
    expect([exitCode, printed]).toEqual([
      1,
      [
        'stopped at line 5 or before: the database is away',
        expect.stringMatching(/^Run the command again/),
      ],
    ]);
  });

  it.each([
    [[]],
    [['--config', 'x']],
    [['events.jsonl']],
    [['--config', 'x', 'a', 'b']],
    [['--all']],
  ])('replay prints the usage if its arguments are %j', async (args) => {
    expect((await run({}, '', args)).exitCode).toBe(2);
  });
});
