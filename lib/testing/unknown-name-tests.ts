// The store contract: attempts on user names that do not exist are limited like all others, so that
// an attacker cannot tell such a name from a real one.
import assert from 'node:assert/strict';
import { nameSubject } from '../stores/subject';
import { newUser, NOW, outcomeOf, takeAttempt, WAITS } from './samples';
import type { StoreTestContext } from './store-contract';

export function unknownNameTests({ test }: StoreTestContext): void {
  test('The key for unknown names is 32 bytes, and always the same', async (store) => {
    const key = await store.nameKey();
    const again = await store.nameKey();
    assert.equal(key.length, 32);
    assert.deepEqual(Buffer.from(key), Buffer.from(again));
  });

  test('Attempts on an unknown name are limited like others, and find no set', async (store) => {
    const subject = nameSubject(`name-${newUser().userId}`, await store.nameKey());
    const attempts = [];
    for (let n = 0; n < 5; n += 1)
      attempts.push(await takeAttempt(store, subject, { waits: WAITS, channel: 'recovery' }));
    assert.deepEqual(attempts.map(outcomeOf), [1, 2, 3, 4, `throttled until ${NOW + 60_000}`]);
    assert.equal(attempts[0]?.ok && attempts[0].current, null);
  });
}
