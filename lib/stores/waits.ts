// The waits between attempts, as every store counts them. `sql/waits.ts` says the same in SQL.
import type { AttemptRequest } from './requests';

/**
 * Whether a wait is running. One that ends later than the longest possible one was begun by a clock
 * that was ahead.
 */
export function isWaiting(nextAt: number, { now, waits }: AttemptRequest): boolean {
  return now < nextAt && nextAt <= now + Math.max(...waits);
}

/** Milliseconds to wait after the attempt of this number. The last wait is repeated. */
export function waitAfter(attempt: number, { waits }: AttemptRequest): number {
  return waits[Math.min(attempt, waits.length) - 1] ?? 0;
}
