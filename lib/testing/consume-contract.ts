// The suite for an app's own `consumeCode`: a code is accepted exactly once, however many callers
// use it at the same time.
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { callAtOnce } from './runner';
import type { Runner } from './runner';

const BUSY_WAIT_MS = 5;

/** An app's own `consumeCode`, and users to try it on. */
export interface ConsumeContractOptions<User> {
  /**
   * Makes a user with at least ten fresh codes. Returns the codes as they were issued. Each test
   * calls this at least once; a race calls it once a round.
   */
  readonly setUp: () => Promise<{ readonly user: User; readonly codes: readonly string[] }>;
  /**
   * The function that the app passes to the strategy. If it returns `{ ok: false, reason: 'busy'
   * }`, as `BackupCodes.consume` does when it has not checked the code, it is called again.
   */
  readonly consumeCode: (user: User, code: string) => unknown;
  /** A code in the app's format that no user has. */
  readonly wrongCode: string;
  /**
   * How many callers use one code at the same time.
   *
   * @default 50
   */
  readonly callers?: number;
  /**
   * How often each race is run. More rounds find rarer faults and take longer.
   *
   * @default 20
   */
  readonly rounds?: number;
}

/**
 * Declares the tests that each `consumeCode` must pass. A `consumeCode` that reads, then writes,
 * fails them.
 *
 * @example
 * import { describe, it } from 'node:test';
 * import { consumeContract } from 'passport-backup-code/testing';
 *
 * async function setUp() {
 *   const user = await users.create();
 *   return { user, codes: await issueCodes(user) }; // ten unused codes, as they were printed
 * }
 * consumeContract({ describe, it }, { setUp, consumeCode, wrongCode: 'AAAA-AAAA' });
 */
export function consumeContract<User>(runner: Runner, options: ConsumeContractOptions<User>): void {
  const { setUp, wrongCode, callers = 50, rounds = 20 } = options;
  const consume = async (user: User, code: string): Promise<boolean> => {
    for (;;) {
      const result = await options.consumeCode(user, code);
      if (!isBusy(result)) return isConsumed(result);
      await setTimeout(BUSY_WAIT_MS);
    }
  };

  runner.describe('consumeCode', () => {
    runner.it('A valid code is accepted', async () => {
      const { user, codes } = await setUp();
      assert.equal(await consume(user, firstOf(codes)), true);
    });

    runner.it('A code that was accepted before is refused', async () => {
      const { user, codes } = await setUp();
      await consume(user, firstOf(codes));
      assert.equal(await consume(user, firstOf(codes)), false);
    });

    runner.it('An invalid code is refused, and the valid codes still work', async () => {
      const { user, codes } = await setUp();
      assert.equal(await consume(user, wrongCode), false);
      assert.equal(await consume(user, firstOf(codes)), true);
    });

    runner.it('A code of another user is refused, and still works for its owner', async () => {
      const ada = await setUp();
      const bob = await setUp();
      assert.equal(await consume(bob.user, firstOf(ada.codes)), false);
      assert.equal(await consume(ada.user, firstOf(ada.codes)), true);
    });

    runner.it(`Of ${callers} callers who use one code at once, exactly one succeeds`, async () => {
      for (let round = 0; round < rounds; round += 1) {
        const { user, codes } = await setUp();
        const results = await callAtOnce(callers, () => consume(user, firstOf(codes)));
        assert.equal(
          results.filter(Boolean).length,
          1,
          'consumeCode must accept the code for exactly one caller',
        );
        assert.equal(await consume(user, firstOf(codes)), false);
      }
    });

    runner.it('Two codes used at once are both accepted, and neither works again', async () => {
      for (let round = 0; round < rounds; round += 1) {
        const { user, codes } = await setUp();
        const two = codes.slice(0, 2);
        assert.deepEqual(await Promise.all(two.map((code) => consume(user, code))), [true, true]);
        assert.deepEqual(
          [await consume(user, two[0] ?? ''), await consume(user, two[1] ?? '')],
          [false, false],
        );
      }
    });

    runner.it('Ten codes used at once are all accepted', async () => {
      const { user, codes } = await setUp();
      const ten = codes.slice(0, 10);
      assert.equal(ten.length, 10, 'setUp must make at least ten codes');
      assert.deepEqual(
        await Promise.all(ten.map((code) => consume(user, code))),
        ten.map(() => true),
      );
    });
  });
}

function isBusy(result: unknown): boolean {
  return typeof result === 'object' && result !== null && Reflect.get(result, 'reason') === 'busy';
}

/**
 * Reads a result as the strategy does: `true` and `{ ok: true }` accept, `false` and `{ ok: false
 * }` refuse. Any other result fails the test.
 */
function isConsumed(result: unknown): boolean {
  if (typeof result === 'boolean') return result;
  const ok: unknown =
    typeof result === 'object' && result !== null ? Reflect.get(result, 'ok') : undefined;
  assert.equal(typeof ok, 'boolean', 'consumeCode must return true, false or { ok: boolean }');
  return ok === true;
}

function firstOf(codes: readonly string[]): string {
  const [code] = codes;
  assert.ok(code !== undefined, 'setUp must make codes');
  return code;
}
