// Of the store's contract: what must hold when many call at once, over four connections. Exactly one, never "at most one".
import assert from 'node:assert/strict';
import { atOnce } from './runner';
import { consumption, HOUR_MS, newEvent, newSet, newUser, NOW, take, userWithSet } from './samples';
import type { Contract } from './store-contract';

const CALLERS = 50;
/** The event that tells of each end. */
const ENDS = { replace: 'issued', activate: 'activated', revoke: 'revoked' } as const;

export function raceTests({ runner, rounds, withStores, readEvents }: Contract): void {
  runner.it(
    `one code of ${CALLERS} callers has exactly one winner, and the other codes still work`,
    () =>
      withStores(4, async (stores) => {
        for (let round = 0; round < rounds; round += 1) {
          const set = await userWithSet(stores[0]);
          const results = await atOnce(CALLERS, (n) =>
            pick(stores, n).consume(consumption(set, 0)),
          );
          assert.deepEqual(count(results.map(({ outcome }) => outcome)), {
            consumed: 1,
            already_consumed: CALLERS - 1,
          });
          assert.equal(
            (await readEvents(set.subject.userId)).filter(({ type }) => type === 'consumed').length,
            1,
          );
          const others = await atOnce(9, (n) => pick(stores, n).consume(consumption(set, n + 1)));
          assert.deepEqual(count(others.map(({ outcome }) => outcome)), { consumed: 9 });
          assert.equal((await stores[0].find(set.subject))?.current?.remaining, 0);
        }
      }),
  );

  runner.it(
    'different codes at once are all consumed, each with a remaining of its own, and none comes back',
    () =>
      withStores(4, async (stores) => {
        for (let round = 0; round < rounds; round += 1) {
          const set = await userWithSet(stores[0]);
          const results = await atOnce(10, (n) => pick(stores, n).consume(consumption(set, n)));
          const left = results
            .map((result) => (result.outcome === 'consumed' ? result.remaining : -1))
            .sort((a, b) => a - b);
          assert.deepEqual(left, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
          const again = await atOnce(10, (n) => pick(stores, n).consume(consumption(set, n)));
          assert.deepEqual(count(again.map(({ outcome }) => outcome)), { already_consumed: 10 });
        }
      }),
  );

  runner.it('no more attempts are granted at once than one after the other', () =>
    withStores(4, async (stores) => {
      for (let round = 0; round < rounds; round += 1) {
        const subject = round % 2 === 0 ? newUser() : (await userWithSet(stores[0])).subject;
        const waits = [0, 0, 0, 0, 60_000, 60_000];
        const attempts = await atOnce(CALLERS, (n) => take(pick(stores, n), subject, { waits }));
        const granted = attempts
          .flatMap((attempt) => (attempt.ok ? [attempt.ticket.attempt] : []))
          .sort((a, b) => a - b);
        assert.deepEqual(granted, [1, 2, 3, 4, 5]);
        assert.equal(
          attempts.filter((attempt) => !attempt.ok && attempt.events.length > 0).length,
          1,
        );
        const throttled = (await readEvents(subject.userId)).filter(
          ({ type }) => type === 'throttled',
        );
        assert.deepEqual(
          throttled.map(({ refusals }) => refusals),
          [CALLERS - 5],
        );
      }
    }),
  );

  runner.it('given back at once, attempts come to nothing and never below', () =>
    withStores(4, async (stores) => {
      const { subject } = await userWithSet(stores[0]);
      const attempts = await atOnce(20, (n) => take(pick(stores, n), subject));
      await Promise.all(
        attempts.map(async (attempt, n) => {
          if (attempt.ok) await pick(stores, n).giveBack({ subject, ticket: attempt.ticket });
        }),
      );
      assert.equal((await stores[0].find(subject))?.channels['second_factor'].attempts, 0);
    }),
  );

  runner.it('of sets issued at once exactly one works, with all its codes', () =>
    withStores(4, async (stores) => {
      for (let round = 0; round < rounds; round += 1) {
        const subject = newUser();
        const sets = Array.from({ length: 10 }, () => newSet(subject));
        await Promise.all(sets.map((set, n) => pick(stores, n).replace({ ...set, now: NOW })));
        const current = (await stores[0].find(subject))?.current;
        for (const set of sets) {
          const isCurrent = set.header.setId === current?.setId;
          const results = await atOnce(10, (n) => pick(stores, n).consume(consumption(set, n)));
          assert.deepEqual(
            count(results.map(({ outcome }) => outcome)),
            isCurrent ? { consumed: 10 } : { gone: 10 },
          );
        }
        assert.equal(
          (await readEvents(subject.userId)).filter(({ type }) => type === 'issued').length,
          10,
        );
      }
    }),
  );

  runner.it('of first sets written at once exactly one is', () =>
    withStores(4, async (stores) => {
      const subject = newUser();
      const written = await atOnce(10, (n) =>
        pick(stores, n).replace({ ...newSet(subject), now: NOW, only: 'first' }),
      );
      assert.deepEqual(count(written.map((events) => events.length)), { 0: 9, 1: 1 });
    }),
  );

  runner.it('a staged set activated at once is activated exactly once', () =>
    withStores(4, async (stores) => {
      const staged = newSet(newUser());
      const {
        subject,
        header: { setId },
      } = staged;
      await stores[0].stage({ ...staged, until: NOW + HOUR_MS });
      const results = await atOnce(20, (n) =>
        pick(stores, n).activate({
          subject,
          setId,
          now: NOW,
          event: newEvent('activated', subject, { setId }),
        }),
      );
      assert.equal(results.flat().length, 1);
      assert.equal(
        (await readEvents(subject.userId)).filter(({ type }) => type === 'activated').length,
        1,
      );
    }),
  );

  for (const end of ['replace', 'activate', 'revoke'] as const) {
    runner.it(`a code consumed while ${end} ends its set is consumed before, or not at all`, () =>
      withStores(4, async (stores) => {
        for (let round = 0; round < rounds; round += 1) {
          const old = await userWithSet(stores[0]);
          const { subject } = old;
          const fresh = newSet(subject);
          const { setId } = fresh.header;
          if (end === 'activate') await stores[0].stage({ ...fresh, until: NOW + HOUR_MS });
          const ending = async (): Promise<unknown> => {
            if (end === 'replace') return pick(stores, 1).replace({ ...fresh, now: NOW });
            if (end === 'activate')
              return pick(stores, 1).activate({
                subject,
                setId,
                now: NOW,
                event: newEvent('activated', subject, { setId }),
              });
            return pick(stores, 1).revoke({
              subject,
              now: NOW,
              event: newEvent('revoked', subject),
            });
          };
          const [consumed] = await Promise.all([
            atOnce(5, (n) => pick(stores, n + 2).consume(consumption(old, n))),
            ending(),
          ]);
          const trail = (await readEvents(subject.userId)).map(({ type }) => type);
          const endedAt = trail.lastIndexOf(ENDS[end]);
          const winners = consumed.filter(({ outcome }) => outcome === 'consumed').length;
          assert.equal(
            trail.slice(0, endedAt).filter((type) => type === 'consumed').length,
            winners,
            'each consumed code has its event before the end',
          );
          assert.equal(
            trail.slice(endedAt).filter((type) => type === 'consumed').length,
            0,
            'no code of a set is consumed after its end',
          );
          assert.deepEqual(await stores[0].consume(consumption(old, 9)), {
            outcome: 'gone',
            reason: 'none',
          });
          assert.equal(
            (await stores[0].find(subject))?.current?.setId ?? null,
            end === 'revoke' ? null : setId,
          );
        }
      }),
    );
  }
}

function pick<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}

function count(values: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}
