// What is to be done from time to time, whoever does it: reminders of codes that expire, and
// forgetting what is older than the policy says. Several processes may do it at once: each reminder
// is given once.
import type { BackupCodes } from 'passport-backup-code';

export interface Housekeeping {
  /** Waits for what is under way. */
  close(): Promise<void>;
}

export interface HousekeepingOptions {
  readonly backupCodes: BackupCodes;
  /** Forgets what else is kept as long. */
  readonly pruneOthers: (log: { before: number }) => Promise<void>;
  readonly auditDays: number;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Begins at once. */
export function startHousekeeping({
  backupCodes,
  pruneOthers,
  auditDays,
  now,
  report,
}: HousekeepingOptions): Housekeeping {
  const prune = async (): Promise<void> => {
    const before = now() - auditDays * DAY_MS;
    await backupCodes.audit.prune({ before });
    await pruneOthers({ before });
  };
  const chores = [
    repeat(() => backupCodes.audit.recordReminders(), { everyMs: HOUR_MS, report }),
    repeat(prune, { everyMs: DAY_MS, report }),
  ];
  return {
    close: async () => {
      await Promise.all(chores.map((chore) => chore.close()));
    },
  };
}

function repeat(
  chore: () => Promise<unknown>,
  { everyMs, report }: { everyMs: number; report: (error: unknown) => void },
): Housekeeping {
  let running = Promise.resolve();
  const run = (): void => {
    running = running.then(chore).then(() => undefined, report);
  };
  const timer = setInterval(run, everyMs);
  timer.unref();
  run();
  return {
    close: () => {
      clearInterval(timer);
      return running;
    },
  };
}
