// The waits between attempts, and the end of a staged set, as every store counts them.
// `sql/waits.ts` says the same of waits in SQL.
import { STAGED_MS } from './contract';
import type { ActivateRequest, AttemptRequest } from './requests';

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

/**
 * Whether a staged set can be activated. One that ends later than a set staged now was staged by a
 * clock that was ahead.
 */
export function isActivatable(until: number, request: Pick<ActivateRequest, 'now'>): boolean {
  return request.now < until && until <= latestUntil(request);
}

/** The latest time at which a staged set can end that was staged by now, on any process. */
export function latestUntil({ now }: Pick<ActivateRequest, 'now'>): number {
  return now + STAGED_MS + CLOCK_DIFFERENCE_MS;
}

/** Milliseconds to wait after the attempt of this number. The last wait is repeated. */
export function waitAfter(attempt: number, { waits }: AttemptRequest): number {
  return waits[Math.min(attempt, waits.length) - 1] ?? 0;
}
