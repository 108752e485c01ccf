// The store contract: what holds when a user is forgotten while others consume, stage or issue,
// over four connections.
import assert from 'node:assert/strict';
import { AUDITS, forgetRequest } from './account-tests';
import { callAtOnce, connectionOf, countEach } from './runner';
import { issueSet, newConsumeRequest, newSet, NOW, takeAttempt } from './samples';
import type { StoreTestContext } from './store-contract';

export function accountRaceTests({
  runner,
  rounds,
  withStores,
  readEvents,
}: StoreTestContext): void {
  for (const audit of AUDITS) {
    runner.it(`A code consumed while its user is forgotten leaves nothing behind (${audit})`, () =>
      withStores(4, async (stores) => {
        for (let round = 0; round < rounds; round += 1) {
          const set = await issueSet(stores[0]);
          const { subject } = set;
          const [results, forgotten] = await Promise.all([
            callAtOnce(5, (n) => connectionOf(stores, n + 2).consume(newConsumeRequest(set, n))),
            connectionOf(stores, 1).forget(forgetRequest(subject, audit)),
          ]);
          assert.equal(forgotten.length, 1);
          const outcomes = countEach(results.map(({ outcome }) => outcome));
          assert.equal((outcomes['consumed'] ?? 0) + (outcomes['gone'] ?? 0), 5);
          assert.equal(await stores[0].find(subject), null);
          assert.deepEqual(await readEvents(subject.userId), []);
          assert.equal((await stores[0].consume(newConsumeRequest(set, 9))).outcome, 'gone');
        }
      }),
    );

    runner.it(`A set issued while its user is forgotten is whole or gone (${audit})`, () =>
      withStores(4, async (stores) => {
        for (let round = 0; round < rounds; round += 1) {
          const old = await issueSet(stores[0]);
          const { subject } = old;
          const fresh = newSet(subject);
          const [issued, forgotten] = await Promise.all([
            connectionOf(stores, 2).replace({ ...fresh, now: NOW }),
            connectionOf(stores, 1).forget(forgetRequest(subject, audit)),
          ]);
          assert.deepEqual(issued, [fresh.event]);
          assert.equal(forgotten.length, 1);
          const isWhole = (await stores[0].find(subject)) !== null;
          assert.deepEqual(
            (await readEvents(subject.userId)).map(({ type }) => type),
            isWhole ? ['issued'] : [],
          );
          const results = await callAtOnce(10, (n) =>
            connectionOf(stores, n).consume(newConsumeRequest(fresh, n)),
          );
          assert.deepEqual(
            countEach(results.map(({ outcome }) => outcome)),
            isWhole ? { consumed: 10 } : { gone: 10 },
          );
          assert.equal((await stores[0].consume(newConsumeRequest(old, 0))).outcome, 'gone');
        }
      }),
    );
  }

  runner.it('A user who is forgotten many times at once is forgotten exactly once', () =>
    withStores(4, async (stores) => {
      for (let round = 0; round < rounds; round += 1) {
        const { subject } = await issueSet(stores[0]);
        await takeAttempt(stores[0], subject);
        const results = await callAtOnce(8, (n) =>
          connectionOf(stores, n).forget(forgetRequest(subject, 'anonymize')),
        );
        assert.equal(results.flat().length, 1);
        assert.deepEqual(await readEvents(subject.userId), []);
      }
    }),
  );
}
