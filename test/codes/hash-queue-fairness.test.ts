// Who gets the places of the hash queue if one channel or one user asks for all of them.
import fc from 'fast-check';
import type { Channel } from '../../lib';
import {
  countSubjectsInHashQueue,
  HashQueueBusy,
  runInHashQueue,
  type HashQueueOptions,
} from '../../lib/codes/hash-queue';
import {
  enter,
  finishAll,
  finishOneByOne,
  running,
  settle,
  until,
  type Job,
  type JobOptions,
} from '../helpers/queue-jobs';

const limits = (concurrency: number): HashQueueOptions => ({ concurrency, maxQueued: 128 });

/** Enters so many callers, each for a user of its own unless one is given. */
function enterMany(count: number, concurrency: number, options: JobOptions = {}): Job[] {
  return Array.from({ length: count }, () => enter(limits(concurrency), options));
}

function count(jobs: readonly Job[]): { running: number; waiting: number } {
  return {
    running: jobs.filter((job) => job.isRunning()).length,
    waiting: jobs.filter((job) => job.isWaiting()).length,
  };
}

afterEach(() => expect(countSubjectsInHashQueue()).toBe(0));

describe('the shares of the channels', () => {
  it.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [7, 3],
  ])('Of %i places recovery takes at most %i, and the others stay free', async (places, share) => {
    const flood = enterMany(50, places, { channel: 'recovery' });
    await settle();
    expect(count(flood)).toEqual({ running: share, waiting: 50 - share });
    const logins = enterMany(places - share, places);
    await settle();
    expect(running(logins)).toEqual(logins.map(() => true));
    await finishAll([...logins, ...flood]);
  });

  it('The second factor channel takes every place that recovery leaves', async () => {
    const logins = enterMany(10, 4);
    await settle();
    expect(count(logins)).toEqual({ running: 4, waiting: 6 });
    await finishAll(logins);
  });

  it('While second factor logins wait, recovery gets no place for 32 hashes', async () => {
    const order: Channel[] = [];
    const enterOn = (channel: Channel, times: number): Job[] =>
      enterMany(times, 2, { channel, onBegin: () => order.push(channel) });
    const flood = enterOn('recovery', 100);
    const logins = enterOn('second_factor', 30);
    await finishOneByOne([...flood, ...logins]);
    expect(order.slice(0, 31)).toEqual(['recovery', ...Array<Channel>(30).fill('second_factor')]);
    expect(order).toHaveLength(130);
    await finishAll([...flood, ...logins]);
  });

  it.each([1, 2, 4])(
    'With %i places recovery gets every 33rd hash, however many second factor logins wait',
    async (places) => {
      const order: Channel[] = [];
      const enterOn = (channel: Channel, times: number): Job[] =>
        enterMany(times, places, { channel, onBegin: () => order.push(channel) });
      const logins = enterOn('second_factor', 110);
      const strangers = enterOn('recovery', 3);
      await settle();
      order.length = 0;
      await finishOneByOne([...logins, ...strangers]);
      expect(
        order.flatMap((channel, position) => (channel === 'recovery' ? [position] : [])),
      ).toEqual([32, 65, 98]);
      await finishAll([...logins, ...strangers]);
    },
  );
});

describe('the share of a user', () => {
  it('One user begins two hashes and has four more waiting; others are busy at once', async () => {
    const jobs = enterMany(140, 4, { user: 'ada' });
    await settle();
    expect(count(jobs)).toEqual({ running: 2, waiting: 4 });
    const others = enterMany(40, 4);
    await settle();
    expect(count(others)).toEqual({ running: 2, waiting: 38 });
    const outcomes = finishAll([...jobs, ...others]);
    expect((await outcomes).filter((outcome) => outcome === 'busy')).toHaveLength(134);
    expect(await finishAll(others)).toEqual(others.map(() => 'done'));
  });

  it('The user of a recovery login begins one hash there, and has a place left', async () => {
    const strangers = enterMany(10, 8, { user: 'ada', channel: 'recovery' });
    await settle();
    expect(count(strangers)).toEqual({ running: 1, waiting: 4 });
    const owner = enterMany(2, 8, { user: 'ada' });
    await settle();
    expect(running(owner)).toEqual([true, false]);
    await finishAll([...owner, ...strangers]);
  });

  it('A user is counted until work that yielded is done', async () => {
    const order: string[] = [];
    const work = (name: string, user: string): Promise<void> =>
      runInHashQueue(
        { channel: 'second_factor', subjectKey: user, ...limits(1) },
        async (place) => {
          for (const hash of [1, 2]) {
            order.push(`${name} ${hash}`);
            await settle();
            await place.yield();
          }
        },
      );
    await Promise.all([
      work('set A', 'ada'),
      work('set B', 'ada'),
      work('set C', 'ada'),
      work('login', 'bob'),
    ]);
    expect(order.indexOf('set C 1')).toBeGreaterThan(order.indexOf('set A 2'));
    expect(order.indexOf('login 1')).toBeLessThan(order.indexOf('set C 1'));
    expect(order).toHaveLength(8);
  });

  it('A caller whose user has begun enough is passed over, and joins the end of the line', async () => {
    const [first, second, other] = ['ada', 'ada', 'bob'].map((user) => enter(limits(3), { user }));
    const waiting = ['ada', 'ada', 'eve', 'zoe'].map((user) => enter(limits(3), { user }));
    other!.finish();
    await settle();
    expect(running(waiting)).toEqual([false, false, true, false]);
    first!.finish();
    await settle();
    expect(running(waiting)).toEqual([false, false, true, true]);
    second!.finish();
    await settle();
    expect(running(waiting)).toEqual([true, false, true, true]);
    await finishAll(waiting);
  });

  it('Strangers on recovery who know a user name do not keep its owner out', async () => {
    const places = enterMany(2, 2);
    const strangers = enterMany(4, 2, { user: 'ada', channel: 'recovery' });
    const owner = enterMany(5, 2, { user: 'ada' });
    expect(await Promise.all([owner[4]!.done, ...strangers.map(({ done }) => done)])).toEqual(
      Array(5).fill('busy'),
    );
    expect(count(owner)).toEqual({ running: 0, waiting: 4 });
    expect(await enter(limits(2), { user: 'ada', channel: 'recovery' }).done).toBe('busy');
    expect(await finishAll([...places, ...owner.slice(0, 4)])).toEqual(Array(6).fill('done'));
  });

  it('The last of the strangers makes room, and only if the line has room', async () => {
    const small = { concurrency: 1, maxQueued: 4 };
    const place = enter(small);
    const strangers = [1, 2, 3, 4].map(() => enter(small, { user: 'ada', channel: 'recovery' }));
    const first = enter(small, { user: 'ada' });
    expect(await strangers[3]!.done).toBe('busy');
    const others = [1, 2, 3].map(() => enter(small));
    expect(await enter(small, { user: 'ada' }).done).toBe('busy');
    expect(count(strangers)).toEqual({ running: 0, waiting: 3 });
    const jobs = [place, ...strangers.slice(0, 3), first, ...others];
    expect(await finishAll(jobs)).toEqual(Array(8).fill('done'));
  });

  it('A user who was turned away after five seconds is counted no longer', async () => {
    jest.useFakeTimers();
    const jobs = enterMany(6, 1, { user: 'ada' });
    await jest.advanceTimersByTimeAsync(5000);
    expect(await Promise.all(jobs.slice(1).map(({ done }) => done))).toEqual(Array(5).fill('busy'));
    const next = enterMany(4, 1, { user: 'ada' });
    expect(await finishAll([jobs[0]!, ...next])).toEqual(Array(5).fill('done'));
    jest.useRealTimers();
  });

  it('A user whose work throws is counted no longer', async () => {
    const fault = new Error('the hash failed');
    for (let n = 0; n < 10; n += 1)
      await expect(
        runInHashQueue({ channel: 'second_factor', subjectKey: 'ada', ...limits(2) }, () =>
          Promise.reject(fault),
        ),
      ).rejects.toBe(fault);
  });

  it('A user who is refused because the line is full is not remembered', async () => {
    const full = { concurrency: 1, maxQueued: 0 };
    const job = enter(full);
    expect(await enter(full).done).toBe('busy');
    expect(countSubjectsInHashQueue()).toBe(1);
    await finishAll([job]);
  });

  it('No user has more than two hashes begun and four waiting, whatever the calls', async () => {
    const calls = fc.array(
      fc.record({
        user: fc.constantFrom('ada', 'bob', 'eve'),
        channel: fc.constantFrom<Channel>('second_factor', 'recovery'),
        steps: fc.integer({ min: 0, max: 3 }),
        isFaulty: fc.boolean(),
        delay: fc.integer({ min: 0, max: 8 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), calls, async (concurrency, given) => {
        const loads = new Map<string, { begun: number; recovery: number; waiting: number }>();
        const most = { begun: 0, recovery: 0, waiting: 0 };
        const check = (): void => {
          for (const { begun, recovery, waiting } of loads.values()) {
            most.begun = Math.max(most.begun, begun);
            most.recovery = Math.max(most.recovery, recovery);
            most.waiting = Math.max(most.waiting, waiting);
          }
        };
        const call = async ({
          user,
          channel,
          steps,
          isFaulty,
          delay,
        }: (typeof given)[number]): Promise<string> => {
          for (let turn = 0; turn < delay; turn += 1) await settle();
          const load = loads.get(user) ?? { begun: 0, recovery: 0, waiting: 0 };
          loads.set(user, load);
          const onRecovery = channel === 'recovery' ? 1 : 0;
          load.waiting += 1;
          try {
            await runInHashQueue(
              { channel, subjectKey: user, ...limits(concurrency) },
              async (place) => {
                load.waiting -= 1;
                load.begun += 1;
                load.recovery += onRecovery;
                try {
                  for (let step = 0; step <= steps; step += 1) {
                    await settle();
                    check();
                    if (step < steps) await place.yield();
                  }
                  if (isFaulty) throw new Error('faulty');
                } finally {
                  load.begun -= 1;
                  load.recovery -= onRecovery;
                }
              },
            );
            return 'done';
          } catch (error) {
            if (!(error instanceof HashQueueBusy)) return 'faulty';
            load.waiting -= 1;
            return 'busy';
          }
        };
        const outcomes = await Promise.all(given.map(call));
        expect(most.begun).toBeLessThanOrEqual(2);
        expect(most.recovery).toBeLessThanOrEqual(1);
        expect(most.waiting).toBeLessThanOrEqual(4);
        expect(outcomes.some((outcome) => outcome !== 'busy')).toBe(true);
        expect(countSubjectsInHashQueue()).toBe(0);
      }),
    );
  });

  it('The flood of one user ends, and the next caller begins at once', async () => {
    const jobs = enterMany(50, 2, { user: 'ada' });
    await finishAll(jobs);
    const next = enterMany(2, 2, { user: 'ada' });
    await until(() => next.every((job) => job.isRunning()));
    await finishAll(next);
  });
});
