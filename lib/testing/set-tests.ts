// The store contract: a set is written whole, replaced in one step, and ended by a revocation.
import assert from 'node:assert/strict';
import { userSubject } from '../stores/subject';
import { expectConsumed } from './consumption-tests';
import {
  issueSet,
  newConsumeRequest,
  newEvent,
  newSet,
  newUser,
  NOW,
  takeGrantedAttempt,
} from './samples';
import type { StoreTestContext } from './store-contract';

const SET_GONE = { outcome: 'gone', reason: 'none' } as const;

export function setTests({ test, readEvents }: StoreTestContext): void {
  test('A user who was never recorded is not found', async (store) => {
    assert.equal(await store.find(newUser()), null);
  });

  test('A set is found as it was written', async (store) => {
    const { subject, header } = await issueSet(store);
    const found = await store.find(subject);
    assert.deepEqual(found?.current, { ...header, remaining: header.total, lastConsumedAt: null });
  });

  test('A set without expiry and pepper is found as it was written', async (store) => {
    const set = newSet(newUser(), { expiresAt: null });
    const header = { ...set.header, pepperId: null };
    await store.replace({ ...set, header, now: NOW });
    assert.deepEqual((await store.find(set.subject))?.current, {
      ...header,
      remaining: 10,
      lastConsumedAt: null,
    });
  });

  test('An attempt receives all codes of the set as they were written', async (store) => {
    const { subject, codes } = await issueSet(store);
    const { current } = await takeGrantedAttempt(store, subject);
    const byId = (a: { codeId: string }, b: { codeId: string }): number =>
      a.codeId < b.codeId ? -1 : 1;
    assert.deepEqual(
      [...(current?.codes ?? [])].sort(byId),
      codes.map((code) => ({ ...code, consumedAt: null, consumptionId: null })).sort(byId),
    );
  });

  test('User ids that differ in case, accent, space or NUL are different users', async (store) => {
    // All ids share a random prefix, so that only the suffix tells them apart.
    const prefix = newUser().userId.slice(0, 20);
    const suffixes = [
      'ada',
      'ADA',
      'Ada',
      '\u00e0da',
      'ada ',
      ' ada',
      'ada\0',
      'ada\t',
      '\u{1f511}'.repeat(60),
    ];
    const sets = suffixes.map((suffix) => newSet(userSubject(`${prefix}-${suffix}`)));
    for (const set of sets) await store.replace({ ...set, now: NOW });
    for (const { subject, header } of sets)
      assert.equal((await store.find(subject))?.current?.setId, header.setId);
  });

  test('A replaced set stops working at once, and the new one works', async (store) => {
    const old = await issueSet(store);
    const fresh = newSet(old.subject);
    assert.deepEqual(await store.replace({ ...fresh, now: NOW }), [fresh.event]);
    assert.deepEqual(await store.consume(newConsumeRequest(old, 0)), SET_GONE);
    await expectConsumed(store, newConsumeRequest(fresh, 0), { remaining: 9, total: 10 });
  });

  test('A first set is written only if the user never had one', async (store) => {
    const subject = newUser();
    const first = newSet(subject);
    assert.deepEqual(await store.replace({ ...first, now: NOW, only: 'first' }), [first.event]);
    assert.deepEqual(await store.replace({ ...newSet(subject), now: NOW, only: 'first' }), []);
    await store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) });
    assert.deepEqual(await store.replace({ ...newSet(subject), now: NOW, only: 'first' }), []);
    assert.deepEqual(
      (await readEvents(subject.userId)).map(({ type }) => type),
      ['issued', 'revoked'],
    );
  });

  test('A revoked set stops working at once', async (store) => {
    const set = await issueSet(store);
    const { subject, header } = set;
    const event = newEvent('revoked', subject);
    assert.deepEqual(await store.revoke({ subject, now: NOW, event }), [
      { ...event, setId: header.setId },
    ]);
    const second = newEvent('revoked', subject);
    assert.deepEqual(await store.revoke({ subject, now: NOW, event: second }), []);
    assert.equal((await store.find(subject))?.current ?? null, null);
    assert.equal((await takeGrantedAttempt(store, subject)).current, null);
    assert.deepEqual(await store.consume(newConsumeRequest(set, 0)), SET_GONE);
    const events = await readEvents(subject.userId);
    assert.deepEqual(
      events.map(({ type, setId }) => [type, setId]),
      [
        ['issued', header.setId],
        ['revoked', header.setId],
      ],
    );
  });

  test('Revoking changes nothing for a user who never had a set', async (store) => {
    const subject = newUser();
    const event = newEvent('revoked', subject);
    assert.deepEqual(await store.revoke({ subject, now: NOW, event }), []);
    assert.deepEqual(await readEvents(subject.userId), []);
  });
}
