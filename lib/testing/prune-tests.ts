// The store contract: pruning removes what is left of users who have had no set for long, if asked
// to. Only for a store with an audit trail.
import assert from 'node:assert/strict';
import type { BackupCodeStore } from '../stores/contract';
import type { PruneRequest } from '../stores/audit-contract';
import { auditOf } from './audit-of';
import {
  HOUR_MS,
  issueSet,
  newEvent,
  newNamespace,
  newSet,
  newUser,
  NOW,
  takeGrantedAttempt,
  type User,
} from './samples';
import type { StoreTestContext } from './store-contract';

export function pruneTests({ test }: StoreTestContext): void {
  test('A user without a set since the given time is removed, if that is asked for', async (store) => {
    const namespace = newNamespace();
    const revoked = await revokedUser(store, namespace);
    const staged = newUser(namespace);
    await store.stage({ ...newSet(staged), until: NOW });

    await prune(store, { namespace, usersWithoutSet: false });
    await prune(store, { namespace: newNamespace() });
    await prune(store, { namespace, before: NOW });
    for (const user of [revoked, staged]) await expectStored(store, user, true);

    const tried = newUser(namespace);
    await takeGrantedAttempt(store, tried);
    await prune(store, { namespace });
    for (const user of [revoked, tried, staged]) await expectStored(store, user, false);
    const written = await store.replace({ ...newSet(revoked), now: NOW, only: 'first' });
    assert.equal(written.length, auditOf(store) === null ? 0 : 1);
  });

  test('A user with a current, staged or later set, a lock or a wait stays', async (store) => {
    const namespace = newNamespace();
    const { subject: current } = await issueSet(store, { user: newUser(namespace) });
    const again = await revokedUser(store, namespace);
    await store.replace({ ...newSet(again), now: NOW });
    const staged = await revokedUser(store, namespace);
    await store.stage({ ...newSet(staged), until: NOW + HOUR_MS });
    const locked = await revokedUser(store, namespace);
    const { ticket } = await takeGrantedAttempt(store, locked);
    const event = newEvent('locked', locked);
    await store.append([], { subject: locked, ticket, now: NOW, event });
    const waiting = await revokedUser(store, namespace);
    await takeGrantedAttempt(store, waiting, { waits: [HOUR_MS] });
    const exhausted = await revokedUser(store, namespace);
    await takeGrantedAttempt(store, exhausted);
    await takeGrantedAttempt(store, exhausted);
    const later = await revokedUser(store, namespace, NOW + 1);

    await prune(store, { namespace, lockAfter: 2 });
    for (const user of [current, again, staged, locked, waiting, exhausted, later]) {
      await expectStored(store, user, true);
    }
  });
}

async function revokedUser(store: BackupCodeStore, namespace: string, now = NOW): Promise<User> {
  const { subject } = await issueSet(store, { user: newUser(namespace) });
  await store.revoke({ subject, now, event: newEvent('revoked', subject) });
  return subject;
}

async function prune(store: BackupCodeStore, request: Partial<PruneRequest>): Promise<void> {
  await auditOf(store)?.prune({
    namespace: null,
    before: NOW + 1,
    usersWithoutSet: true,
    lockAfter: 50,
    ...request,
  });
}

/** A store without an audit trail prunes nothing. */
async function expectStored(store: BackupCodeStore, user: User, isStored: boolean): Promise<void> {
  const found = await store.find(user);
  assert.equal(found !== null, isStored || auditOf(store) === null);
}
