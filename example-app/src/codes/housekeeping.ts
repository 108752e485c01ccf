// Periodic tasks: reminders before codes expire, and deletion of audit events and mail that are
// older than the retention period. Several processes may run them at once; each reminder is
// recorded once.
import type { BackupCodes } from 'passport-backup-code';

export interface Housekeeping {
  /** Waits for running tasks. */
  close(): Promise<void>;
}

export interface HousekeepingOptions {
  readonly backupCodes: BackupCodes;
  /** Deletes other data with the same retention period. */
  readonly pruneOthers: (log: { before: number }) => Promise<void>;
  readonly auditDays: number;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Runs each task at once, and then at its interval. */
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
  const tasks = [
    repeat(() => backupCodes.audit.recordReminders(), { everyMs: HOUR_MS, report }),
    repeat(prune, { everyMs: DAY_MS, report }),
  ];
  return {
    close: async () => {
      await Promise.all(tasks.map((task) => task.close()));
    },
  };
}

function repeat(
  task: () => Promise<unknown>,
  { everyMs, report }: { everyMs: number; report: (error: unknown) => void },
): Housekeeping {
  let running = Promise.resolve();
  const run = (): void => {
    running = running.then(task).then(() => undefined, report);
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
