// The store contract: an attempt that is given back is as if it was never taken, and never makes
// room for more than that.
import assert from 'node:assert/strict';
import {
  issueSet,
  newConsumeRequest,
  NOW,
  outcomeOf,
  takeAttempt,
  takeGrantedAttempt,
} from './samples';
import type { StoreTestContext } from './store-contract';

export function giveBackTests({ test }: StoreTestContext): void {
  test('An attempt that is given back is uncounted, and its wait ends', async (store) => {
    const { subject } = await issueSet(store);
    const waits = [60_000, 0];
    const { ticket } = await takeGrantedAttempt(store, subject, { waits });
    await store.giveBack({ subject, ticket });
    assert.equal((await takeGrantedAttempt(store, subject, { waits })).ticket.attempt, 1);
  });

  test('An attempt given back does not end the wait of a later attempt', async (store) => {
    const { subject } = await issueSet(store);
    const waits = [0, 60_000, 0];
    const first = await takeGrantedAttempt(store, subject, { waits });
    await takeGrantedAttempt(store, subject, { waits });
    await store.giveBack({ subject, ticket: first.ticket });
    const refused = await takeAttempt(store, subject, { waits });
    assert.deepEqual(outcomeOf(refused), `throttled until ${NOW + 60_000}`);
  });

  test('An attempt given back after a success changes nothing', async (store) => {
    const set = await issueSet(store);
    const { subject } = set;
    const { ticket } = await takeGrantedAttempt(store, subject);
    await store.consume(newConsumeRequest(set, 0));
    await takeGrantedAttempt(store, subject);
    await store.giveBack({ subject, ticket });
    assert.equal((await store.find(subject))?.secondFactor.attempts, 1);
  });
}
