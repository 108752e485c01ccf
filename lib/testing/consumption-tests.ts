// The store contract: a code is consumed once, while its set is valid, and together with its
// events.
import assert from 'node:assert/strict';
import type { BackupCodeStore } from '../stores/contract';
import type { ConsumeRequest } from '../stores/requests';
import {
  HOUR_MS,
  issueSet,
  newCode,
  newConsumeRequest,
  newEvent,
  NOW,
  takeGrantedAttempt,
} from './samples';
import type { StoreTestContext } from './store-contract';

const SET_EXPIRED = { outcome: 'gone', reason: 'expired' } as const;

export function consumptionTests({ test, readEvents }: StoreTestContext): void {
  test('Each code is consumed once, and `remaining` falls by one each time', async (store) => {
    const set = await issueSet(store, { count: 3 });
    for (const index of [0, 1, 2]) {
      await expectConsumed(store, newConsumeRequest(set, index, { now: NOW + index }), {
        remaining: 2 - index,
        total: 3,
      });
      assert.deepEqual(await store.consume(newConsumeRequest(set, index)), {
        outcome: 'already_consumed',
        consumedAt: NOW + index,
      });
    }
    const current = (await store.find(set.subject))?.current;
    assert.deepEqual([current?.remaining, current?.lastConsumedAt], [0, NOW + 2]);
    const events = await readEvents(set.subject.userId);
    assert.deepEqual(
      events.map(({ type, codeId, remaining }) => [type, codeId, remaining]),
      [
        ['issued', null, 3],
        ...set.codes.map(({ codeId }, index) => ['consumed', codeId, 2 - index]),
      ],
    );
  });

  test('No code works from the millisecond at which its set expires', async (store) => {
    const expiresAt = NOW + HOUR_MS;
    const set = await issueSet(store, { expiresAt });
    const consumeAt = (now: number): ConsumeRequest => newConsumeRequest(set, 0, { now });
    assert.deepEqual(await store.consume(consumeAt(expiresAt)), SET_EXPIRED);
    assert.deepEqual(await store.consume(consumeAt(expiresAt + 1)), SET_EXPIRED);
    await expectConsumed(store, consumeAt(expiresAt - 1), { remaining: 9, total: 10 });
  });

  test('A code of another user or of another set is not consumed', async (store) => {
    const ada = await issueSet(store);
    const bob = await issueSet(store);
    const foreign = { ...newConsumeRequest(ada, 0), codeId: bob.codes[0]?.codeId ?? '' };
    assert.deepEqual(await store.consume(foreign), { outcome: 'gone', reason: 'none' });
    assert.deepEqual(
      [
        (await store.find(ada.subject))?.current?.remaining,
        (await store.find(bob.subject))?.current?.remaining,
      ],
      [10, 10],
    );
    assert.equal((await store.consume(newConsumeRequest(bob, 0))).outcome, 'consumed');
  });

  test('A milestone is written only with the code that reaches it', async (store) => {
    const set = await issueSet(store, { count: 3 });
    for (const index of [0, 1, 2]) {
      const milestones = [
        { remaining: 1, event: newEvent('low', set.subject) },
        { remaining: 0, event: newEvent('exhausted', set.subject) },
      ];
      await store.consume(newConsumeRequest(set, index, { milestones }));
    }
    assert.deepEqual(
      (await readEvents(set.subject.userId)).map(({ type, remaining }) => [type, remaining]),
      [
        ['issued', 3],
        ['consumed', 2],
        ['consumed', 1],
        ['low', 1],
        ['consumed', 0],
        ['exhausted', 0],
      ],
    );
  });

  test('A replacement keeps `remaining` as it is, and works itself', async (store) => {
    const set = await issueSet(store, { count: 2 });
    const replacement = newCode();
    await expectConsumed(store, newConsumeRequest(set, 0, { replacement }), {
      remaining: 2,
      total: 3,
    });
    await expectConsumed(store, newConsumeRequest({ ...set, codes: [replacement] }, 0), {
      remaining: 1,
      total: 3,
    });
    const { current } = await takeGrantedAttempt(store, set.subject);
    assert.deepEqual([current?.codes.length, current?.total], [3, 3]);
  });

  test('No replacement is added for a code that was not consumed', async (store) => {
    const set = await issueSet(store, { count: 2 });
    await store.consume(newConsumeRequest(set, 0));
    await store.consume(newConsumeRequest(set, 0, { replacement: newCode() }));
    const { current } = await takeGrantedAttempt(store, set.subject);
    assert.deepEqual([current?.codes.length, current?.total, current?.remaining], [2, 2, 1]);
  });
}

/** Consumes a code, and checks the result and the events that are returned with it. */
export async function expectConsumed(
  store: BackupCodeStore,
  request: ConsumeRequest,
  expected: { readonly remaining: number; readonly total: number },
): Promise<void> {
  assert.deepEqual(await store.consume(request), {
    outcome: 'consumed',
    ...expected,
    events: request.events.map((event) => ({ ...event, ...expected })),
    repeated: false,
  });
}
