// The store contract: equal user ids and user names of two namespaces never meet.
import assert from 'node:assert/strict';
import { nameSubject, userSubject } from '../stores/subject';
import { forgetRequest, unlockRequest } from './account-tests';
import { auditOf, newestEvents } from './audit-of';
import {
  HOUR_MS,
  issueSet,
  newConsumeRequest,
  newEvent,
  newNamespace,
  newUser,
  NOW,
  takeAttempt,
  takeGrantedAttempt,
  type User,
} from './samples';
import type { StoreTestContext } from './store-contract';

/** One user id in two namespaces, and without one. */
function sameUsers(): readonly [User, User, User] {
  const { userId } = newUser();
  return [
    userSubject(userId, newNamespace()),
    userSubject(userId, newNamespace()),
    userSubject(userId),
  ];
}

export function namespaceTests({ test }: StoreTestContext): void {
  test('Equal ids of two namespaces have sets of their own', async (store) => {
    const users = sameUsers();
    const sets = [];
    for (const user of users) sets.push(await issueSet(store, { user }));
    for (const { subject, header } of sets) {
      assert.equal((await store.find(subject))?.current?.setId, header.setId);
    }
    for (const set of sets) {
      for (const subject of users) {
        const isOwn = subject === set.subject;
        const { outcome } = await store.consume({ ...newConsumeRequest(set, 0), subject });
        assert.equal(outcome, isOwn ? 'consumed' : 'gone');
      }
    }
  });

  test('A lock, an unlocking and a revocation stay in their namespace', async (store) => {
    const [bank, school] = sameUsers();
    const set = await issueSet(store, { user: bank });
    await issueSet(store, { user: school });
    for (const subject of [bank, school]) {
      const { ticket } = await takeGrantedAttempt(store, subject);
      await store.append([], { subject, ticket, now: NOW, event: newEvent('locked', subject) });
    }
    await store.unlock(unlockRequest(bank));
    assert.equal((await takeAttempt(store, bank)).ok, true);
    assert.equal((await takeAttempt(store, school)).ok, false);
    await store.revoke({ subject: school, now: NOW, event: newEvent('revoked', school) });
    assert.equal((await store.consume(newConsumeRequest(set, 0))).outcome, 'consumed');
  });

  test('A user who is forgotten in one namespace stays in the others', async (store) => {
    const [bank, school, none] = sameUsers();
    for (const user of [bank, school, none]) await issueSet(store, { user });
    for (const forgotten of [bank, none]) {
      await store.forget(forgetRequest(forgotten, 'erase'));
      assert.equal(await store.find(forgotten), null);
      assert.notEqual((await store.find(school))?.current ?? null, null);
    }
    const audit = auditOf(store);
    if (audit === null) return;
    assert.deepEqual(
      (await newestEvents(audit, school.namespace)).map(({ type, userId }) => [type, userId]),
      [['issued', school.userId]],
    );
  });

  test('Equal unknown user names of two namespaces are counted apart', async (store) => {
    const nameKey = await store.nameKey();
    const name = newUser().userId;
    const [bank, school] = [newNamespace(), newNamespace()].map((namespace) =>
      nameSubject(name, nameKey, { namespace }),
    );
    for (const subject of [bank, school, nameSubject(name, nameKey)]) {
      if (!subject) continue;
      const { ticket } = await takeGrantedAttempt(store, subject, { channel: 'recovery' });
      assert.equal(ticket.attempt, 1);
    }
  });

  test('Events, reminders, pruning and reports stay in their namespace', async (store) => {
    const audit = auditOf(store);
    if (audit === null) return;
    const [bank, school] = sameUsers();
    for (const user of [bank, school]) await issueSet(store, { user, expiresAt: NOW + HOUR_MS });
    const { namespace } = bank;

    const reminders = await audit.recordReminders({
      namespace,
      now: NOW + HOUR_MS,
      leadsMs: [0],
      toEvent: ({ type, setId }) => newEvent(type, bank, { setId }),
    });
    assert.deepEqual(
      reminders.map(({ type, userId }) => [type, userId]),
      [['expired', bank.userId]],
    );
    const page = await audit.readEvents({
      namespace,
      subject: bank,
      types: null,
      order: 'newest-first',
      after: null,
      limit: 10,
    });
    assert.deepEqual(
      page.events.map(({ type }) => type),
      ['expired', 'issued'],
    );
    const report = await audit.report({
      namespace,
      since: NOW - HOUR_MS,
      now: NOW,
      lowAt: 3,
      rotateBefore: null,
      lockAfter: 50,
      manyFailures: 5,
    });
    assert.deepEqual([report.users, report.days.map(({ issued }) => issued)], [1, [1]]);
    const pruning = { namespace, before: NOW + 1, usersWithoutSet: false, lockAfter: 50 };
    assert.equal(await audit.prune(pruning), 2);
    assert.deepEqual(await newestEvents(audit, namespace), []);
    const kept = await newestEvents(audit, school.namespace);
    assert.deepEqual(
      kept.map((event) => [event.type, event.userId, event.namespace]),
      [['issued', school.userId, school.namespace]],
    );
  });
}
