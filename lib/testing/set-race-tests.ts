// The store contract: what holds when sets are issued, activated and revoked at once, over four
// connections.
import assert from 'node:assert/strict';
import type { AuditEvent } from '../audit/events';
import type { BackupCodeStore } from '../stores/contract';
import { callAtOnce, connectionOf, countEach } from './runner';
import {
  HOUR_MS,
  issueSet,
  newConsumeRequest,
  newEvent,
  newSet,
  newUser,
  NOW,
  takeGrantedAttempt,
  type UserSet,
} from './samples';
import type { StoreTestContext } from './store-contract';

/** The steps that end a set, and the event that each of them writes. */
const ENDINGS = { replace: 'issued', activate: 'activated', revoke: 'revoked' } as const;
type Ending = keyof typeof ENDINGS;

export function setRaceTests({ runner, rounds, withStores, readEvents }: StoreTestContext): void {
  runner.it('Of sets issued at once exactly one works, with all its codes', () =>
    withStores(4, async (stores) => {
      for (let round = 0; round < rounds; round += 1) {
        const subject = newUser();
        const sets = Array.from({ length: 10 }, () => newSet(subject));
        await Promise.all(
          sets.map((set, n) => connectionOf(stores, n).replace({ ...set, now: NOW })),
        );
        const current = (await stores[0].find(subject))?.current;
        for (const set of sets) {
          const isCurrent = set.header.setId === current?.setId;
          const results = await callAtOnce(10, (n) =>
            connectionOf(stores, n).consume(newConsumeRequest(set, n)),
          );
          assert.deepEqual(
            countEach(results.map(({ outcome }) => outcome)),
            isCurrent ? { consumed: 10 } : { gone: 10 },
          );
        }
        const events = await readEvents(subject.userId);
        assert.equal(events.filter(({ type }) => type === 'issued').length, 10);
      }
    }),
  );

  runner.it('Of first sets written at once exactly one is kept', () =>
    withStores(4, async (stores) => {
      const subject = newUser();
      const written = await callAtOnce(10, (n) =>
        connectionOf(stores, n).replace({ ...newSet(subject), now: NOW, only: 'first' }),
      );
      assert.deepEqual(countEach(written.map((events) => events.length)), { 0: 9, 1: 1 });
    }),
  );

  runner.it('A staged set that is activated many times at once is activated exactly once', () =>
    withStores(4, async (stores) => {
      const staged = newSet(newUser());
      const { subject } = staged;
      await stores[0].stage({ ...staged, until: NOW + HOUR_MS });
      const results = await callAtOnce(20, (n) => activate(connectionOf(stores, n), staged));
      assert.equal(results.flat().length, 1);
      const events = await readEvents(subject.userId);
      assert.equal(events.filter(({ type }) => type === 'activated').length, 1);
    }),
  );

  runner.it(
    'A set that is issued while an earlier one is revoked again works with all its codes, or with none',
    () =>
      withStores(4, async (stores) => {
        for (let round = 0; round < 5 * rounds; round += 1) {
          const old = await issueSet(stores[0]);
          const { subject } = old;
          await endSet(stores[0], 'revoke', old);
          const fresh = newSet(subject);
          await Promise.all([
            ...stores.map((store) => endSet(store, 'revoke', old)),
            endSet(connectionOf(stores, round), 'replace', fresh),
          ]);
          const { current } = await takeGrantedAttempt(stores[0], subject);
          if (current === null) continue;
          assert.deepEqual(
            current.codes.map(({ digest }) => digest).sort(),
            fresh.codes.map(({ digest }) => digest).sort(),
          );
        }
      }),
  );

  for (const ending of Object.keys(ENDINGS) as Ending[]) {
    runner.it(`A code consumed during ${ending} is consumed before it, or not at all`, () =>
      withStores(4, async (stores) => {
        for (let round = 0; round < rounds; round += 1) {
          const old = await issueSet(stores[0]);
          const { subject } = old;
          const fresh = newSet(subject);
          if (ending === 'activate') await stores[0].stage({ ...fresh, until: NOW + HOUR_MS });
          const [results] = await Promise.all([
            callAtOnce(5, (n) => connectionOf(stores, n + 2).consume(newConsumeRequest(old, n))),
            endSet(connectionOf(stores, 1), ending, fresh),
          ]);
          const trail = (await readEvents(subject.userId)).map(({ type }) => type);
          const endedAt = trail.lastIndexOf(ENDINGS[ending]);
          assert.equal(
            trail.slice(0, endedAt).filter((type) => type === 'consumed').length,
            results.filter(({ outcome }) => outcome === 'consumed').length,
            'each consumed code has its event before the end of the set',
          );
          assert.equal(
            trail.slice(endedAt).filter((type) => type === 'consumed').length,
            0,
            'no code of a set is consumed after its end',
          );
          assert.deepEqual(await stores[0].consume(newConsumeRequest(old, 9)), {
            outcome: 'gone',
            reason: 'none',
          });
          assert.equal(
            (await stores[0].find(subject))?.current?.setId ?? null,
            ending === 'revoke' ? null : fresh.header.setId,
          );
        }
      }),
    );
  }
}

/** Ends the current set of the user. `fresh` takes its place, except after a revocation. */
async function endSet(store: BackupCodeStore, ending: Ending, fresh: UserSet): Promise<void> {
  const { subject } = fresh;
  if (ending === 'replace') await store.replace({ ...fresh, now: NOW });
  else if (ending === 'activate') await activate(store, fresh);
  else await store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) });
}

function activate(
  store: BackupCodeStore,
  { subject, header }: UserSet,
): Promise<readonly AuditEvent[]> {
  const { setId } = header;
  const event = newEvent('activated', subject, { setId });
  return store.activate({ subject, setId, now: NOW, event });
}
