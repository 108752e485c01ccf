// What newcomers write by mistake, and the error that says what to write.
import { BackupCodes, MemoryStore, type ConsumeResult } from '../../lib';
import { beginLogin } from '../../lib/express';
import { readRefusal } from '../../lib/strategy/outcomes';
import { countingHasher } from '../helpers/counting-hasher';

const objectId = { toString: () => '665f1c' };
const store = new MemoryStore();
const backupCodes = new BackupCodes({ store, hasher: countingHasher() });

async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('The call was accepted.');
}

test.each<[string, () => unknown, string]>([
  [
    'an ObjectId as a user id',
    () => backupCodes.issue(objectId as never),
    'but was an object. For an ObjectId of MongoDB give String(user._id). (docs/errors.md#',
  ],
  [
    'an ObjectId as the id of the user of beginLogin',
    () => beginLogin({ session: {} } as never, { id: objectId }),
    'but was an object. For an ObjectId of MongoDB give String(user._id). If it is not user.id, ',
  ],
  [
    'an empty user id',
    () => backupCodes.issue(''),
    'A user id must be a string of 1 to 255 characters, a safe integer or a bigint, but was an ' +
      'empty string.',
  ],
  [
    'a user id that is too long',
    () => backupCodes.issue('a'.repeat(300)),
    'but was a string of 300 characters.',
  ],
  [
    'a store class without new',
    () => new BackupCodes({ store: MemoryStore as never }),
    'but was a class. Make an instance: new MemoryStore(…).',
  ],
  [
    'the name of a format',
    () => new BackupCodes({ store, format: 'recovery' as never }),
    'format must be a format, but was a string. Write format: formats.recovery,',
  ],
  [
    'the name of no format',
    () => new BackupCodes({ store, format: ['secret'] as never }),
    'Write format: formats.standard,',
  ],
])('%s is refused with a message that says what to write', async (_what, call, message) => {
  expect(await messageOf(call)).toContain(message);
});

test.each<[string, ConsumeResult | undefined, string]>([
  [
    '{ ok: false } without a reason',
    { ok: false } as never,
    'without a reason. Only true or { ok: true } means that the code was consumed. Give a reason, ' +
      "such as { ok: false, reason: 'mismatch' }.",
  ],
  [
    'nothing, because it calls a callback',
    undefined,
    'but returned undefined. Only true or { ok: true } means that the code was consumed. It gets ' +
      'no callback: return the result, or a promise of it.',
  ],
])('a consumeCode that returns %s is an error with the fix', async (_what, result, message) => {
  expect(await messageOf(() => readRefusal(result, 'second_factor'))).toContain(message);
});
