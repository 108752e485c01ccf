import fc from 'fast-check';
import type { Door } from '../lib';
import { GateBusy, inGate, type GateOptions } from '../lib/hash-gate';

const two: GateOptions = { concurrency: 2, maxQueued: 128 };
const one: GateOptions = { concurrency: 1, maxQueued: 128 };

interface Job {
  readonly done: Promise<'done' | 'busy'>;
  isRunning(): boolean;
  finish(): void;
}

/** Asks for a place, and keeps it until told to finish. */
function enter(options: GateOptions, door: Door = 'first-factor'): Job {
  let finish = (): void => undefined;
  let isRunning = false;
  const told = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const work = async (): Promise<'done'> => {
    isRunning = true;
    await told;
    isRunning = false;
    return 'done';
  };
  const done = inGate(door, options, work).catch((error: unknown) => {
    if (error instanceof GateBusy) return 'busy' as const;
    throw error;
  });
  return { done, finish, isRunning: () => isRunning };
}

/** Lets everything go on that can. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const running = (jobs: readonly Job[]): boolean[] => jobs.map((job) => job.isRunning());

async function finishAll(jobs: readonly Job[]): Promise<string[]> {
  for (const job of jobs) job.finish();
  return Promise.all(jobs.map(({ done }) => done));
}

describe('the gate before the slow hash', () => {
  it('lets in as many at once as it is told, and the others as places come free, in order', async () => {
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

  it('lets in those behind a first factor before strangers who came earlier', async () => {
    const [first, stranger, known] = [enter(one), enter(one, 'nothing'), enter(one, 'first-factor')] as const;
    first.finish();
    await settle();
    expect(running([stranger, known])).toEqual([false, true]);
    known.finish();
    await settle();
    expect(running([stranger])).toEqual([true]);
    expect(await finishAll([first, stranger, known])).toEqual(Array(3).fill('done'));
  });

  it('is one for the process, whoever asks', async () => {
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

  it('turns away at once whom the queue has no room for, of both doors together', async () => {
    const options = { concurrency: 1, maxQueued: 2 };
    const jobs = [enter(options), enter(options, 'nothing'), enter(options, 'first-factor')];
    const turnedAway = [enter(options, 'first-factor'), enter(options, 'nothing')];
    expect(await Promise.all(turnedAway.map(({ done }) => done))).toEqual(['busy', 'busy']);
    expect(await finishAll(jobs)).toEqual(Array(3).fill('done'));
  });

  it('may have no queue at all', async () => {
    const options = { concurrency: 1, maxQueued: 0 };
    const job = enter(options);
    expect(await enter(options).done).toBe('busy');
    await finishAll([job]);
    const next = enter(options);
    expect(await finishAll([next])).toEqual(['done']);
  });

  it('frees the place of work that throws, at once or later', async () => {
    const fault = new Error('the hash failed');
    await expect(inGate('nothing', one, () => Promise.reject(fault))).rejects.toBe(fault);
    await expect(inGate('nothing', one, () => {
      throw fault;
    })).rejects.toBe(fault);
    const job = enter(one);
    await settle();
    expect(job.isRunning()).toBe(true);
    await finishAll([job]);
  });

  describe('after five seconds', () => {
    beforeEach(() => jest.useFakeTimers());
    afterEach(() => jest.useRealTimers());

    it('turns away who still waits, and not before', async () => {
      const job = enter(one);
      const waiting = enter(one, 'nothing');
      let outcome = 'waiting';
      void waiting.done.then((became) => (outcome = became));
      await jest.advanceTimersByTimeAsync(4999);
      expect(outcome).toBe('waiting');
      await jest.advanceTimersByTimeAsync(1);
      expect(outcome).toBe('busy');
      expect(await finishAll([job])).toEqual(['done']);
    });

    it('has lost no place to who was turned away', async () => {
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

    it('leaves no timer behind for who was let in', async () => {
      const [job, waiting] = [enter(one), enter(one)];
      expect(jest.getTimerCount()).toBe(1);
      job.finish();
      await jest.advanceTimersByTimeAsync(0);
      expect(waiting.isRunning()).toBe(true);
      expect(jest.getTimerCount()).toBe(0);
      await finishAll([waiting]);
    });

    it('does not turn away who was in and gave way', async () => {
      let isThrough = false;
      const job = inGate('nothing', one, async (place) => {
        await Promise.resolve();
        await place.yield();
        isThrough = true;
      });
      const other = enter(one);
      await jest.advanceTimersByTimeAsync(60_000);
      expect([isThrough, other.isRunning()]).toEqual([false, true]);
      other.finish();
      await job;
      expect(isThrough).toBe(true);
    });
  });

  it('lets those who wait in between the hashes of one who gives way', async () => {
    const order: string[] = [];
    const set = inGate('first-factor', one, async (place) => {
      for (const hash of ['set 1', 'set 2', 'set 3']) {
        order.push(hash);
        await settle();
        await place.yield();
      }
    });
    const logins = ['login 1', 'login 2'].map((name) => inGate('nothing', one, async () => {
      order.push(name);
      await settle();
    }));
    await Promise.all([set, ...logins]);
    expect(order).toEqual(['set 1', 'login 1', 'set 2', 'login 2', 'set 3']);
  });

  it('never lets in more than it is told, whoever gives way or fails, and forgets nobody', async () => {
    const jobs = fc.array(
      fc.record({ door: fc.constantFrom<Door>('first-factor', 'nothing'), steps: fc.integer({ min: 0, max: 4 }), isFaulty: fc.boolean() }),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), jobs, async (concurrency, given) => {
        let inside = 0;
        let most = 0;
        const results = await Promise.allSettled(given.map(({ door, steps, isFaulty }) =>
          inGate(door, { concurrency, maxQueued: 100 }, async (place) => {
            for (let step = 0; step <= steps; step += 1) {
              inside += 1;
              most = Math.max(most, inside);
              await Promise.resolve();
              inside -= 1;
              if (step < steps) await place.yield();
            }
            if (isFaulty) throw new Error('faulty');
          })));
        expect(most).toBe(Math.min(concurrency, given.length));
        expect(results.map(({ status }) => status === 'rejected')).toEqual(given.map(({ isFaulty }) => isFaulty));
      }),
    );
  });
});
