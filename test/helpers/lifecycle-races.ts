// Races over the life of a set, through the service, so that the same tests run on each store. The
// clock stands still. "Exactly one" succeeds, never "at most one".
import { BackupCodes, type AuditEvent, type BackupCodesOptions } from '../../lib';
import { DAY_MS, fakeClock, type FakeClock } from './clock';
import { countingHasher } from './counting-hasher';
import type { ReportTestOptions } from './report-tests';
import { asOneUser } from './service';

const ROUNDS = 5;
const USERS = 12;

/** @param options.open opens an empty store; `another` opens a second one on the same data */
export function lifecycleRaces({ open }: Pick<ReportTestOptions, 'open'>): void {
  /** Makes four services, as four processes would have them. */
  const start = async (
    options: Partial<BackupCodesOptions> = {},
  ): Promise<{ at: (n: number) => BackupCodes; clock: FakeClock }> => {
    const { store, another } = await open();
    const clock = fakeClock();
    const services = [store, another(), another(), another()].map(
      (each) =>
        new BackupCodes({
          store: each,
          hasher: countingHasher(),
          now: clock.now,
          attempts: { free: 50 },
          ...options,
        }),
    );
    return { at: (n) => services[n % services.length]!, clock };
  };
  const trailOf = async (service: BackupCodes, userId: string): Promise<AuditEvent[]> => {
    const { events } = await service.audit.events({ userId, order: 'newest-first', limit: 1000 });
    return events.toReversed();
  };

  it('Of ten callers with one code one receives a replacement, which works once', async () => {
    const { at } = await start({ replaceConsumed: true });
    for (let round = 0; round < ROUNDS; round += 1) {
      const userId = `user-${round}`;
      let {
        codes: [code],
      } = await at(0).issue(userId);
      for (const total of [11, 12]) {
        const outcomes = await asOneUser(10, (n) => at(n).consume(userId, code));
        const winners = outcomes.filter((outcome) => outcome.ok);
        expect(winners).toEqual([
          expect.objectContaining({ remaining: 10, total, replacement: expect.any(String) }),
        ]);
        expect(
          outcomes.filter((outcome) => !outcome.ok && outcome.reason === 'reused'),
        ).toHaveLength(9);
        expect(await at(round).status(userId)).toMatchObject({ remaining: 10, total });
        code = winners[0]?.replacement;
      }
      expect((await trailOf(at(0), userId)).filter(({ type }) => type === 'renewed')).toHaveLength(
        2,
      );
    }
  });

  it('`low` and `exhausted` are reported once if all codes are consumed at once', async () => {
    const { at } = await start({ lowAt: 3 });
    for (let round = 0; round < ROUNDS; round += 1) {
      const userId = `user-${round}`;
      const { codes } = await at(0).issue(userId);
      const outcomes = await asOneUser(10, (n) => at(n).consume(userId, codes[n]));
      expect(
        outcomes.map((outcome) => (outcome.ok ? outcome.remaining : -1)).sort((a, b) => a - b),
      ).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      const reached = (await trailOf(at(0), userId)).filter(
        ({ type }) => type === 'low' || type === 'exhausted',
      );
      expect(reached.map(({ type, remaining }) => [type, remaining])).toEqual([
        ['low', 3],
        ['exhausted', 0],
      ]);
    }
  });

  it('A reminder is for the current set, even if sets end meanwhile', async () => {
    const { at, clock } = await start();
    const users = Array.from({ length: USERS }, (_, n) => `user-${n}`);
    for (const userId of users) await at(0).issue(userId);
    clock.advance(335 * DAY_MS);
    let recorded = 0;
    const remind = async (n: number): Promise<void> => {
      // Not `recorded += await …`: it reads the sum before it waits, and concurrent calls lose
      // counts.
      const count = await at(n).audit.recordReminders();
      recorded += count;
    };
    await Promise.all([
      ...users.map((userId, n) =>
        n % 3 === 0 ? at(n).issue(userId) : n % 3 === 1 ? at(n).revoke(userId) : Promise.resolve(),
      ),
      ...Array.from({ length: 4 }, (_, n) => remind(n)),
    ]);
    await remind(0);

    const trails = await Promise.all(users.map((userId) => trailOf(at(0), userId)));
    const reminders = trails.flatMap((trail) =>
      trail.flatMap(({ type, setId }, n) =>
        type === 'expiring' ? [{ setId, previous: trail[n - 1] }] : [],
      ),
    );
    for (const { setId, previous } of reminders)
      expect(previous).toMatchObject({ type: 'issued', setId });
    expect(recorded).toBe(reminders.length);
    const stories = trails.map((trail) => trail.map(({ type }) => type).join(' '));
    for (const [n, story] of stories.entries())
      expect(story).toMatch(
        [/^issued (expiring )?issued$/, /^issued (expiring )?revoked$/, /^issued expiring$/][
          n % 3
        ]!,
      );
  });
}
