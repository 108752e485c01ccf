// The store contract: exported events that are applied after a restore only ever take away, in any
// order, and each is in the trail once. Only for a store with `replayEvents`.
import assert from 'node:assert/strict';
import type { AuditEvent } from '../audit/events';
import type { BackupCodeStore } from '../stores/contract';
import type {
  BackupCodeReplay,
  ReplayedChange,
  ReplayedEvents,
  ReplayStep,
} from '../stores/replay-contract';
import { userSubject } from '../stores/subject';
import { auditOf, newestEvents } from './audit-of';
import { callAtOnce, connectionOf } from './runner';
import {
  HOUR_MS,
  issueSet,
  newConsumeRequest,
  newEvent,
  newNamespace,
  newSet,
  newUser,
  NOW,
  takeAttempt,
  type User,
  type UserSet,
} from './samples';
import type { StoreTestContext } from './store-contract';

const LATER = NOW + 1000;
const UNCHANGED = { written: [], effects: [], hasLostSet: false };

type ReplayingStore = BackupCodeStore & BackupCodeReplay;

export function replayTests({ rounds, runner, test: testAny, withStores }: StoreTestContext): void {
  const test = (name: string, body: (store: ReplayingStore) => Promise<void>): void =>
    testAny(name, async (store) => {
      if (canReplay(store)) await body(store);
    });

  test('A code that was consumed after the copy was made is consumed again, once', async (store) => {
    const set = await issueSet(store);
    const step = consumedStep(set, 0);
    assert.deepEqual(await replay(store, set.subject, [step]), {
      written: [step.event],
      effects: ['consumed'],
      hasLostSet: false,
    });
    assert.deepEqual(await replay(store, set.subject, [step]), UNCHANGED);
    const current = (await store.find(set.subject))?.current;
    assert.deepEqual([current?.remaining, current?.lastConsumedAt], [9, LATER]);
    assert.deepEqual(await store.consume(newConsumeRequest(set, 0)), {
      outcome: 'already_consumed',
      consumedAt: LATER,
    });
    const next = await store.consume(newConsumeRequest(set, 1, { now: LATER + 1 }));
    assert.equal(next.outcome === 'consumed' && next.remaining, 8);
  });

  test('A code that is consumed keeps its time, whatever an event says', async (store) => {
    const set = await issueSet(store);
    await store.consume(newConsumeRequest(set, 0, { now: LATER }));
    const { effects } = await replay(store, set.subject, [consumedStep(set, 0, NOW)]);
    assert.deepEqual(effects, []);
    assert.deepEqual(await store.consume(newConsumeRequest(set, 0)), {
      outcome: 'already_consumed',
      consumedAt: LATER,
    });
    assert.equal((await store.find(set.subject))?.current?.remaining, 9);
  });

  test('A replayed consumption that its client repeats gets the first answer', async (store) => {
    const set = await issueSet(store);
    const { event, change } = consumedStep(set, 0);
    const counted = { ...event, remaining: 9, total: 10 };
    await replay(store, set.subject, [{ event: counted, change }]);
    const request = newConsumeRequest(set, 0);
    const [first] = request.events;
    assert.deepEqual(await store.consume({ ...request, events: [{ ...first, id: event.id }] }), {
      outcome: 'consumed',
      remaining: 9,
      total: 10,
      events: [counted],
      repeated: true,
    });
  });

  test('A code that the store does not have changes no other code', async (store) => {
    const set = await issueSet(store);
    const { effects } = await replay(store, set.subject, [consumedStep(set, 99)]);
    assert.deepEqual(effects, []);
    assert.equal((await store.find(set.subject))?.current?.remaining, 10);
  });

  for (const type of ['set_begun', 'code_consumed', 'set_revoked'] as const) {
    test(`An older set ends if a lost one was current later (${type})`, async (store) => {
      const set = await issueSet(store);
      const staged = newSet(set.subject);
      await store.stage({ ...staged, until: NOW + HOUR_MS });
      const lost = newSet(set.subject);
      const step = stepOf(lost, type);
      const { effects, hasLostSet } = await replay(store, set.subject, [step]);
      assert.deepEqual([effects, hasLostSet], [['replaced'], true]);
      assert.equal((await store.find(set.subject))?.current, null);
      assert.equal((await store.consume(newConsumeRequest(set, 0))).outcome, 'gone');
      assert.deepEqual(await activate(store, staged), []);
      const again = await replay(store, set.subject, [step]);
      assert.deepEqual(again, { written: [], effects: [], hasLostSet: true });
    });
  }

  test('A set that was revoked after the copy was made ends', async (store) => {
    const set = await issueSet(store);
    const { effects, hasLostSet } = await replay(store, set.subject, [stepOf(set, 'set_revoked')]);
    assert.deepEqual([effects, hasLostSet], [['revoked'], false]);
    assert.equal((await store.find(set.subject))?.current, null);
    assert.equal((await store.consume(newConsumeRequest(set, 0))).outcome, 'gone');
    const next = await issueSet(store, { user: set.subject });
    await replay(store, set.subject, [stepOf(set, 'set_revoked')]);
    assert.equal((await store.find(set.subject))?.current?.setId, next.header.setId);
  });

  test('A staged set that was activated after the copy was made is not usable', async (store) => {
    const set = await issueSet(store);
    const staged = newSet(set.subject);
    await store.stage({ ...staged, until: NOW + HOUR_MS });
    const steps = [stepOf(staged, 'set_begun'), consumedStep(staged, 0)];
    const { effects, hasLostSet } = await replay(store, set.subject, steps);
    assert.deepEqual([effects, hasLostSet], [['replaced'], true]);
    assert.deepEqual(await activate(store, staged), []);
    assert.equal((await store.find(set.subject))?.current, null);
  });

  test('Events from before the current set change nothing', async (store) => {
    const ended = await issueSet(store);
    const { subject } = ended;
    const current = await issueSet(store, { user: subject });
    const staged = newSet(subject);
    await store.stage({ ...staged, until: NOW + HOUR_MS });
    const unknown = newSet(subject);
    const { effects, hasLostSet } = await replay(store, subject, [
      stepOf(ended, 'set_begun'),
      consumedStep(ended, 0),
      stepOf(ended, 'set_revoked'),
      stepOf(unknown, 'set_begun', NOW - 1),
      consumedStep(unknown, 0, NOW - 1),
      stepOf(unknown, 'set_revoked', NOW - 1),
      stepOf(current, 'set_begun'),
      lockedStep(subject, NOW - 1),
    ]);
    assert.deepEqual([effects, hasLostSet], [[], false]);
    assert.equal((await store.find(subject))?.current?.remaining, 10);
    assert.equal((await takeAttempt(store, subject)).ok, true);
    assert.equal((await activate(store, staged)).length, 1);
  });

  test('A user whose only set is lost counts as one who had a set', async (store) => {
    const user = newUser();
    const { hasLostSet } = await replay(store, user, [stepOf(newSet(user), 'set_begun')]);
    assert.equal(hasLostSet, true);
    assert.equal((await store.find(user))?.current ?? null, null);
    assert.deepEqual(await store.replace({ ...newSet(user), now: LATER, only: 'first' }), []);
    assert.equal((await store.replace({ ...newSet(user), now: LATER })).length, 1);
  });

  test('A second factor that was locked is locked again, and a new set reopens it', async (store) => {
    const set = await issueSet(store);
    const step = lockedStep(set.subject, LATER);
    assert.deepEqual((await replay(store, set.subject, [step])).effects, ['locked']);
    assert.deepEqual(await replay(store, set.subject, [step]), UNCHANGED);
    const attempt = await takeAttempt(store, set.subject, { now: LATER });
    assert.equal(!attempt.ok && attempt.reason, 'locked');
    await issueSet(store, { user: set.subject });
    assert.equal((await takeAttempt(store, set.subject)).ok, true);
  });

  test('Events of one namespace change nothing in another', async (store) => {
    const bank = newUser(newNamespace());
    const school = userSubject(bank.userId, newNamespace());
    const set = await issueSet(store, { user: bank });
    await replay(store, school, [stepOf({ ...set, subject: school }, 'set_revoked')]);
    assert.equal((await store.find(bank))?.current?.remaining, 10);
  });

  test('Missing events are written as they were, and those that are stored stay once', async (store) => {
    const audit = auditOf(store);
    if (audit === null) return;
    const namespace = newNamespace();
    const user = newUser(namespace);
    const set = await issueSet(store, { user });
    const context = {
      ip: '2001:db8::7',
      userAgent: 'Mozilla/5.0 (a "quoted" name)',
      requestId: 'r-1',
      actor: 'admin-9',
      channel: 'recovery',
    } as const;
    const fields = { at: LATER, context, remaining: 9, total: 10, consumedSecondsAgo: 3 };
    const details = { by: 'support', times: 2, isUrgent: true, note: null };
    const missing = [
      { ...consumedStep(set, 0).event, ...fields },
      newEvent('rejected', user, { ...fields, reason: 'mismatch' }),
      newEvent('throttled', user, { ...fields, reason: 'throttled', refusals: 3 }),
      newEvent('app_phone_changed', user, { ...fields, details }),
    ];
    const anonymous = { ...user, userId: null };
    const withoutUser = [newEvent('forgotten', anonymous), newEvent('rejected', anonymous)];
    for (let round = 1; round <= 2; round += 1) {
      const of = (events: AuditEvent[]): ReplayStep[] =>
        events.map((event) => ({ event, change: null }));
      const ofUser = await replay(store, user, of([set.event, ...missing]));
      const others = await store.replayEvents({ subject: null, steps: of(withoutUser) });
      assert.deepEqual(ofUser.written, round === 1 ? missing : []);
      assert.deepEqual(byId(others.written), round === 1 ? byId(withoutUser) : []);
    }
    const expected = [set.event, ...missing, ...withoutUser];
    assert.deepEqual(byId(await newestEvents(audit, namespace)), byId(expected));
    const [counted] = missing.filter(({ refusals }) => refusals !== null);
    if (counted === undefined) return;
    assert.deepEqual(await store.count({ subject: user, event: counted }), []);
  });

  runner.it('A replay and a login at the same time consume a code once', async () => {
    await withStores(4, async (stores) => {
      if (!stores.every(canReplay)) return;
      for (let round = 0; round < rounds; round += 1) {
        const set = await issueSet(stores[0]);
        const step = consumedStep(set, 0);
        const results = await callAtOnce(8, async (caller) => {
          const store = connectionOf<BackupCodeStore>(stores, caller) as ReplayingStore;
          if (caller % 2 === 0) return (await replay(store, set.subject, [step])).effects.length;
          return (await store.consume(newConsumeRequest(set, 0))).outcome === 'consumed' ? 1 : 0;
        });
        assert.equal(results.filter((consumed) => consumed === 1).length, 1);
        assert.equal((await stores[0].find(set.subject))?.current?.remaining, 9);
      }
    });
  });

  runner.it('Replays of the same events at the same time write each event once', async () => {
    await withStores(3, async (stores) => {
      const audit = auditOf(stores[0]);
      if (audit === null || !stores.every(canReplay)) return;
      const namespace = newNamespace();
      const set = await issueSet(stores[0], { user: newUser(namespace) });
      const steps = set.codes.map((_code, index) => consumedStep(set, index));
      const replayed = await callAtOnce(6, (caller) =>
        replay(connectionOf<BackupCodeStore>(stores, caller) as ReplayingStore, set.subject, steps),
      );
      assert.equal(replayed.flatMap(({ effects }) => effects).length, steps.length);
      const events = [set.event, ...steps.map(({ event }) => event)];
      assert.deepEqual(byId(await newestEvents(audit, namespace)), byId(events));
    });
  });
}

function canReplay(store: BackupCodeStore): store is ReplayingStore {
  return typeof (store as Partial<BackupCodeReplay>).replayEvents === 'function';
}

function replay(
  store: BackupCodeReplay,
  subject: User,
  steps: readonly ReplayStep[],
): Promise<ReplayedEvents> {
  return store.replayEvents({ subject, steps });
}

function activate(store: BackupCodeStore, staged: UserSet): Promise<readonly AuditEvent[]> {
  const { subject, header } = staged;
  const event = newEvent('activated', subject, { setId: header.setId });
  return store.activate({ subject, setId: header.setId, now: NOW, event });
}

const EVENT_TYPES = { set_begun: 'issued', code_consumed: 'consumed', set_revoked: 'revoked' };

function stepOf(
  { subject, header, codes }: UserSet,
  type: Exclude<ReplayedChange['type'], 'second_factor_locked'>,
  at = LATER,
): ReplayStep {
  const { setId } = header;
  const codeId = codes[0]?.codeId ?? '';
  const event = newEvent(EVENT_TYPES[type], subject, { at, setId });
  return { event, change: type === 'code_consumed' ? { type, setId, codeId } : { type, setId } };
}

/** A code that the set does not have, if the index is too high. */
function consumedStep({ subject, header, codes }: UserSet, index: number, at = LATER): ReplayStep {
  const { setId } = header;
  const codeId = codes[index]?.codeId ?? 'f'.repeat(32);
  const event = newEvent('consumed', subject, { at, setId, codeId });
  return { event, change: { type: 'code_consumed', setId, codeId } };
}

function lockedStep(subject: User, at: number): ReplayStep {
  const event = newEvent('locked', subject, { at });
  return { event, change: { type: 'second_factor_locked' } };
}

function byId(events: readonly AuditEvent[]): AuditEvent[] {
  return [...events].sort((a, b) => (a.id < b.id ? -1 : 1));
}
