import fc from 'fast-check';
import type { Channel } from '../../lib';
import { HashQueueBusy, runInHashQueue, type HashQueueOptions } from '../../lib/codes/hash-queue';
import { enter, finishAll, newUser, running, settle, until, type Job } from '../helpers/queue-jobs';

const two: HashQueueOptions = { concurrency: 2, maxQueued: 128 };
const one: HashQueueOptions = { concurrency: 1, maxQueued: 128 };

/** As many places as `recovery` may take. */
const placesOfRecovery = (concurrency: number): number => Math.max(1, Math.floor(concurrency / 2));

describe('the hash queue', () => {
  it('At most `concurrency` hashes run at once, in order', async () => {
    const jobs = [enter(two), enter(two), enter(two), enter(two)];
    await settle();
    expect(running(jobs)).toEqual([true, true, false, false]);
    jobs[1]?.finish();
    await settle();
    expect(running(jobs)).toEqual([true, false, true, false]);
    jobs[0]?.finish();
    await settle();
    expect(running(jobs)).toEqual([false, false, true, true]);
    expect(await finishAll(jobs)).toEqual(Array(4).fill('done'));
  });

  it('The second factor channel is served before earlier recovery logins', async () => {
    const [first, recovery, secondFactor] = [
      enter(one),
      enter(one, { channel: 'recovery' }),
      enter(one, { channel: 'second_factor' }),
    ] as const;
    first.finish();
    await settle();
    expect(running([recovery, secondFactor])).toEqual([false, true]);
    secondFactor.finish();
    await settle();
    expect(running([recovery])).toEqual([true]);
    expect(await finishAll([first, recovery, secondFactor])).toEqual(Array(3).fill('done'));
  });

  it('All instances of a process share one hash queue', async () => {
    const mine = [enter(two), enter(two)];
    const other = enter({ concurrency: 1, maxQueued: 5 });
    await settle();
    expect(running([...mine, other])).toEqual([true, true, false]);
    mine[0]?.finish();
    await settle();
    expect(other.isRunning()).toBe(false);
    mine[1]?.finish();
    await settle();
    expect(other.isRunning()).toBe(true);
    await finishAll([...mine, other]);
  });

  it('A full line turns callers away at once, and leaves the other channel its own line', async () => {
    const options = { concurrency: 1, maxQueued: 2 };
    const job = enter(options);
    const line = (channel: Channel): Job[] => [
      enter(options, { channel }),
      enter(options, { channel }),
    ];
    const recovery = line('recovery');
    expect(await enter(options, { channel: 'recovery' }).done).toBe('busy');
    const secondFactor = line('second_factor');
    expect(await enter(options, { channel: 'second_factor' }).done).toBe('busy');
    expect(await finishAll([job, ...recovery, ...secondFactor])).toEqual(Array(5).fill('done'));
  });

  it('A queue without room for waiting callers turns them away at once', async () => {
    const options = { concurrency: 1, maxQueued: 0 };
    const job = enter(options);
    expect(await enter(options).done).toBe('busy');
    await finishAll([job]);
    const next = enter(options);
    expect(await finishAll([next])).toEqual(['done']);
  });

  it('Work that throws, at once or later, frees its place', async () => {
    const fault = new Error('the hash failed');
    await expect(
      runInHashQueue({ channel: 'recovery', subjectKey: newUser(), ...one }, () =>
        Promise.reject(fault),
      ),
    ).rejects.toBe(fault);
    await expect(
      runInHashQueue({ channel: 'recovery', subjectKey: newUser(), ...one }, () => {
        throw fault;
      }),
    ).rejects.toBe(fault);
    const job = enter(one);
    await settle();
    expect(job.isRunning()).toBe(true);
    await finishAll([job]);
  });

  describe('after five seconds', () => {
    beforeEach(() => jest.useFakeTimers());
    afterEach(() => jest.useRealTimers());

    it('A waiting caller is turned away after five seconds, and not before', async () => {
      const job = enter(one);
      const waiting = enter(one, { channel: 'recovery' });
      let outcome = 'waiting';
      void waiting.done.then((became) => (outcome = became));
      await jest.advanceTimersByTimeAsync(4999);
      expect(outcome).toBe('waiting');
      await jest.advanceTimersByTimeAsync(1);
      expect(outcome).toBe('busy');
      expect(await finishAll([job])).toEqual(['done']);
    });

    it('A caller who was turned away takes no place', async () => {
      const job = enter(one);
      const [gone, kept] = [enter(one), enter(one)];
      await jest.advanceTimersByTimeAsync(1000);
      const late = enter(one);
      await jest.advanceTimersByTimeAsync(4000);
      expect(await gone.done).toBe('busy');
      expect(await kept.done).toBe('busy');
      job.finish();
      await jest.advanceTimersByTimeAsync(0);
      expect(late.isRunning()).toBe(true);
      expect(await finishAll([late])).toEqual(['done']);
    });

    it('A caller who got a place leaves no timer behind', async () => {
      const [job, waiting] = [enter(one), enter(one)];
      expect(jest.getTimerCount()).toBe(1);
      job.finish();
      await jest.advanceTimersByTimeAsync(0);
      expect(waiting.isRunning()).toBe(true);
      expect(jest.getTimerCount()).toBe(0);
      await finishAll([waiting]);
    });

    it('Work that yielded is not turned away after five seconds', async () => {
      let isThrough = false;
      const job = runInHashQueue(
        { channel: 'recovery', subjectKey: newUser(), ...one },
        async (place) => {
          await Promise.resolve();
          await place.yield();
          isThrough = true;
        },
      );
      const other = enter(one);
      await jest.advanceTimersByTimeAsync(60_000);
      expect([isThrough, other.isRunning()]).toEqual([false, true]);
      other.finish();
      await job;
      expect(isThrough).toBe(true);
    });
  });

  describe('with work that yields between two hashes', () => {
    /** Work of several hashes. Records when each begins. */
    function works(
      name: string,
      hashes: number,
      order: string[],
      {
        options = one,
        channel = 'second_factor',
      }: { options?: HashQueueOptions; channel?: Channel } = {},
    ): Promise<void> {
      return runInHashQueue({ channel, subjectKey: newUser(), ...options }, async (place) => {
        for (let hash = 1; hash <= hashes; hash += 1) {
          if (hash > 1) await place.yield();
          order.push(`${name} ${hash}`);
          await settle();
        }
      });
    }

    it('Work that yields continues at once if no caller waits', async () => {
      const order: string[] = [];
      await works('set', 3, order);
      expect(order).toEqual(['set 1', 'set 2', 'set 3']);
    });

    it('New callers come first, second factor before recovery, then yielded work', async () => {
      const order: string[] = [];
      await Promise.all([
        works('set A', 3, order),
        works('set B', 3, order),
        works('recovery', 1, order, { channel: 'recovery' }),
        works('login', 1, order),
      ]);
      expect(order).toEqual([
        'set A 1',
        'set B 1',
        'login 1',
        'set A 2',
        'recovery 1',
        'set B 2',
        'set A 3',
        'set B 3',
      ]);
    });

    it('A recovery login gets the third hash, however many sets are being made', async () => {
      const order: string[] = [];
      const sets = Array.from({ length: 8 }, (_, n) =>
        works(`set ${n}`, 10, order, { options: two }),
      );
      await until(() => order.length >= 20);
      const recovery = works('recovery', 1, order, { options: two, channel: 'recovery' });
      const before = order.length;
      await Promise.all([...sets, recovery]);
      expect(order.indexOf('recovery 1') - before).toBeLessThan(3);
      expect(order).toHaveLength(81);
    });

    it('A set gets every second place, however many recovery logins wait', async () => {
      const order: string[] = [];
      await Promise.all([
        works('set', 4, order),
        ...Array.from({ length: 10 }, (_, n) =>
          works(`recovery ${n}`, 1, order, { channel: 'recovery' }),
        ),
      ]);
      expect(order.slice(0, 7).filter((hash) => hash.startsWith('set'))).toEqual([
        'set 1',
        'set 2',
        'set 3',
        'set 4',
      ]);
      expect(order).toHaveLength(14);
    });

    it('A valid recovery code is replaced before other recovery logins are served', async () => {
      const order: string[] = [];
      await Promise.all([
        works('valid', 2, order, { channel: 'recovery' }),
        works('recovery A', 1, order, { channel: 'recovery' }),
        works('recovery B', 1, order, { channel: 'recovery' }),
      ]);
      expect(order).toEqual(['valid 1', 'recovery A 1', 'valid 2', 'recovery B 1']);
    });

    it('Work that yielded does not count as a waiting caller', async () => {
      const options = { concurrency: 1, maxQueued: 1 };
      const order: string[] = [];
      const set = works('set', 2, order, { options });
      const login = enter(options);
      await until(() => login.isRunning());
      // The set has given way to the login, and waits; there is room for one more.
      const next = enter(options, { channel: 'recovery' });
      await settle();
      expect(await enter(options, { channel: 'recovery' }).done).toBe('busy');
      expect(await finishAll([login, next])).toEqual(['done', 'done']);
      await set;
      expect(order).toEqual(['set 1', 'set 2']);
    });

    it('At most `maxQueued` yield, or ever more sets would begin and none would end', async () => {
      const options = { concurrency: 1, maxQueued: 1 };
      const order: string[] = [];
      const first = works('set A', 2, order, { options });
      const second = works('set B', 3, order, { options });
      await until(() => order.includes('set B 1'));
      const third = enter(options);
      await Promise.all([first, second, finishAll([third])]);
      expect(order).toEqual(['set A 1', 'set B 1', 'set B 2', 'set B 3', 'set A 2']);
    });

    it('No work yields if no caller may wait', async () => {
      const options = { concurrency: 1, maxQueued: 0 };
      const order: string[] = [];
      const set = works('set', 3, order, { options });
      expect(await enter(options).done).toBe('busy');
      await set;
      expect(order).toEqual(['set 1', 'set 2', 'set 3']);
    });
  });

  it('A caller with a lower limit does not hold up one with a higher limit', async () => {
    const jobs = [enter(two), enter(two)];
    const lower = enter(one);
    const higher = enter(two, { channel: 'recovery' });
    jobs[0]?.finish();
    await settle();
    expect(running([lower, higher])).toEqual([false, true]);
    jobs[1]?.finish();
    await settle();
    expect(running([lower, higher])).toEqual([false, true]);
    higher.finish();
    await settle();
    expect(lower.isRunning()).toBe(true);
    expect(await finishAll([...jobs, lower, higher])).toEqual(Array(4).fill('done'));
  });

  it('Waiting callers are served between two hashes of a set', async () => {
    const order: string[] = [];
    const set = runInHashQueue(
      { channel: 'second_factor', subjectKey: newUser(), ...one },
      async (place) => {
        for (const hash of ['set 1', 'set 2', 'set 3']) {
          order.push(hash);
          await settle();
          await place.yield();
        }
      },
    );
    const logins = ['login 1', 'login 2'].map((name) =>
      runInHashQueue({ channel: 'recovery', subjectKey: newUser(), ...one }, async () => {
        order.push(name);
        await settle();
      }),
    );
    await Promise.all([set, ...logins]);
    expect(order).toEqual(['set 1', 'login 1', 'set 2', 'login 2', 'set 3']);
  });

  it('Never more than `concurrency` hashes run, and no caller is forgotten', async () => {
    const jobs = fc.array(
      fc.record({
        channel: fc.constantFrom<Channel>('second_factor', 'recovery'),
        steps: fc.integer({ min: 0, max: 4 }),
        isFaulty: fc.boolean(),
      }),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), jobs, async (concurrency, given) => {
        let inside = 0;
        let most = 0;
        const results = await Promise.allSettled(
          given.map(({ channel, steps, isFaulty }) =>
            runInHashQueue(
              { channel, subjectKey: newUser(), concurrency, maxQueued: 100 },
              async (place) => {
                for (let step = 0; step <= steps; step += 1) {
                  inside += 1;
                  most = Math.max(most, inside);
                  await Promise.resolve();
                  inside -= 1;
                  if (step < steps) await place.yield();
                }
                if (isFaulty) throw new Error('faulty');
              },
            ),
          ),
        );
        const strangers = given.filter(({ channel }) => channel === 'recovery').length;
        const others = given.length - strangers;
        expect(most).toBe(
          Math.min(concurrency, others + Math.min(strangers, placesOfRecovery(concurrency))),
        );
        expect(results.map(({ status }) => status === 'rejected')).toEqual(
          given.map(({ isFaulty }) => isFaulty),
        );
      }),
    );
  });

  it('With limits of every size each caller is completed, or turned away at first', async () => {
    const jobs = fc.array(
      fc.record({
        channel: fc.constantFrom<Channel>('second_factor', 'recovery'),
        steps: fc.integer({ min: 0, max: 4 }),
        concurrency: fc.integer({ min: 1, max: 4 }),
        maxQueued: fc.integer({ min: 0, max: 4 }),
      }),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(jobs, async (given) => {
        const highest = Math.max(...given.map(({ concurrency }) => concurrency));
        let inside = 0;
        const became = await Promise.all(
          given.map(async ({ channel, steps, ...options }) => {
            let done = 0;
            try {
              await runInHashQueue(
                { channel, subjectKey: newUser(), ...options },
                async (place) => {
                  for (; done <= steps; done += 1) {
                    if (done > 0) await place.yield();
                    inside += 1;
                    expect(inside).toBeLessThanOrEqual(highest);
                    await Promise.resolve();
                    inside -= 1;
                  }
                },
              );
            } catch (error) {
              if (!(error instanceof HashQueueBusy)) throw error;
            }
            return done;
          }),
        );
        expect(inside).toBe(0);
        expect(became.filter((done, nth) => done !== 0 && done !== given[nth]!.steps + 1)).toEqual(
          [],
        );
        expect(became.some((done) => done > 0)).toBe(true);
      }),
    );
  });
});
