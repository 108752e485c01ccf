// Of the store's contract: attempts are counted before they are made, on each channel, and given back without minting any.
import assert from 'node:assert/strict';
import type { AttemptResult } from '../stores/contract';
import { nameSubject } from '../stores/subject';
import {
  consumption,
  HOUR_MS,
  newEvent,
  newSet,
  newUser,
  NOW,
  take,
  taken,
  userWithSet,
  WAITS,
} from './samples';
import type { Contract } from './store-contract';

export function attemptTests({ test, readEvents }: Contract): void {
  test('are counted from one, for a user with a set and for one without', async (store) => {
    for (const subject of [newUser(), (await userWithSet(store)).subject]) {
      const numbers = [];
      for (let n = 0; n < 3; n += 1)
        numbers.push((await taken(store, subject, { waits: WAITS })).ticket.attempt);
      assert.deepEqual(numbers, [1, 2, 3]);
      assert.equal((await store.find(subject))?.channels['second_factor'].attempts, 3);
    }
  });

  test('wait as the table says, to the millisecond, and end with it', async (store) => {
    const { subject } = await userWithSet(store);
    const at = async (now: number): Promise<unknown> =>
      summary(await take(store, subject, { now, waits: WAITS }));
    assert.deepEqual([await at(NOW), await at(NOW), await at(NOW), await at(NOW)], [1, 2, 3, 4]);
    assert.deepEqual(
      [await at(NOW), await at(NOW + 59_999)],
      [`throttled until ${NOW + 60_000}`, `throttled until ${NOW + 60_000}`],
    );
    assert.equal(await at(NOW + 60_000), 5);
    const disabled = await take(store, subject, { now: NOW + 1000 * HOUR_MS, waits: WAITS });
    assert.equal(!disabled.ok && disabled.reason, 'locked');
  });

  test('without a wait are granted to a clock that is behind', async (store) => {
    const { subject } = await userWithSet(store);
    await taken(store, subject, { now: NOW + 1000, waits: WAITS });
    assert.equal((await taken(store, subject, { now: NOW, waits: WAITS })).ticket.attempt, 2);
  });

  test('refused write one event a wait, and count the others in it', async (store) => {
    const { subject } = await userWithSet(store);
    const waits = [60_000, 60_000, 0];
    const firsts = [];
    for (const now of [NOW, NOW, NOW, NOW + 60_000, NOW + 60_000]) {
      const attempt = await take(store, subject, { now, waits });
      firsts.push(attempt.ok ? 'granted' : attempt.events.length);
    }
    assert.deepEqual(firsts, ['granted', 1, 0, 'granted', 1]);
    const throttled = (await readEvents(subject.userId)).filter(({ type }) => type === 'throttled');
    assert.deepEqual(
      throttled.map(({ reason, refusals }) => [reason, refusals]),
      [
        ['throttled', 2],
        ['throttled', 1],
      ],
    );
  });

  test('refused neither count nor lengthen the wait', async (store) => {
    const { subject } = await userWithSet(store);
    await take(store, subject, { waits: [60_000, 0] });
    for (const later of [0, 1000, 59_999])
      await take(store, subject, { now: NOW + later, waits: [60_000, 0] });
    assert.equal(
      (await taken(store, subject, { now: NOW + 60_000, waits: [60_000, 0] })).ticket.attempt,
      2,
    );
  });

  test('on one channel do not count at the other', async (store) => {
    const { subject } = await userWithSet(store);
    await take(store, subject, { waits: [0], channel: 'recovery' });
    assert.equal((await take(store, subject, { waits: [0], channel: 'recovery' })).ok, false);
    assert.equal(
      (await taken(store, subject, { waits: [0], channel: 'second_factor' })).ticket.attempt,
      1,
    );
  });

  test('are counted from one again after a consumed code, on its channel only', async (store) => {
    const set = await userWithSet(store);
    for (const channel of ['second_factor', 'recovery'] as const)
      await taken(store, set.subject, { channel });
    await store.consume(consumption(set, 0));
    const channels = (await store.find(set.subject))?.channels;
    assert.deepEqual([channels?.['second_factor'].attempts, channels?.recovery.attempts], [0, 1]);
  });

  test('are counted from one again after a new set, on both channels, also closed ones', async (store) => {
    const { subject } = await userWithSet(store);
    for (const channel of ['second_factor', 'recovery'] as const) {
      const { ticket } = await taken(store, subject, { channel, waits: [0] });
      await store.append([], { subject, ticket, now: NOW, event: newEvent('locked', subject) });
    }
    await store.replace({ ...newSet(subject), now: NOW });
    for (const channel of ['second_factor', 'recovery'] as const)
      assert.equal((await taken(store, subject, { channel, waits: [0] })).ticket.attempt, 1);
  });

  test('are not cleared by a staged set, a revocation or a lost code', async (store) => {
    const set = await userWithSet(store);
    const { subject } = set;
    await store.consume(consumption(set, 0));
    await taken(store, subject);
    await store.consume(consumption(set, 0));
    await store.stage({ ...newSet(subject), until: NOW + HOUR_MS });
    await store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) });
    assert.equal((await store.find(subject))?.channels['second_factor'].attempts, 1);
  });

  test('at a locked channel are refused, whatever the table says, and a code is not consumed there', async (store) => {
    const set = await userWithSet(store);
    const { subject } = set;
    const { ticket } = await taken(store, subject);
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
    const refused = await take(store, subject);
    assert.equal(!refused.ok && refused.reason, 'locked');
    assert.deepEqual(await store.consume(consumption(set, 0)), {
      outcome: 'gone',
      reason: 'locked',
    });
    assert.equal((await store.find(subject))?.channels['second_factor'].lockedAt, NOW);
    assert.equal(
      (await store.consume({ ...consumption(set, 0), channel: 'recovery' })).outcome,
      'consumed',
    );
  });

  test('of an older generation close no channel', async (store) => {
    const set = await userWithSet(store);
    const { ticket } = await taken(store, set.subject);
    await store.consume(consumption(set, 0));
    const rejected = newEvent('rejected', set.subject, { reason: 'reused' });
    const lock = { subject: set.subject, ticket, now: NOW, event: newEvent('locked', set.subject) };
    assert.deepEqual(await store.append([rejected], lock), [rejected]);
    assert.deepEqual(
      (await readEvents(set.subject.userId)).map(({ type }) => type),
      ['issued', 'consumed', 'rejected'],
    );
    assert.equal((await take(store, set.subject)).ok, true);
  });

  test('given back are uncounted, and their wait ends', async (store) => {
    const { subject } = await userWithSet(store);
    const { ticket } = await taken(store, subject, { waits: [60_000, 0] });
    await store.giveBack({ subject, ticket });
    assert.equal((await taken(store, subject, { waits: [60_000, 0] })).ticket.attempt, 1);
  });

  test("given back late do not end another's wait", async (store) => {
    const { subject } = await userWithSet(store);
    const waits = [0, 60_000, 0];
    const first = await taken(store, subject, { waits });
    await taken(store, subject, { waits });
    await store.giveBack({ subject, ticket: first.ticket });
    const refused = await take(store, subject, { waits });
    assert.deepEqual(summary(refused), `throttled until ${NOW + 60_000}`);
  });

  test('given back in another generation change nothing', async (store) => {
    const set = await userWithSet(store);
    const { subject } = set;
    const { ticket } = await taken(store, subject);
    await store.consume(consumption(set, 0));
    await taken(store, subject);
    await store.giveBack({ subject, ticket });
    assert.equal((await store.find(subject))?.channels['second_factor'].attempts, 1);
  });

  test('of a name that belongs to nobody are counted and closed alike, and no set is found there', async (store) => {
    const subject = nameSubject(`name-${newUser().userId}`, await store.nameKey());
    const attempts = [];
    for (let n = 0; n < 5; n += 1)
      attempts.push(await take(store, subject, { waits: WAITS, channel: 'recovery' }));
    assert.deepEqual(attempts.map(summary), [1, 2, 3, 4, `throttled until ${NOW + 60_000}`]);
    assert.equal(attempts[0]?.ok && attempts[0].current, null);
  });

  test('of a name that belongs to nobody are kept for 30 days after the last one, a refused one too', async (store) => {
    const key = await store.nameKey();
    const [subject, another] = [
      nameSubject(`name-${newUser().userId}`, key),
      nameSubject(`name-${newUser().userId}`, key),
    ];
    const at = async (days: number): Promise<boolean> =>
      (
        await take(store, subject, {
          now: NOW + days * 24 * HOUR_MS,
          waits: [0],
          channel: 'recovery',
        })
      ).ok;
    assert.deepEqual([await at(0), await at(29)], [true, false]);
    // A new name is the occasion on which a store may sweep.
    await take(store, another, { now: NOW + 31 * 24 * HOUR_MS, channel: 'recovery' });
    assert.equal(await at(31), false);
  });

  test('that were recorded stand in the trail with their reason', async (store) => {
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
}

function summary(attempt: AttemptResult): unknown {
  return attempt.ok ? attempt.ticket.attempt : `${attempt.reason} until ${attempt.nextAt}`;
}
