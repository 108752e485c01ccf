// Declares tests that need a real server. It starts before them and stops after them, even if a
// test fails. If it cannot be started here, the tests are skipped and say what is missing. With
// REQUIRE_ALL=1 that is a failure.
import type { Server } from './server-process';

export interface ServerKind<S extends Pick<Server, 'stop'>, Options> {
  readonly name: string;
  /** What is missing on this machine, or `null`. */
  missing(): string | null;
  start(options?: Options): Promise<S>;
}

const START_TIMEOUT_MS = 120_000;

/**
 * @param body declares the tests. It receives a function that returns the server and that only a
 * test or a hook can call
 * @example
 * describeWith(redis, 'RedisStore', (server) => {
 *   it('…', () => connect(server().url));
 * });
 */
export function describeWith<S extends Pick<Server, 'stop'>, Options>(
  kind: ServerKind<S, Options>,
  title: string,
  body: (server: () => S) => void,
  options?: Options,
): void {
  const missing = kind.missing();
  if (missing !== null && process.env['REQUIRE_ALL'] === '1') {
    it(`${title}: ${kind.name} is installed`, () => {
      throw new Error(`${missing} REQUIRE_ALL=1 needs every server.`);
    });
    return;
  }
  // Jest does not print the names of skipped tests.
  if (missing !== null) process.stderr.write(`Skipped: ${title}. ${missing}\n`);
  const declare = missing === null ? describe : describe.skip;
  declare(missing === null ? title : `${title} (skipped: ${missing})`, () => {
    let started: S | null = null;
    beforeAll(async () => {
      started = await kind.start(options);
    }, START_TIMEOUT_MS);
    body(() => {
      if (started === null)
        throw new Error(`${kind.name} is not started yet: ask for it inside a test or a hook.`);
      return started;
    });
    // Jest runs these hooks in order. Those of the body close their connections first.
    afterAll(async () => {
      await started?.stop();
    }, START_TIMEOUT_MS);
  });
}
