// Callers of the hash queue whose work ends by hand.
import type { Channel } from '../../lib';
import { HashQueueBusy, runInHashQueue, type HashQueueOptions } from '../../lib/codes/hash-queue';

export interface Job {
  readonly done: Promise<'done' | 'busy'>;
  /** Counts the jobs that got a place, in that order; `null` before. */
  begunAs(): number | null;
  /** Whether it has a place. */
  isRunning(): boolean;
  /** Whether it waits for its first place. */
  isWaiting(): boolean;
  finish(): void;
}

export interface JobOptions {
  readonly channel?: Channel;
  /** By default a user of its own. */
  readonly user?: string;
  readonly onBegin?: () => void;
}

let users = 0;
let begun = 0;

/** A user that no other caller has. */
export function newUser(): string {
  users += 1;
  return `user ${users}`;
}

/** Asks for a place, and keeps it until `finish` is called. */
export function enter(
  limits: HashQueueOptions,
  { channel = 'second_factor', user = newUser(), onBegin = () => undefined }: JobOptions = {},
): Job {
  let finish = (): void => undefined;
  let state: 'waiting' | 'running' | 'ended' = 'waiting';
  let begunAs: number | null = null;
  const told = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const work = async (): Promise<'done'> => {
    state = 'running';
    begun += 1;
    begunAs = begun;
    onBegin();
    await told;
    return 'done';
  };
  const done = runInHashQueue({ channel, subjectKey: user, ...limits }, work)
    .catch((error: unknown) => {
      if (error instanceof HashQueueBusy) return 'busy' as const;
      throw error;
    })
    .finally(() => {
      state = 'ended';
    });
  return {
    done,
    finish,
    begunAs: () => begunAs,
    isRunning: () => state === 'running',
    isWaiting: () => state === 'waiting',
  };
}

export const running = (jobs: readonly Job[]): boolean[] => jobs.map((job) => job.isRunning());

export async function finishAll(jobs: readonly Job[]): Promise<string[]> {
  for (const job of jobs) job.finish();
  return Promise.all(jobs.map(({ done }) => done));
}

/** Finishes the job that has run for longest, then the next, until none runs. */
export async function finishOneByOne(jobs: readonly Job[]): Promise<void> {
  for (;;) {
    await settle();
    const [oldest] = jobs
      .filter((job) => job.isRunning())
      .sort((one, other) => (one.begunAs() ?? 0) - (other.begunAs() ?? 0));
    if (oldest === undefined) return;
    oldest.finish();
  }
}

/** Lets everything continue that can. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits until it is so, for at most 100 turns. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn += 1) {
    if (turn === 100) throw new Error('It did not become so within 100 turns.');
    await settle();
  }
}
