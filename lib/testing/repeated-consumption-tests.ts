// The store contract: a consumption is repeated by its id. The answer can be lost after the write,
// and then the call is made again.
import assert from 'node:assert/strict';
import type { ConsumeRequest, Consumption } from '../stores/requests';
import { auditOf } from './audit-of';
import { callAtOnce, connectionOf } from './runner';
import {
  HOUR_MS,
  issueSet,
  newCode,
  newConsumeRequest,
  newEvent,
  newNamespace,
  newSet,
  newUser,
  NOW,
  takeGrantedAttempt,
} from './samples';
import type { StoreTestContext } from './store-contract';

const CALLERS = 20;

export function repeatedConsumptionTests(context: StoreTestContext): void {
  const { runner, test, rounds, withStores, readEvents } = context;

  test('A consumption that is repeated with its id gets the same answer, and changes nothing', async (store) => {
    const set = await issueSet(store);
    const request = withMilestone(newConsumeRequest(set, 0), 9);
    const first = await store.consume(request);
    assert.equal(first.outcome === 'consumed' && first.repeated, false);
    // Other changes come between.
    await store.consume(newConsumeRequest(set, 1));
    await takeGrantedAttempt(store, set.subject);
    const before = await store.find(set.subject);
    assert.deepEqual(await store.consume(request), repeated(first));
    assert.deepEqual(await store.find(set.subject), before);
    assert.deepEqual(
      (await readEvents(set.subject.userId)).map(({ type, remaining }) => [type, remaining]),
      [
        ['issued', 10],
        ['consumed', 9],
        ['low', 9],
        ['consumed', 8],
      ],
    );
  });

  test('A repeated consumption returns the events as they were written, not those of the request', async (store) => {
    const set = await issueSet(store);
    const request = withMilestone(newConsumeRequest(set, 0), 9);
    const first = await store.consume(request);
    assert.deepEqual(await store.consume(laterRequest(request)), repeated(first));
  });

  test('No other id consumes a code again, before or after a repetition', async (store) => {
    const set = await issueSet(store);
    const request = newConsumeRequest(set, 0);
    const first = await store.consume(request);
    const refused = { outcome: 'already_consumed', consumedAt: NOW };
    assert.deepEqual(await store.consume(newConsumeRequest(set, 0)), refused);
    assert.deepEqual(await store.consume(request), repeated(first));
    assert.deepEqual(await store.consume(newConsumeRequest(set, 0)), refused);
    const { current } = await takeGrantedAttempt(store, set.subject);
    assert.deepEqual(
      current?.codes.flatMap(({ codeId, consumptionId }) =>
        consumptionId === null ? [] : [[codeId, consumptionId]],
      ),
      [[request.codeId, request.events[0].id]],
    );
  });

  test('A consumption is repeated after its set has expired and its channel was locked', async (store) => {
    const expiresAt = NOW + HOUR_MS;
    const set = await issueSet(store, { expiresAt });
    const { subject } = set;
    const request = newConsumeRequest(set, 0);
    const first = await store.consume(request);
    const { ticket } = await takeGrantedAttempt(store, subject);
    await store.append([], { subject, ticket, now: NOW, event: newEvent('locked', subject) });
    assert.deepEqual(await store.consume(request), repeated(first));
    assert.deepEqual(await store.consume({ ...request, now: expiresAt }), repeated(first));
    assert.deepEqual(await store.consume(newConsumeRequest(set, 1)), {
      outcome: 'gone',
      reason: 'locked',
    });
  });

  test('A repeated consumption adds its replacement once', async (store) => {
    const set = await issueSet(store, { count: 2 });
    const consumed = newConsumeRequest(set, 0, { replacement: newCode() });
    const renewed = newEvent('renewed', set.subject, { setId: set.header.setId });
    const request: ConsumeRequest = { ...consumed, events: [consumed.events[0], renewed] };
    const first = await store.consume(request);
    for (const again of [request, { ...request, replacement: newCode() }]) {
      assert.deepEqual(await store.consume(again), repeated(first));
    }
    const { current } = await takeGrantedAttempt(store, set.subject);
    assert.deepEqual([current?.codes.length, current?.remaining, current?.total], [3, 2, 3]);
  });

  test('No consumption is repeated once its set was replaced or revoked', async (store) => {
    const set = await issueSet(store);
    const { subject } = set;
    const request = newConsumeRequest(set, 0);
    await store.consume(request);
    await store.replace({ ...newSet(subject), now: NOW });
    assert.deepEqual(await store.consume(request), { outcome: 'gone', reason: 'none' });
    const other = await issueSet(store);
    const otherRequest = newConsumeRequest(other, 0);
    await store.consume(otherRequest);
    const event = newEvent('revoked', other.subject);
    await store.revoke({ subject: other.subject, now: NOW, event });
    assert.deepEqual(await store.consume(otherRequest), { outcome: 'gone', reason: 'none' });
  });

  test('After its events were pruned, a repeated consumption has the present numbers', async (store) => {
    const audit = auditOf(store);
    if (audit === null) return;
    const namespace = newNamespace();
    const set = await issueSet(store, { user: newUser(namespace) });
    for (const replacement of [undefined, newCode()]) {
      const index = replacement ? 1 : 0;
      const request = newConsumeRequest(set, index, replacement && { replacement });
      await store.consume(request);
      await store.consume(newConsumeRequest(set, index + 2));
      await audit.prune({ namespace, before: NOW + 1, usersWithoutSet: false, lockAfter: 50 });
      const current = (await store.find(set.subject))?.current;
      assert.deepEqual(await store.consume(request), {
        outcome: 'consumed',
        remaining: current?.remaining,
        total: current?.total,
        events: [],
        repeated: true,
      });
      assert.deepEqual((await store.find(set.subject))?.current, current);
    }
  });

  runner.it(`Of ${CALLERS} calls at once with one id, one consumes and the others repeat it`, () =>
    withStores(4, async (stores) => {
      for (let round = 0; round < rounds; round += 1) {
        const set = await issueSet(stores[0]);
        const request = newConsumeRequest(set, 0);
        const results = await callAtOnce(CALLERS, (n) => connectionOf(stores, n).consume(request));
        const first = results.find((result) => result.outcome === 'consumed' && !result.repeated);
        assert.ok(first);
        const others = results.filter((result) => result !== first);
        for (const result of others) assert.deepEqual(result, repeated(first));
        const events = await readEvents(set.subject.userId);
        assert.deepEqual(
          events.map(({ type }) => type),
          ['issued', 'consumed'],
        );
        assert.equal((await stores[0].find(set.subject))?.current?.remaining, 9);
      }
    }),
  );
}

/** The same answer as that of the first call. */
function repeated(first: Consumption): Consumption {
  return first.outcome === 'consumed' ? { ...first, repeated: true } : first;
}

function withMilestone(request: ConsumeRequest, remaining: number): ConsumeRequest {
  return { ...request, milestones: [{ remaining, event: newEvent('low', request.subject) }] };
}

/** What another process asks later, for the same consumption: only the ids are the same. */
function laterRequest({ events, milestones, ...request }: ConsumeRequest): ConsumeRequest {
  const at = NOW + 1000;
  const context = { ...events[0].context, ip: '198.51.100.7' };
  return {
    ...request,
    now: at,
    events: [{ ...events[0], at, context }],
    milestones: milestones.map(({ remaining, event }) => ({
      remaining,
      event: { ...event, at, context },
    })),
  };
}
