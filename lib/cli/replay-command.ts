// The command `replay`: applies exported audit events after a restore, through the app's own
// BackupCodes. It opens no database, makes no code valid, and prints no code, digest or salt.
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import type { AuditEvent } from '../audit/events';
import { BackupCodeError } from '../errors';
import { assertMethods } from '../internal/validate';
import type { BackupCodes } from '../service/backup-codes';
import type { ReplayResult } from '../service/replay';
import { exportsOf, messageOf, placeOf } from './app-module';
import type { Command, CommandHost, ExitCode } from './command';
import { ExportedEventReader } from './exported-events';

interface ReplayArguments {
  /** The module that exports `backupCodes`. */
  readonly config: string;
  /** The export to read. `-` means standard input. */
  readonly file: string;
  readonly isDryRun: boolean;
}

const PROGRESS_INTERVAL_MS = 5_000;
const RUN_AGAIN = 'Run the command again with the same file: no event is applied twice.';

export const replayCommand: Command = {
  name: 'replay',
  synopsis: '--config MODULE [--dry-run] FILE',
  description: [
    'Applies exported audit events to a database that was restored from an older copy, or that',
    'lost its last writes. FILE has an event of audit.events() as JSON on each line; - is standard',
    'input. Codes that were consumed since are consumed again, and sets that were replaced or',
    'revoked since end. Nothing becomes valid. Lines that cannot be read are named and left out.',
    'MODULE exports backupCodes. Use only a file that you trust like the database.',
    '--dry-run reads the file and changes nothing.',
    'Ctrl+C stops after the current events. It is safe to run the command again.',
  ],
  run: runReplay,
};

async function runReplay(args: readonly string[], host: CommandHost): Promise<ExitCode> {
  const parsed = parseArguments(args);
  if (parsed === null) return 2;
  const print = (lines: readonly string[]): void =>
    host.stdout(lines.map((line) => `${line}\n`).join(''));
  try {
    const backupCodes = await readBackupCodes(await host.importModule(resolve(parsed.config)));
    const { lines, problems } = await replayFile(parsed, { backupCodes, host });
    print([...lines, ...problems]);
    return problems.length > 0 ? 1 : 0;
  } catch (error) {
    print([messageOf(error)]);
    return 1;
  }
}

function parseArguments(args: readonly string[]): ReplayArguments | null {
  try {
    const options = { config: { type: 'string' }, 'dry-run': { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [file, ...others] = positionals;
    if (values.config === undefined || file === undefined || others.length > 0) return null;
    return { config: values.config, file, isDryRun: values['dry-run'] === true };
  } catch {
    return null;
  }
}

interface AppExports {
  readonly backupCodes: unknown;
}

/** @throws {BackupCodeError} `invalid_option` */
async function readBackupCodes(module: unknown): Promise<BackupCodes> {
  const exported = exportsOf<AppExports>(module, 'backupCodes');
  if (exported.backupCodes === undefined) {
    throw new BackupCodeError(
      'invalid_option',
      'The module given by --config must export backupCodes: your BackupCodes, or a promise of it.',
    );
  }
  const backupCodes = (await (exported.backupCodes as Promise<unknown>)) as BackupCodes;
  assertMethods('backupCodes', backupCodes, ['consume']);
  assertMethods('backupCodes.audit', backupCodes.audit, ['replay']);
  return backupCodes;
}

interface Report {
  readonly lines: readonly string[];
  /** Anything here makes the command fail. */
  readonly problems: readonly string[];
}

async function replayFile(
  { file, isDryRun }: ReplayArguments,
  { backupCodes, host }: { readonly backupCodes: BackupCodes; readonly host: CommandHost },
): Promise<Report> {
  const reader = new ExportedEventReader();
  const input = file === '-' ? host.stdin : createReadStream(file);
  const events = withProgress(reader, { input, host });
  let lines: readonly string[] = [];
  const problems: string[] = [];
  try {
    if (isDryRun) {
      lines = [`events ${await count(events)}. Nothing was changed.`];
    } else {
      const result = await backupCodes.audit.replay(events, { actor: ACTOR });
      lines = describeResult(result);
      if (result.events > 0 && result.skipped.otherNamespaces === result.events) {
        problems.push('Every event is of another namespace than the backupCodes of MODULE.');
      }
    }
  } catch (error) {
    problems.push(`stopped at line ${reader.lineNumber} or before: ${messageOf(error)}`, RUN_AGAIN);
  }
  for (const [problem, { count: lineCount, lineNumbers }] of reader.unreadableLines) {
    problems.push(`${placeOf(lineNumbers, lineCount)}: ${problem}`);
  }
  if (host.stopSignal.aborted) {
    const signal = String(host.stopSignal.reason);
    problems.push(`stopped by ${signal} after line ${reader.lineNumber}.`, RUN_AGAIN);
  } else if (reader.lineNumber === 0 && problems.length === 0) {
    problems.push('The file has no event.');
  }
  return { lines, problems };
}

const ACTOR = 'passport-backup-code replay';

interface EventSource {
  readonly input: Readable;
  readonly host: CommandHost;
}

/** Ends early if the command is stopped. What was read until then is applied. */
async function* withProgress(
  reader: ExportedEventReader,
  { input, host }: EventSource,
): AsyncGenerator<AuditEvent> {
  addAbortSignal(host.stopSignal, input);
  let reportedAt = host.now();
  try {
    for await (const event of reader.read(input)) {
      if (host.stopSignal.aborted) return;
      yield event;
      const now = host.now();
      if (now - reportedAt < PROGRESS_INTERVAL_MS) continue;
      host.stderr(`${reader.lineNumber} lines\n`);
      reportedAt = now;
    }
  } catch (error) {
    if (!host.stopSignal.aborted) throw error;
  }
}

async function count(events: AsyncGenerator<AuditEvent>): Promise<number> {
  let read = 0;
  while (!(await events.next()).done) read += 1;
  return read;
}

function describeResult(result: ReplayResult): string[] {
  const { applied, skipped, usersWithoutSet, usersToForgetAgain } = result;
  const lines = [
    [
      `events ${result.events}`,
      `written ${result.written}`,
      `codes consumed ${applied.consumed}`,
      `sets replaced ${applied.replaced}`,
      `sets revoked ${applied.revoked}`,
      `users locked ${applied.locked}`,
      `of other namespaces ${skipped.otherNamespaces}`,
    ].join(', '),
  ];
  if (usersToForgetAgain > 0) {
    lines.push(`forgotten since ${usersToForgetAgain}: call forget for these users again.`);
  }
  if (usersWithoutSet.length > 0) {
    lines.push(
      `users without a set ${usersWithoutSet.length}: ask them to make new codes.`,
      // As JSON, so that no id breaks a line.
      ...usersWithoutSet.map((userId) => JSON.stringify(userId)),
    );
  }
  return lines;
}
