// What a time is in this package: milliseconds since 1970, in UTC. Every file may use it: it loads
// nothing.

/** One day in milliseconds. */
export const DAY_MS = 86_400_000;

/** The last time that a `Date` can hold (ECMA-262, section 21.4.1.1). */
const MAX_TIME = 8.64e15;

/** Whether the value is a time from 1970 on that a `Date` can hold. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_TIME;
}
