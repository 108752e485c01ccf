// The store contract: attempts are counted before a code is compared, for each channel separately.
import assert from 'node:assert/strict';
import {
  HOUR_MS,
  issueSet,
  newConsumeRequest,
  newEvent,
  newSet,
  newUser,
  NOW,
  outcomeOf,
  takeAttempt,
  takeGrantedAttempt,
  WAITS,
} from './samples';
import type { StoreTestContext } from './store-contract';

const CHANNELS = ['second_factor', 'recovery'] as const;

export function attemptTests({ test, readEvents }: StoreTestContext): void {
  test('Attempts are counted from one, with a set and without one', async (store) => {
    for (const subject of [newUser(), (await issueSet(store)).subject]) {
      const numbers = [];
      for (let n = 0; n < 3; n += 1)
        numbers.push((await takeGrantedAttempt(store, subject, { waits: WAITS })).ticket.attempt);
      assert.deepEqual(numbers, [1, 2, 3]);
      assert.equal((await store.find(subject))?.secondFactor.attempts, 3);
    }
  });

  test('Waits and the number of attempts are exactly those of the request', async (store) => {
    const { subject } = await issueSet(store);
    const attemptAt = async (now: number): Promise<number | string> =>
      outcomeOf(await takeAttempt(store, subject, { now, waits: WAITS }));
    assert.deepEqual(
      [await attemptAt(NOW), await attemptAt(NOW), await attemptAt(NOW), await attemptAt(NOW)],
      [1, 2, 3, 4],
    );
    assert.deepEqual(
      [await attemptAt(NOW), await attemptAt(NOW + 59_999)],
      [`throttled until ${NOW + 60_000}`, `throttled until ${NOW + 60_000}`],
    );
    assert.equal(await attemptAt(NOW + 60_000), 5);
    const sixth = await takeAttempt(store, subject, { now: NOW + 1000 * HOUR_MS, waits: WAITS });
    assert.equal(!sixth.ok && sixth.reason, 'locked');
  });

  test('An attempt without a wait does not refuse a clock that is behind', async (store) => {
    const { subject } = await issueSet(store);
    await takeGrantedAttempt(store, subject, { now: NOW + 1000, waits: WAITS });
    const second = await takeGrantedAttempt(store, subject, { now: NOW, waits: WAITS });
    assert.equal(second.ticket.attempt, 2);
  });

  test('The first refusal of a wait writes an event, which counts the others', async (store) => {
    const { subject } = await issueSet(store);
    const waits = [60_000, 60_000, 0];
    const results = [];
    for (const now of [NOW, NOW, NOW, NOW + 60_000, NOW + 60_000]) {
      const attempt = await takeAttempt(store, subject, { now, waits });
      results.push(attempt.ok ? 'granted' : attempt.events.length);
    }
    assert.deepEqual(results, ['granted', 1, 0, 'granted', 1]);
    const throttled = (await readEvents(subject.userId)).filter(({ type }) => type === 'throttled');
    assert.deepEqual(
      throttled.map(({ reason, refusals }) => [reason, refusals]),
      [
        ['throttled', 2],
        ['throttled', 1],
      ],
    );
  });

  test('A refused attempt neither counts nor extends the wait', async (store) => {
    const { subject } = await issueSet(store);
    const waits = [60_000, 0];
    await takeAttempt(store, subject, { waits });
    for (const later of [0, 1000, 59_999])
      await takeAttempt(store, subject, { now: NOW + later, waits });
    const second = await takeGrantedAttempt(store, subject, { now: NOW + 60_000, waits });
    assert.equal(second.ticket.attempt, 2);
  });

  test('A wait that began by a clock that was years ahead counts as over', async (store) => {
    const { subject } = await issueSet(store);
    for (const channel of CHANNELS) {
      const waits = [60_000, 120_000];
      await takeGrantedAttempt(store, subject, { channel, waits, now: NOW + 20_000 * HOUR_MS });
      const second = await takeGrantedAttempt(store, subject, { channel, waits });
      assert.equal(second.ticket.attempt, 2);
      const third = await takeAttempt(store, subject, { channel, waits: [...waits, 0] });
      assert.equal(outcomeOf(third), `throttled until ${NOW + 120_000}`);
    }
  });

  test('A clock that is minutes behind does not end the longest wait', async (store) => {
    const { subject } = await issueSet(store);
    for (const channel of CHANNELS) {
      const waits = [60_000, 60_000];
      await takeGrantedAttempt(store, subject, { channel, waits });
      const behind = await takeAttempt(store, subject, { channel, waits, now: NOW - 299_999 });
      assert.equal(outcomeOf(behind), `throttled until ${NOW + 60_000}`);
    }
  });

  test('Attempts on one channel do not count on the other', async (store) => {
    const { subject } = await issueSet(store);
    const waits = [60_000];
    await takeAttempt(store, subject, { waits, channel: 'recovery' });
    assert.equal((await takeAttempt(store, subject, { waits, channel: 'recovery' })).ok, false);
    const other = await takeGrantedAttempt(store, subject, { waits, channel: 'second_factor' });
    assert.equal(other.ticket.attempt, 1);
  });

  test('A consumed code resets the counter of its own channel only', async (store) => {
    const set = await issueSet(store);
    for (const channel of CHANNELS) {
      await takeGrantedAttempt(store, set.subject, { channel });
      await store.consume({ ...newConsumeRequest(set, 0), channel: 'recovery' });
    }
    const attempts = [];
    for (const channel of CHANNELS) {
      attempts.push((await takeGrantedAttempt(store, set.subject, { channel })).ticket.attempt);
    }
    assert.deepEqual(attempts, [2, 2]);
  });

  test('A new set resets the counters and unlocks the second factor', async (store) => {
    const { subject } = await issueSet(store);
    const waits = [60_000];
    const { ticket } = await takeGrantedAttempt(store, subject, { waits });
    await store.append([], { subject, ticket, now: NOW, event: newEvent('locked', subject) });
    for (const network of ['192.0.2.0/24', '198.51.100.0/24']) {
      await takeGrantedAttempt(store, subject, { channel: 'recovery', network, waits });
    }
    await store.replace({ ...newSet(subject), now: NOW });
    const attempts = [(await takeGrantedAttempt(store, subject, { waits })).ticket.attempt];
    for (const network of ['192.0.2.0/24', '198.51.100.0/24']) {
      const options = { channel: 'recovery', network, waits } as const;
      attempts.push((await takeGrantedAttempt(store, subject, options)).ticket.attempt);
    }
    assert.deepEqual(attempts, [1, 1, 1]);
  });

  test('A staged set, a revocation or a used code resets no counter', async (store) => {
    const set = await issueSet(store);
    const { subject } = set;
    await store.consume(newConsumeRequest(set, 0));
    await takeGrantedAttempt(store, subject);
    await store.consume(newConsumeRequest(set, 0));
    await store.stage({ ...newSet(subject), until: NOW + HOUR_MS });
    await store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) });
    assert.equal((await store.find(subject))?.secondFactor.attempts, 1);
  });
}
