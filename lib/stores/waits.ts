// The waits between attempts, as every store counts them. `sql/waits.ts` says the same in SQL.
import type { AttemptRequest } from './requests';

/** By how much the clocks of two processes may differ without ending a wait. */
const CLOCK_DIFFERENCE_MS = 300_000;

/**
 * Whether a wait is running. One that ends later than the longest possible one was begun by a clock
 * that was ahead.
 */
export function isWaiting(nextAt: number, request: AttemptRequest): boolean {
  const { now } = request;
  return now < nextAt && nextAt <= latestEnd(request);
}

/** The latest time at which a wait can end that began by now, on any process. */
export function latestEnd({ now, waits }: AttemptRequest): number {
  return now + Math.max(...waits) + CLOCK_DIFFERENCE_MS;
}

/** Milliseconds to wait after the attempt of this number. The last wait is repeated. */
export function waitAfter(attempt: number, { waits }: AttemptRequest): number {
  return waits[Math.min(attempt, waits.length) - 1] ?? 0;
}
