// A code is consumed while its set is replaced, activated, revoked or expires, in each order of the
// store's steps that a scheduler tries.
import fc from 'fast-check';
import { BackupCodes, MemoryStore, type BackupCodeStore } from '../../lib';
import { STORE_METHODS } from '../../lib/stores/contract';
import { countingHasher } from '../helpers/counting-hasher';

const YEAR_MS = 365 * 86_400_000;

type End = 'issue' | 'activate' | 'revoke' | 'expire' | 'issue twice';

/** The event of each step that ends the old set; expiry has none. */
const EVENT_OF: Readonly<Record<End, string | null>> = {
  issue: 'issued',
  'issue twice': 'issued',
  activate: 'activated',
  revoke: 'revoked',
  expire: null,
};

describe.each(Object.keys(EVENT_OF) as End[])('a code consumed during: %s', (end) => {
  it('A code is consumed before its set ends, or never', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const store = new MemoryStore();
        let now = Date.UTC(2030, 0, 1);
        const options = {
          hasher: countingHasher(),
          now: () => now,
          attempts: { free: 50 },
          hashConcurrency: 50,
        };
        const plain = new BackupCodes({ store, ...options });
        const stepwise = new BackupCodes({ store: scheduled(store, scheduler), ...options });
        const old = await plain.issue('ada');
        const staged = end === 'activate' ? await plain.stage('ada') : null;

        const ending = async (): Promise<void> => {
          if (end === 'issue') await stepwise.issue('ada');
          if (end === 'issue twice')
            await Promise.all([stepwise.issue('ada'), stepwise.issue('ada')]);
          if (end === 'activate') await stepwise.activate('ada', staged!.setId);
          if (end === 'revoke') await stepwise.revoke('ada');
          if (end === 'expire')
            await scheduler.schedule(Promise.resolve()).then(() => (now += YEAR_MS));
        };
        const attempts = [old.codes[0], old.codes[0], old.codes[0], old.codes[1]].map((code) =>
          stepwise.consume('ada', code),
        );
        const everything = Promise.all([...attempts, ending()]);
        await scheduler.waitFor(everything);
        const outcomes = await Promise.all(attempts);

        const trail = store.auditTrail;
        const consumed = trail.filter(({ type }) => type === 'consumed');
        expect(outcomes.filter(({ ok }) => ok)).toHaveLength(consumed.length);
        expect(new Set(consumed.map(({ codeId }) => codeId)).size).toBe(consumed.length);
        expect(consumed.every(({ setId, at }) => setId === old.setId && at < old.expiresAt!)).toBe(
          true,
        );
        const eventType = EVENT_OF[end];
        if (eventType !== null) {
          const endedAt = trail.findIndex(
            ({ type, setId }) =>
              type === eventType && (eventType === 'revoked' || setId !== old.setId),
          );
          expect(trail.slice(endedAt).filter(({ type }) => type === 'consumed')).toEqual([]);
        }
        expect(await plain.consume('ada', old.codes[9])).toMatchObject({ ok: false });
        expect(await plain.status('ada')).toEqual(
          end === 'revoke' ? null : expect.objectContaining({ expired: end === 'expire' }),
        );
      }),
      { numRuns: 60 },
    );
  });
});

/** A store whose calls wait for the scheduler before they begin and again before they return. */
function scheduled(store: MemoryStore, scheduler: fc.Scheduler): BackupCodeStore {
  const later =
    (name: (typeof STORE_METHODS)[number]) =>
    async (...args: unknown[]): Promise<unknown> => {
      await scheduler.schedule(Promise.resolve(), `${name} begins`);
      const answer: unknown = await (
        store[name] as (...given: unknown[]) => Promise<unknown>
      ).apply(store, args);
      return scheduler.schedule(Promise.resolve(answer), `${name} is answered`);
    };
  return Object.fromEntries(
    STORE_METHODS.map((name) => [name, later(name)]),
  ) as unknown as BackupCodeStore;
}
