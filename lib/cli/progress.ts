// Prints how much of a command is done, and about how long the rest takes.
import type { CommandHost } from './command';

const PROGRESS_INTERVAL_MS = 5_000;
const SECONDS_PER_MINUTE = 60;
const MINUTES_PER_HOUR = 60;

/**
 * Returns a function that receives how many are done, and prints a line every five seconds. The
 * time left is estimated from the speed since the last line: users that are kept take almost no
 * time, so an average over all would be wrong for a run that continues an earlier one.
 */
export function progressReporter(
  total: number,
  { now, stderr }: Pick<CommandHost, 'now' | 'stderr'>,
): (done: number) => void {
  let reportedAt = now();
  let reportedDone = 0;
  return (done) => {
    const elapsedMs = now() - reportedAt;
    if (elapsedMs < PROGRESS_INTERVAL_MS) return;
    const msForEach = elapsedMs / (done - reportedDone);
    stderr(`${done} of ${total}, about ${timeOf((total - done) * msForEach)} left\n`);
    reportedAt += elapsedMs;
    reportedDone = done;
  };
}

/** Such as `40 s`, `12 min` or `3 h 5 min`. */
function timeOf(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 2 * SECONDS_PER_MINUTE) return `${seconds} s`;
  const minutes = Math.ceil(seconds / SECONDS_PER_MINUTE);
  if (minutes < 2 * MINUTES_PER_HOUR) return `${minutes} min`;
  return `${Math.floor(minutes / MINUTES_PER_HOUR)} h ${minutes % MINUTES_PER_HOUR} min`;
}
