// A framework that is not Express: a request without a response, and without the name of the user
// property. The strategy is called the way Passport calls it.
import type { Request } from 'express';
import {
  BackupCodes,
  BackupCodeStrategy,
  defineFormat,
  MemoryStore,
  type ConsumeResult,
} from '../../lib';
import { countingHasher } from '../helpers/counting-hasher';

/** The one action that was taken, with its arguments. */
function answer(strategy: BackupCodeStrategy<object>, req: object): Promise<unknown[]> {
  return new Promise((resolve) => {
    const action =
      (name: string) =>
      (...values: unknown[]): void =>
        resolve([name, ...values]);
    const asked = Object.assign(Object.create(strategy) as typeof strategy, {
      success: action('success'),
      fail: action('fail'),
      error: action('error'),
    });
    asked.authenticate({ headers: {}, body: { code: 'AAAA-AAAA' }, ...req } as unknown as Request);
  });
}

const consuming = (result: ConsumeResult): BackupCodeStrategy<object> =>
  new BackupCodeStrategy<object>({ consumeCode: () => result });
const user = { id: 'ada' };

it.each([
  ['no response', {}],
  ['a response that takes no headers', { res: {} }],
])('a wait is in the info of a request with %s', async (_what, res) => {
  expect(
    await answer(consuming({ ok: false, reason: 'throttled', retryAfterSeconds: 7 }), {
      user,
      ...res,
    }),
  ).toEqual([
    'fail',
    {
      code: 'too_many_attempts',
      message: 'Too many attempts. Please wait 7 seconds before you try again.',
      retryAfterSeconds: 7,
    },
    429,
  ]);
});

it('info has only method and amr if consumeCode returns true', async () => {
  const [action, loggedIn, info] = await answer(consuming(true), { user });
  expect([action, loggedIn, Object.keys(info as object)]).toEqual([
    'success',
    user,
    ['method', 'amr'],
  ]);
});

it('a request without a user fails with login_required', async () => {
  expect(await answer(consuming(true), {})).toEqual([
    'fail',
    { code: 'login_required', message: 'Please sign in first.' },
    401,
  ]);
});

it('findUser is accepted with a format of 64 bits, and refused with one of 60', () => {
  const ofLength = (length: number): BackupCodes =>
    new BackupCodes({
      store: new MemoryStore(),
      hasher: countingHasher(),
      format: defineFormat({ alphabet: '0123456789abcdef', length }),
    });
  expect(
    () => new BackupCodeStrategy({ backupCodes: ofLength(16), findUser: () => null }),
  ).not.toThrow();
  expect(() => new BackupCodeStrategy({ backupCodes: ofLength(15), findUser: () => null })).toThrow(
    'needs 64 bits',
  );
});
