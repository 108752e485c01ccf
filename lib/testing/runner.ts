// What the suites need of a test runner: two functions that Jest, Vitest, Mocha and node:test all have.

/** A test runner: pass `{ describe, it }` of yours. */
export interface Runner {
  /** Groups the tests that `body` declares. */
  describe(name: string, body: () => void): unknown;
  /** Takes an asynchronous test. Allow each a minute where the database is slow. */
  it(name: string, body: () => Promise<void>): unknown;
}

/** Calls at once, and waits for all; a call that throws fails the test. */
export function atOnce<T>(times: number, call: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => call(index)));
}
