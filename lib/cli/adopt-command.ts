// The command `adopt`: takes over codes that an app printed before, through the app's own
// BackupCodes. It opens no database, prints no code, and changes nothing for a user who has or had
// a set.
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { parseArgs } from 'node:util';
import { readRecordedCode } from '../codes/read-code';
import { BackupCodeError } from '../errors';
import { assertMethods } from '../internal/validate';
import { adoptedFormat } from '../service/adopt';
import type { BackupCodes } from '../service/backup-codes';
import { adoptUsers, type AppExports } from './adopt-users';
import { exportsOf, messageOf, placeOf } from './app-module';
import type { Command, CommandHost, ExitCode } from './command';
import { HEADER_NAMES, readUserExport, type UserExport } from './user-export';

interface AdoptArguments {
  /** The module that exports {@link AppExports}. */
  readonly config: string;
  /** The export to read. `undefined` means standard input. */
  readonly file: string | undefined;
  readonly isDryRun: boolean;
}

export const adoptCommand: Command = {
  name: 'adopt',
  synopsis: '--config MODULE [--dry-run] [FILE]',
  description: [
    'Adopts codes that were printed before. Reads FILE or standard input, as UTF-8. Each line is',
    '{"userId": "7", "codes": ["…", "…"]} or 7,…,… or 7;…;… or the same with tabs. The first line',
    'of fields decides on the delimiter of the file; a field with another one needs quotes.',
    `A header is a first line without a code whose first field is ${HEADER_NAMES.join(', ')}.`,
    'A code that is null or empty was used. No line is adopted if one cannot be read.',
    'MODULE exports backupCodes and format, the format of the old codes.',
    '--dry-run checks the export and writes nothing.',
    'As many users are adopted at a time as there are cores.',
    'Ctrl+C stops after the users that are begun. The next run continues there.',
  ],
  run: runAdopt,
};

async function runAdopt(args: readonly string[], host: CommandHost): Promise<ExitCode> {
  const parsed = parseArguments(args);
  if (parsed === null) return 2;
  try {
    return await adoptExport(parsed, host);
  } catch (error) {
    host.stdout(`${messageOf(error)}\n`);
    return 1;
  }
}

function parseArguments(args: readonly string[]): AdoptArguments | null {
  try {
    const options = { config: { type: 'string' }, 'dry-run': { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.config === undefined || positionals.length > 1) return null;
    return { config: values.config, file: positionals[0], isDryRun: values['dry-run'] === true };
  } catch {
    return null;
  }
}

async function adoptExport(
  { config, file, isDryRun }: AdoptArguments,
  host: CommandHost,
): Promise<ExitCode> {
  const app = await readAppExports(await host.importModule(resolve(config)));
  const { users, unreadableLines, hasOnlyCodes } = await readExport(file, { app, host });
  if (unreadableLines.size > 0) {
    // Such a line may hold more codes of a user on another line. A user is adopted only once, so
    // these codes would be lost.
    for (const [expected, lineNumbers] of unreadableLines) {
      host.stdout(`${placeOf(lineNumbers)}: ${expected}. Nothing was written.\n`);
    }
    return 1;
  }
  if (hasOnlyCodes) {
    // They would be stored as they are, and named in events.
    host.stdout(
      'The first field of every line reads as a code, not as a user id. Nothing was written. ' +
        'If they are user ids, write each line as {"userId": …, "codes": […]}.\n',
    );
    return 1;
  }
  const usersWithCodes = users.filter(({ codes }) => codes.length > 0);
  if (usersWithCodes.length === 0) {
    host.stdout(`The export has no unused code (users: ${users.length}). Nothing was written.\n`);
    return 1;
  }
  const { counts, problems } = await adoptUsers(usersWithCodes, { ...app, isDryRun, host });
  const summary = [
    `${isDryRun ? 'to adopt' : 'adopted'} ${counts.adopted}`,
    `kept ${counts.kept}`,
    `refused ${counts.refused}`,
    `without codes ${users.length - usersWithCodes.length}`,
  ];
  host.stdout([summary.join(', '), ...problems].map((line) => `${line}\n`).join(''));
  return problems.length > 0 ? 1 : 0;
}

async function readExport(
  file: string | undefined,
  { app, host }: { readonly app: AppExports; readonly host: CommandHost },
): Promise<UserExport> {
  const input = file === undefined ? host.stdin : createReadStream(file);
  addAbortSignal(host.stopSignal, input);
  try {
    return await readUserExport(input, (field) => readRecordedCode(app.format, field) !== null);
  } catch (error) {
    if (error instanceof BackupCodeError) {
      throw new Error(`${error.message} Nothing was written.`, { cause: error });
    }
    if (!host.stopSignal.aborted) throw error;
    const signal = String(host.stopSignal.reason);
    throw new Error(`stopped by ${signal} while reading. Nothing was written.`, { cause: error });
  }
}

/** Reads the exports of an ES module or a CommonJS module. */
async function readAppExports(module: unknown): Promise<AppExports> {
  type Exports = Readonly<Record<keyof AppExports, unknown>>;
  const exported = exportsOf<Exports>(module, 'backupCodes');
  if (exported.backupCodes === undefined || exported.format === undefined) {
    throw new BackupCodeError(
      'invalid_option',
      'The module given by --config must export backupCodes (your BackupCodes, or a promise of ' +
        'it) and format (the format of the old codes).',
    );
  }
  const backupCodes = await (exported.backupCodes as Promise<unknown>);
  assertMethods('backupCodes', backupCodes, ['adopt', 'status']);
  const service = backupCodes as BackupCodes;
  return { backupCodes: service, format: adoptedFormat(service.formats, exported.format) };
}
