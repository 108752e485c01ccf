// The command `adopt`: takes over codes that an app printed before, through the app's own
// BackupCodes. It opens no database, prints no code, and changes nothing for a user who has or had
// a set.
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Format } from '../codes/formats';
import { BackupCodeError } from '../errors';
import { assertMethods } from '../internal/validate';
import { adoptedFormat, readPlainCodes } from '../service/adopt';
import type { BackupCodes } from '../service/backup-codes';
import { userSubject } from '../stores/subject';
import type { Command, CommandHost, ExitCode } from './command';
import { readUserExport, type ExportedUser } from './user-export';

interface AdoptArguments {
  /** The module that exports {@link AppExports}. */
  readonly config: string;
  /** The export to read. `undefined` means standard input. */
  readonly file: string | undefined;
  readonly isDryRun: boolean;
}

/** What the module of the app exports, checked. */
interface AppExports {
  readonly backupCodes: BackupCodes;
  /** The format of the old codes. */
  readonly format: Format;
}

type UserResult = 'adopted' | 'kept';

const PROGRESS_INTERVAL_USERS = 100;
/** Errors that concern one user only. The command continues with the next user. */
const ERRORS_OF_ONE_USER: readonly unknown[] = [
  'invalid_codes',
  'invalid_format',
  'invalid_user_id',
];

export const adoptCommand: Command = {
  name: 'adopt',
  synopsis: '--config MODULE [--dry-run] [FILE]',
  description: [
    'Adopts codes that were printed before. Reads FILE or standard input. Each line is',
    '{"userId": "7", "codes": ["…", "…"]} or 7,…,…',
    'MODULE exports backupCodes and format, the format of the old codes.',
    '--dry-run checks the export and writes nothing.',
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
  const input = file === undefined ? host.stdin : createReadStream(file);
  const { users, unreadableLines } = await readUserExport(input);
  if (unreadableLines.length > 0) {
    // Such a line may hold more codes of a user on another line. A user is adopted only once, so
    // these codes would be lost.
    const lines = unreadableLines.join(', ');
    const expected = '{"userId": …, "codes": […]} or userId,code,code';
    host.stdout(`line ${lines}: expected ${expected}. Nothing was written.\n`);
    return 1;
  }
  const usersWithCodes = users.filter(({ codes }) => codes.length > 0);
  const counts = { adopted: 0, kept: 0, refused: 0 };
  const problems: string[] = [];
  for (const [index, user] of usersWithCodes.entries()) {
    const place = `line ${user.lineNumbers.join(', ')}`;
    try {
      counts[await adoptUser(user, { ...app, isDryRun })] += 1;
    } catch (error) {
      if (!concernsOneUser(error)) {
        problems.push(`stopped at ${place}: ${messageOf(error)}`);
        problems.push('Run the command again. It keeps the users that it has adopted.');
        break;
      }
      problems.push(`${place}: ${messageOf(error)}`);
      counts.refused += 1;
    }
    if ((index + 1) % PROGRESS_INTERVAL_USERS === 0) {
      host.stderr(`${index + 1} of ${usersWithCodes.length}\n`);
    }
  }
  const summary = [
    `${isDryRun ? 'to adopt' : 'adopted'} ${counts.adopted}`,
    `kept ${counts.kept}`,
    `refused ${counts.refused}`,
    `without codes ${users.length - usersWithCodes.length}`,
  ];
  host.stdout([summary.join(', '), ...problems].map((line) => `${line}\n`).join(''));
  return problems.length > 0 ? 1 : 0;
}

async function adoptUser(
  { userId, codes }: ExportedUser,
  { backupCodes, format, isDryRun }: AppExports & { readonly isDryRun: boolean },
): Promise<UserResult> {
  userSubject(userId);
  readPlainCodes(format, codes);
  if (isDryRun) return (await backupCodes.status(userId)) === null ? 'adopted' : 'kept';
  const context = { actor: 'passport-backup-code adopt' };
  const isAdopted = await backupCodes.adopt(userId, codes as string[], { format, context });
  return isAdopted ? 'adopted' : 'kept';
}

/** Reads the exports of an ES module or a CommonJS module. */
async function readAppExports(module: unknown): Promise<AppExports> {
  type Exports = Readonly<Partial<Record<keyof AppExports, unknown>>>;
  const named = module as Exports & { readonly default?: Exports };
  const exported = named.backupCodes === undefined ? (named.default ?? {}) : named;
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

function concernsOneUser(error: unknown): boolean {
  return ERRORS_OF_ONE_USER.includes((error as { code?: unknown } | null)?.code);
}

/** The first line of an error message. The rest, such as a require stack, is for debuggers. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}
