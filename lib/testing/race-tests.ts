// The store contract: what holds when many callers consume codes and take attempts at once, over
// four connections. "Exactly one" succeeds, never "at most one".
import assert from 'node:assert/strict';
import type { Consumption } from '../stores/requests';
import { callAtOnce, connectionOf, countEach } from './runner';
import { issueSet, newConsumeRequest, newUser, takeAttempt } from './samples';
import type { StoreTestContext } from './store-contract';

const CALLERS = 50;

export function raceTests({ runner, rounds, withStores, readEvents }: StoreTestContext): void {
  runner.it(`Of ${CALLERS} callers who consume one code at once, exactly one succeeds`, () =>
    withStores(4, async (stores) => {
      for (let round = 0; round < rounds; round += 1) {
        const set = await issueSet(stores[0]);
        const results = await callAtOnce(CALLERS, (n) =>
          connectionOf(stores, n).consume(newConsumeRequest(set, 0)),
        );
        assert.deepEqual(countEach(results.map(({ outcome }) => outcome)), {
          consumed: 1,
          already_consumed: CALLERS - 1,
        });
        const events = await readEvents(set.subject.userId);
        assert.equal(events.filter(({ type }) => type === 'consumed').length, 1);
        // The other codes of the set still work.
        const others = await callAtOnce(9, (n) =>
          connectionOf(stores, n).consume(newConsumeRequest(set, n + 1)),
        );
        assert.deepEqual(countEach(others.map(({ outcome }) => outcome)), { consumed: 9 });
        assert.equal((await stores[0].find(set.subject))?.current?.remaining, 0);
      }
    }),
  );

  runner.it('Different codes consumed at once all succeed, and none works again', () =>
    withStores(4, async (stores) => {
      for (let round = 0; round < rounds; round += 1) {
        const set = await issueSet(stores[0]);
        const consumeEach = (): Promise<Consumption[]> =>
          callAtOnce(10, (n) => connectionOf(stores, n).consume(newConsumeRequest(set, n)));
        const remaining = (await consumeEach())
          .map((result) => (result.outcome === 'consumed' ? result.remaining : -1))
          .sort((a, b) => a - b);
        assert.deepEqual(remaining, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        const again = await consumeEach();
        assert.deepEqual(countEach(again.map(({ outcome }) => outcome)), { already_consumed: 10 });
      }
    }),
  );

  runner.it('Attempts taken at once are granted no more often than one after the other', () =>
    withStores(4, async (stores) => {
      for (let round = 0; round < rounds; round += 1) {
        const subject = round % 2 === 0 ? newUser() : (await issueSet(stores[0])).subject;
        const waits = [0, 0, 0, 0, 60_000, 60_000];
        const attempts = await callAtOnce(CALLERS, (n) =>
          takeAttempt(connectionOf(stores, n), subject, { waits }),
        );
        const granted = attempts
          .flatMap((attempt) => (attempt.ok ? [attempt.ticket.attempt] : []))
          .sort((a, b) => a - b);
        assert.deepEqual(granted, [1, 2, 3, 4, 5]);
        assert.equal(
          attempts.filter((attempt) => !attempt.ok && attempt.events.length > 0).length,
          1,
        );
        const events = await readEvents(subject.userId);
        const throttled = events.filter(({ type }) => type === 'throttled');
        assert.deepEqual(
          throttled.map(({ refusals }) => refusals),
          [CALLERS - 5],
        );
      }
    }),
  );

  runner.it('Attempts given back at once leave a count of exactly zero', () =>
    withStores(4, async (stores) => {
      const { subject } = await issueSet(stores[0]);
      const attempts = await callAtOnce(20, (n) => takeAttempt(connectionOf(stores, n), subject));
      await Promise.all(
        attempts.map(async (attempt, n) => {
          if (!attempt.ok) return;
          await connectionOf(stores, n).giveBack({ subject, ticket: attempt.ticket });
        }),
      );
      assert.equal((await stores[0].find(subject))?.secondFactor.attempts, 0);
    }),
  );
}
