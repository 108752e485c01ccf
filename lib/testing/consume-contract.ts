// The suite for an app's own `consumeCode`: proves that a code is accepted exactly once, however many ask at once.
import assert from 'node:assert/strict';
import { atOnce, type Runner } from './runner';

/** An app's own `consumeCode`, and users to try it on. */
export interface ConsumeContractOptions<User> {
  /** Makes a user with fresh codes, as they were issued; at least ten. Called for each test, some of them twenty times. */
  readonly setUp: () => Promise<{ readonly user: User; readonly codes: readonly string[] }>;
  /** What is handed to the strategy. */
  readonly consumeCode: (user: User, code: string) => unknown;
  /** A code of the right form that nobody has. */
  readonly wrongCode: string;
  /** Callers of one code at once. Default 50. */
  readonly callers?: number;
  /** How often each race is run. Default 20. */
  readonly rounds?: number;
}

/**
 * Declares the tests. A callback that reads, then writes, fails them.
 *
 * @example consumeContract({ describe, it }, { setUp, consumeCode, wrongCode: 'AAAA-AAAA' });
 */
export function consumeContract<User>(runner: Runner, options: ConsumeContractOptions<User>): void {
  const { setUp, wrongCode, callers = 50, rounds = 20 } = options;
  const consume = async (user: User, code: string): Promise<boolean> =>
    isConsumed(await options.consumeCode(user, code));

  runner.describe('consumeCode', () => {
    runner.it('accepts a right code', async () => {
      const { user, codes } = await setUp();
      assert.equal(await consume(user, first(codes)), true);
    });

    runner.it('refuses a code that was accepted before', async () => {
      const { user, codes } = await setUp();
      await consume(user, first(codes));
      assert.equal(await consume(user, first(codes)), false);
    });

    runner.it('refuses a wrong code, and the right ones still work', async () => {
      const { user, codes } = await setUp();
      assert.equal(await consume(user, wrongCode), false);
      assert.equal(await consume(user, first(codes)), true);
    });

    runner.it("refuses another user's code, which still works for its owner", async () => {
      const [ada, bob] = [await setUp(), await setUp()];
      assert.equal(await consume(bob.user, first(ada.codes)), false);
      assert.equal(await consume(ada.user, first(ada.codes)), true);
    });

    runner.it(`accepts one code exactly once, of ${callers} callers at once`, async () => {
      for (let round = 0; round < rounds; round += 1) {
        const { user, codes } = await setUp();
        const results = await atOnce(callers, () => consume(user, first(codes)));
        assert.equal(
          results.filter(Boolean).length,
          1,
          'exactly one caller must be told that the code was consumed',
        );
        assert.equal(await consume(user, first(codes)), false);
      }
    });

    runner.it('accepts two different codes at once, and neither comes back', async () => {
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

    runner.it('accepts ten different codes at once', async () => {
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

/** The strategy's own rule: only `true` and `{ ok: true }` count; what is neither that nor a refusal is a mistake. */
function isConsumed(result: unknown): boolean {
  if (typeof result === 'boolean') return result;
  const ok: unknown =
    typeof result === 'object' && result !== null ? Reflect.get(result, 'ok') : undefined;
  assert.equal(typeof ok, 'boolean', 'consumeCode must return true, false or { ok: boolean }');
  return ok === true;
}

function first(codes: readonly string[]): string {
  const [code] = codes;
  assert.ok(code !== undefined, 'setUp must make codes');
  return code;
}
