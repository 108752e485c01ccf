// What the suites need: two functions of a test runner, which Jest, Vitest, Mocha and node:test
// have, and many calls at once over several connections.

/**
 * The test runner that the suites declare their tests with.
 *
 * @example
 * import { describe, it } from 'node:test';
 *
 * storeContract({ describe, it }, options);
 */
export interface Runner {
  /** Groups the tests that `body` declares. */
  describe(name: string, body: () => void): unknown;
  /** Declares an asynchronous test. On a slow database a test can take up to a minute. */
  it(name: string, body: () => Promise<void>): unknown;
}

/** Starts all calls before it waits for the first. A call that throws fails the test. */
export function callAtOnce<T>(times: number, call: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => call(index)));
}

/** Spreads callers over connections: caller n uses connection n, and after the last the first. */
export function connectionOf<T>(connections: readonly T[], caller: number): T {
  return connections[caller % connections.length] as T;
}

/** How often each value occurs, as `{ consumed: 1, already_consumed: 49 }`. */
export function countEach(values: readonly unknown[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  return Object.fromEntries(counts);
}
