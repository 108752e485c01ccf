// What the suites need of a test runner: two functions that Jest, Vitest, Mocha and node:test have.

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
