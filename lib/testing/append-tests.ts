// The store contract: events are written as they were given, and a channel is locked only if no
// code was consumed on it and no set was issued since.
import assert from 'node:assert/strict';
import {
  issueSet,
  newConsumeRequest,
  newEvent,
  newUser,
  NOW,
  takeAttempt,
  takeGrantedAttempt,
} from './samples';
import type { StoreTestContext } from './store-contract';

export function appendTests({ test, readEvents }: StoreTestContext): void {
  test('Appended events are recorded in their order, with their reasons', async (store) => {
    const subject = newUser();
    await store.append([
      newEvent('rejected', subject, { reason: 'mismatch' }),
      newEvent('locked', subject),
    ]);
    assert.deepEqual(
      (await readEvents(subject.userId)).map(({ type, reason }) => [type, reason]),
      [
        ['rejected', 'mismatch'],
        ['locked', null],
      ],
    );
  });

  test('A locked channel refuses attempts and codes; the other channel works', async (store) => {
    const set = await issueSet(store);
    const { subject } = set;
    const { ticket } = await takeGrantedAttempt(store, subject);
    const rejected = newEvent('rejected', subject, { reason: 'mismatch' });
    const locked = newEvent('locked', subject);
    assert.deepEqual(await store.append([rejected], { subject, ticket, now: NOW, event: locked }), [
      rejected,
      locked,
    ]);
    assert.deepEqual(
      (await readEvents(subject.userId)).map(({ type }) => type),
      ['issued', 'rejected', 'locked'],
    );
    const refused = await takeAttempt(store, subject);
    assert.equal(!refused.ok && refused.reason, 'locked');
    assert.deepEqual(await store.consume(newConsumeRequest(set, 0)), {
      outcome: 'gone',
      reason: 'locked',
    });
    assert.equal((await store.find(subject))?.secondFactor.lockedAt, NOW);
    assert.equal(
      (await store.consume({ ...newConsumeRequest(set, 0), channel: 'recovery' })).outcome,
      'consumed',
    );
  });

  test('A ticket from before the last success does not lock its channel', async (store) => {
    const set = await issueSet(store);
    const { subject } = set;
    const { ticket } = await takeGrantedAttempt(store, subject);
    await store.consume(newConsumeRequest(set, 0));
    const rejected = newEvent('rejected', subject, { reason: 'reused' });
    const lock = { subject, ticket, now: NOW, event: newEvent('locked', subject) };
    assert.deepEqual(await store.append([rejected], lock), [rejected]);
    assert.deepEqual(
      (await readEvents(subject.userId)).map(({ type }) => type),
      ['issued', 'consumed', 'rejected'],
    );
    assert.equal((await takeAttempt(store, subject)).ok, true);
  });
}
