// A host that is no Express: no response on the request, and no name of a property for the user. The strategy is asked as Passport does.
import type { Request } from 'express';
import {
  BackupCodes,
  BackupCodeStrategy,
  defineFormat,
  MemoryStore,
  type ConsumeResult,
} from '../../lib';
import { countingHasher } from '../helpers/counting-hasher';

/** The one action that was taken, and with what. */
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
  ['none at all', {}],
  ['one that takes no headers', { res: {} }],
])('is told of a wait where its request has no response: %s', async (_what, res) => {
  expect(
    await answer(consuming({ ok: false, reason: 'throttled', retryAfterSeconds: 7 }), {
      user,
      ...res,
    }),
  ).toEqual([
    'fail',
    {
      code: 'too_many_attempts',
      message: 'Too many attempts. Please wait before you try again.',
      retryAfterSeconds: 7,
    },
    429,
  ]);
});

it('is told of a consumed code no more than the app said of it', async () => {
  const [action, whom, info] = await answer(consuming(true), { user });
  expect([action, whom, Object.keys(info as object)]).toEqual(['success', user, ['method', 'amr']]);
});

it('asks for a login where nobody is on its request', async () => {
  expect(await answer(consuming(true), {})).toEqual([
    'fail',
    { code: 'login_required', message: 'Please sign in first.' },
    401,
  ]);
});

it('lets a code in alone that has 64 bits, and not one of fewer', () => {
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
