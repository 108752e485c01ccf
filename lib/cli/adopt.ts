// The command `adopt`: takes over an export of codes that an app printed before, through the app's own BackupCodes. Opens no database
// itself, prints no code, and changes nothing for whoever has or had a set.
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { adoptedFormat, readPlainCodes } from '../service/adopt';
import type { BackupCodes } from '../service/backup-codes';
import { BackupCodeError } from '../errors';
import type { Format } from '../codes/formats';
import { assertMethods } from '../internal/validate';
import { userSubject } from '../stores/subject';
import { readExport, type ExportedUser } from './export';

/** What the command is run with. */
export interface Surroundings {
  /** Imports a module by its absolute path. */
  readonly load: (file: string) => Promise<unknown>;
  readonly stdin: NodeJS.ReadableStream;
  /** For the result. */
  readonly print: (line: string) => void;
  /** For the progress. */
  readonly tell: (line: string) => void;
}

interface Arguments {
  readonly config: string;
  readonly file: string | undefined;
  readonly isDryRun: boolean;
}

/** What the module given by `--config` exports. */
interface Config {
  readonly backupCodes: BackupCodes;
  readonly format: Format;
}

/** Users between two lines of progress. */
const EACH = 100;
/** What is wrong with one user, and says nothing of the next. */
const REFUSALS: readonly unknown[] = ['invalid_codes', 'invalid_format', 'invalid_user_id'];

/** @returns the exit code: 0, 1 if anything was refused or failed, or `null` where the arguments make no sense */
export async function adoptCommand(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<number | null> {
  const given = readArguments(args);
  if (given === null) return null;
  try {
    return await adoptAll(given, surroundings);
  } catch (error) {
    surroundings.print(messageOf(error));
    return 1;
  }
}

async function adoptAll(
  { config, file, isDryRun }: Arguments,
  { load, stdin, print, tell }: Surroundings,
): Promise<number> {
  const { backupCodes, format } = await readConfig(await load(resolve(config)));
  const { users, unreadable } = await readExport(
    file === undefined ? stdin : createReadStream(file),
  );
  if (unreadable.length > 0) {
    // They may hold codes of anybody, who would be left without them: a user is adopted once.
    print(
      `line ${unreadable.join(', ')}: neither {"userId": …, "codes": […]} nor userId,code,code. Nothing was written.`,
    );
    return 1;
  }
  const withCodes = users.filter(({ codes }) => codes.length > 0);
  const counts = { adopted: 0, kept: 0, refused: 0 };
  const problems: string[] = [];
  for (const [index, user] of withCodes.entries()) {
    try {
      counts[await adopt(user, { backupCodes, format, isDryRun })] += 1;
    } catch (error) {
      const isRefusal = REFUSALS.includes((error as { code?: unknown } | null)?.code);
      problems.push(
        `${isRefusal ? '' : 'stopped at '}line ${user.lines.join(', ')}: ${messageOf(error)}`,
      );
      if (!isRefusal) {
        problems.push('run it again: whoever is done is kept');
        break;
      }
      counts.refused += 1;
    }
    if ((index + 1) % EACH === 0) tell(`${index + 1} of ${withCodes.length}`);
  }
  const { adopted, kept, refused } = counts;
  print(
    `${isDryRun ? 'to adopt' : 'adopted'} ${adopted}, kept ${kept}, refused ${refused}, without codes ${users.length - withCodes.length}`,
  );
  problems.forEach(print);
  return problems.length > 0 ? 1 : 0;
}

async function adopt(
  { userId, codes }: ExportedUser,
  { backupCodes, format, isDryRun }: Config & Pick<Arguments, 'isDryRun'>,
): Promise<'adopted' | 'kept'> {
  userSubject(userId);
  readPlainCodes(format, codes);
  if (isDryRun) return (await backupCodes.status(userId)) === null ? 'adopted' : 'kept';
  return (await backupCodes.adopt(userId, codes as string[], {
    format,
    context: { actor: 'passport-backup-code adopt' },
  }))
    ? 'adopted'
    : 'kept';
}

function readArguments(args: readonly string[]): Arguments | null {
  try {
    const options = { config: { type: 'string' }, 'dry-run': { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.config === undefined || positionals.length > 1) return null;
    return { config: values.config, file: positionals[0], isDryRun: values['dry-run'] === true };
  } catch {
    return null;
  }
}

/** Of an ES module or a CommonJS one. */
async function readConfig(module: unknown): Promise<Config> {
  type Exports = Readonly<Partial<Record<keyof Config, unknown>>>;
  const exported = module as Exports & { readonly default?: Exports };
  const { backupCodes: given, format } =
    exported.backupCodes === undefined ? (exported.default ?? {}) : exported;
  if (given === undefined || format === undefined) {
    const wanted =
      'backupCodes (the BackupCodes of your app, or a promise of it) and format (what the old codes look like)';
    throw new BackupCodeError(
      'invalid_option',
      `The module given by --config must export ${wanted}.`,
    );
  }
  const backupCodes = await (given as Promise<unknown>);
  assertMethods('backupCodes', backupCodes, ['adopt', 'status']);
  const checked = backupCodes as BackupCodes;
  return { backupCodes: checked, format: adoptedFormat(checked.formats, format) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
