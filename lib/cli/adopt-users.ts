// Adopts the users of an export, several at a time, and says where it stopped. It waits for every
// user that it has begun, so that the users before the place of a stop are all done.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Format } from '../codes/formats';
import { readPlainCodes } from '../service/adopt';
import type { BackupCodes } from '../service/backup-codes';
import { userSubject } from '../stores/subject';
import { messageOf, placeOf } from './app-module';
import type { CommandHost } from './command';
import { progressReporter } from './progress';
import type { ExportedUser } from './user-export';

/** What the module of the app exports, checked. */
export interface AppExports {
  readonly backupCodes: BackupCodes;
  /** The format of the old codes. */
  readonly format: Format;
}

/** How users are adopted. */
export interface AdoptionOptions extends AppExports {
  readonly isDryRun: boolean;
  readonly host: CommandHost;
}

type UserResult = 'adopted' | 'kept';

/** What became of the users of an export. */
export interface AdoptionResult {
  readonly counts: Readonly<Record<UserResult | 'refused', number>>;
  /** A line for each user who was refused, in the order of the export, then the lines of a stop. */
  readonly problems: readonly string[];
}

const RUN_AGAIN = 'Run the command again. It keeps the users that it has adopted.';
/** Errors that concern one user only. The command continues with the next user. */
const ERRORS_OF_ONE_USER: readonly unknown[] = [
  'invalid_codes',
  'invalid_format',
  'invalid_user_id',
];

/** Adopts the users. As many as the host has cores are adopted at a time. */
export async function adoptUsers(
  users: readonly ExportedUser[],
  options: AdoptionOptions,
): Promise<AdoptionResult> {
  const { host } = options;
  const counts = { adopted: 0, kept: 0, refused: 0 };
  const refusals: { readonly index: number; readonly problem: string }[] = [];
  const faults: { readonly index: number; readonly problem: string }[] = [];
  /** Users that found the hash queue full. They come before those that were not begun. */
  const returned: number[] = [];
  let firstNotBegun = 0;
  let workers = Math.min(host.cores, users.length);
  const reportProgress = progressReporter(users.length, host);

  const nextIndex = (): number => returned.shift() ?? firstNotBegun++;
  const hasNext = (): boolean => returned.length > 0 || firstNotBegun < users.length;

  const adoptInTurn = async (): Promise<void> => {
    while (hasNext() && faults.length === 0 && !host.stopSignal.aborted) {
      const index = nextIndex();
      const user = users[index] as ExportedUser;
      try {
        counts[await adoptUser(user, options)] += 1;
      } catch (error) {
        const problem = `${placeOf(user.lineNumbers)}: ${messageOf(error)}`;
        if (codeOf(error) === 'busy' && workers > 1) {
          // The app allows fewer slow hashes at once than there are cores.
          workers -= 1;
          returned.push(index);
          return;
        }
        if (!ERRORS_OF_ONE_USER.includes(codeOf(error))) {
          faults.push({ index, problem });
          return;
        }
        refusals.push({ index, problem });
        counts.refused += 1;
      }
      reportProgress(counts.adopted + counts.kept + counts.refused);
      // A store that answers at once would otherwise let no signal through.
      await nextTurn();
    }
  };
  await Promise.all(Array.from({ length: workers }, adoptInTurn));

  const problems = inOrder(refusals);
  const [fault] = inOrder(faults);
  if (fault !== undefined) {
    problems.push(`stopped at ${fault}`, RUN_AGAIN);
  } else if (hasNext()) {
    const { lineNumbers } = users[Math.min(firstNotBegun, ...returned)] as ExportedUser;
    const signal = String(host.stopSignal.reason);
    problems.push(`stopped by ${signal} before ${placeOf(lineNumbers)}.`, RUN_AGAIN);
  }
  return { counts, problems };
}

async function adoptUser(
  { userId, codes }: ExportedUser,
  { backupCodes, format, isDryRun }: AdoptionOptions,
): Promise<UserResult> {
  userSubject(userId);
  readPlainCodes(format, codes);
  if (isDryRun) return (await backupCodes.status(userId)) === null ? 'adopted' : 'kept';
  const context = { actor: 'passport-backup-code adopt' };
  const isAdopted = await backupCodes.adopt(userId, codes as string[], { format, context });
  return isAdopted ? 'adopted' : 'kept';
}

function inOrder(found: readonly { readonly index: number; readonly problem: string }[]): string[] {
  return found.toSorted((a, b) => a.index - b.index).map(({ problem }) => problem);
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}
