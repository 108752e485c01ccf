// The store contract: on the recovery channel attempts are counted for each network, so that a
// stranger who knows a user name delays no owner.
import assert from 'node:assert/strict';
import { COUNTER_KEPT_MS } from '../stores/contract';
import {
  issueSet,
  newConsumeRequest,
  newEvent,
  NOW,
  outcomeOf,
  takeAttempt,
  takeGrantedAttempt,
  WAITS,
} from './samples';
import type { StoreTestContext } from './store-contract';

const OWNER = { channel: 'recovery', network: '192.0.2.0/24' } as const;
const STRANGER = { channel: 'recovery', network: '2001:db8:0:1200::/56' } as const;

export function networkTests({ test, readEvents }: StoreTestContext): void {
  test('Recovery attempts from one network do not delay another network', async (store) => {
    const { subject } = await issueSet(store);
    const outcomes = [];
    for (let n = 0; n < 5; n += 1) {
      outcomes.push(outcomeOf(await takeAttempt(store, subject, { ...STRANGER, waits: WAITS })));
    }
    assert.deepEqual(outcomes, [1, 2, 3, 4, `throttled until ${NOW + 60_000}`]);
    const owner = await takeGrantedAttempt(store, subject, { ...OWNER, waits: WAITS });
    assert.equal(owner.ticket.attempt, 1);
  });

  test('Recovery attempts repeat the last wait and never lock', async (store) => {
    const { subject } = await issueSet(store);
    const waits = [0, 60_000];
    let now = NOW;
    for (let attempt = 1; attempt <= 120; attempt += 1) {
      const granted = await takeGrantedAttempt(store, subject, { ...STRANGER, waits, now });
      assert.equal(granted.ticket.attempt, attempt);
      if (attempt > 1) {
        const refused = await takeAttempt(store, subject, { ...STRANGER, waits, now });
        assert.equal(outcomeOf(refused), `throttled until ${now + 60_000}`);
        now += 60_000;
      }
    }
  });

  test('A consumed code resets the recovery attempts of every network', async (store) => {
    const set = await issueSet(store);
    const { subject } = set;
    const waits = [60_000];
    for (const source of [OWNER, STRANGER]) {
      await takeGrantedAttempt(store, subject, { ...source, waits });
    }
    await store.consume({ ...newConsumeRequest(set, 0), channel: 'recovery' });
    for (const source of [OWNER, STRANGER]) {
      const first = await takeGrantedAttempt(store, subject, { ...source, waits });
      assert.equal(first.ticket.attempt, 1);
    }
  });

  test('A recovery attempt that is given back is uncounted for its network', async (store) => {
    const { subject } = await issueSet(store);
    const waits = [60_000];
    const { ticket } = await takeGrantedAttempt(store, subject, { ...STRANGER, waits });
    await takeGrantedAttempt(store, subject, { ...OWNER, waits });
    await store.giveBack({ subject, ticket });
    const again = await takeGrantedAttempt(store, subject, { ...STRANGER, waits });
    assert.equal(again.ticket.attempt, 1);
    assert.equal((await takeAttempt(store, subject, { ...OWNER, waits })).ok, false);
  });

  test('Refused recovery attempts are counted for each network and wait', async (store) => {
    const { subject } = await issueSet(store);
    const waits = [60_000];
    const written = [];
    for (const source of [OWNER, STRANGER]) {
      for (const now of [NOW, NOW, NOW, NOW + 60_000, NOW + 60_000]) {
        const attempt = await takeAttempt(store, subject, { ...source, waits, now });
        written.push(attempt.ok ? 'granted' : attempt.events.length);
      }
    }
    const oneNetwork = ['granted', 1, 0, 'granted', 1];
    assert.deepEqual(written, [...oneNetwork, ...oneNetwork]);
    const throttled = (await readEvents(subject.userId)).filter(({ type }) => type === 'throttled');
    assert.deepEqual(
      throttled.map(({ refusals }) => refusals),
      [2, 1, 2, 1],
    );
  });

  test('The attempts of a network are kept for 30 days after the last one', async (store) => {
    const { subject } = await issueSet(store);
    const attempts = [];
    for (const periods of [0, 0.9, 1.8, 3]) {
      const now = NOW + periods * COUNTER_KEPT_MS;
      attempts.push((await takeGrantedAttempt(store, subject, { ...OWNER, now })).ticket.attempt);
    }
    assert.deepEqual(attempts, [1, 2, 3, 1]);
  });

  test('An event is written once for its id, and counts the others', async (store) => {
    const { subject } = await issueSet(store);
    const event = newEvent('rejected', subject, { reason: 'busy', refusals: 1 });
    const results = [];
    for (let n = 0; n < 3; n += 1) results.push(await store.count({ subject, event }));
    assert.deepEqual(results, [[event], [], []]);
    const busy = (await readEvents(subject.userId)).filter(({ reason }) => reason === 'busy');
    assert.deepEqual(
      busy.map(({ refusals }) => refusals),
      [3],
    );
  });
}
