// The store contract: a staged set does not work until it is activated, and then replaces the
// current one.
import assert from 'node:assert/strict';
import type { BackupCodeStore } from '../stores/contract';
import { expectConsumed } from './consumption-tests';
import {
  HOUR_MS,
  issueSet,
  newConsumeRequest,
  newEvent,
  newSet,
  newUser,
  NOW,
  takeGrantedAttempt,
  type User,
} from './samples';
import type { StoreTestContext } from './store-contract';

const SET_GONE = { outcome: 'gone', reason: 'none' } as const;

/** The steps after which a staged set can no longer be activated. */
const ENDINGS = [
  {
    step: 'staging another set',
    end: (store: BackupCodeStore, subject: User) =>
      store.stage({ ...newSet(subject), until: NOW + HOUR_MS }),
  },
  {
    step: 'issuing a set',
    end: (store: BackupCodeStore, subject: User) => store.replace({ ...newSet(subject), now: NOW }),
  },
  {
    step: 'a revocation',
    end: (store: BackupCodeStore, subject: User) =>
      store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) }),
  },
];

export function stagingTests({ test, readEvents }: StoreTestContext): void {
  test('A staged set does not work, and the current one still does', async (store) => {
    const old = await issueSet(store);
    const staged = newSet(old.subject, { type: 'staged' });
    await store.stage({ ...staged, until: NOW + HOUR_MS });
    assert.deepEqual(await store.consume(newConsumeRequest(staged, 0)), SET_GONE);
    await expectConsumed(store, newConsumeRequest(old, 0), { remaining: 9, total: 10 });
  });

  test('A staged set is not the current set of a user who has no other', async (store) => {
    const staged = newSet(newUser());
    await store.stage({ ...staged, until: NOW + HOUR_MS });
    assert.equal((await store.find(staged.subject))?.current ?? null, null);
    assert.equal((await takeGrantedAttempt(store, staged.subject)).current, null);
  });

  test('A staged set is activated once, by its id, and replaces the old one', async (store) => {
    const old = await issueSet(store);
    const staged = newSet(old.subject, { count: 8, type: 'staged' });
    const { subject } = staged;
    const { setId } = staged.header;
    await store.stage({ ...staged, until: NOW + HOUR_MS });
    const event = newEvent('activated', subject, { setId });
    const request = { subject, setId, now: NOW + HOUR_MS - 1, event };
    assert.deepEqual(await store.activate({ ...request, setId: old.header.setId }), []);
    assert.deepEqual(await store.activate(request), [{ ...event, remaining: 8, total: 8 }]);
    const second = newEvent('activated', subject, { setId });
    assert.deepEqual(await store.activate({ ...request, event: second }), []);
    assert.deepEqual(await store.consume(newConsumeRequest(old, 0)), SET_GONE);
    await expectConsumed(store, newConsumeRequest(staged, 0), { remaining: 7, total: 8 });
    const [, , activated] = await readEvents(subject.userId);
    assert.deepEqual(
      [activated?.type, activated?.setId, activated?.remaining, activated?.total],
      ['activated', setId, 8, 8],
    );
  });

  test('A staged set cannot be activated from the millisecond that ends it', async (store) => {
    const staged = newSet(newUser());
    const { subject } = staged;
    const { setId } = staged.header;
    await store.stage({ ...staged, until: NOW + HOUR_MS });
    const event = newEvent('activated', subject);
    assert.deepEqual(await store.activate({ subject, setId, now: NOW + HOUR_MS, event }), []);
  });

  test('A staged set whose time ends later than that of a new one is not activated', async (store) => {
    const staged = newSet(newUser());
    const { subject } = staged;
    const { setId } = staged.header;
    // By a clock that was a year ahead.
    const until = NOW + 365 * 24 * HOUR_MS;
    await store.stage({ ...staged, until });
    const event = newEvent('activated', subject);
    for (const now of [NOW, until - 2 * HOUR_MS]) {
      assert.deepEqual(await store.activate({ subject, setId, now, event }), []);
    }
    const request = { subject, setId, now: until - HOUR_MS, event };
    assert.deepEqual(await store.activate(request), [{ ...event, remaining: 10, total: 10 }]);
  });

  for (const { step, end } of ENDINGS) {
    test(`A staged set is dropped by ${step}`, async (store) => {
      const { subject } = await issueSet(store);
      const staged = newSet(subject);
      const { setId } = staged.header;
      await store.stage({ ...staged, until: NOW + HOUR_MS });
      await end(store, subject);
      const event = newEvent('activated', subject);
      assert.deepEqual(await store.activate({ subject, setId, now: NOW, event }), []);
    });
  }
}
