// How many slow hashes run at once in this process, and who goes first. Hashes nothing itself.
//
// bcrypt and scrypt run in libuv's few threads, which fs, dns and crypto need too: without a limit a burst of logins
// stops the rest of the app.
import type { Door } from './context';

export interface GateOptions {
  /** Slow hashes at once. */
  readonly concurrency: number;
  /** Callers that may wait behind them. */
  readonly maxQueued: number;
}

/** A place among the running ones. */
export interface GatePlace {
  /** Lets those who wait go first, then goes on. For work of several hashes. */
  yield(): Promise<void>;
}

interface Waiting {
  readonly concurrency: number;
  readonly enter: () => void;
}

/** Longer than this nobody waits for a place. */
export const MAX_WAIT_SECONDS = 5;

/** The limit is one for the process, however many instances there are. */
let running = 0;
/** Those behind a first factor go before strangers. */
const queues: Record<Door, Waiting[]> = { 'first-factor': [], nothing: [] };

/** Thrown inside, turned into `busy`. */
export class GateBusy extends Error {}

/** Runs the work in a place of its own. @throws {GateBusy} if the queue is full, or the wait longer than five seconds */
export async function inGate<T>(door: Door, { concurrency, maxQueued }: GateOptions, work: (place: GatePlace) => Promise<T>): Promise<T> {
  if (running >= concurrency) {
    if (queues['first-factor'].length + queues.nothing.length >= maxQueued) throw new GateBusy();
    await wait(door, concurrency, MAX_WAIT_SECONDS * 1000);
  } else {
    running += 1;
  }
  try {
    return await work({
      yield: async () => {
        leave();
        if (running >= concurrency) await wait(door, concurrency, null);
        else running += 1;
      },
    });
  } finally {
    leave();
  }
}

/** Resolves once a place is ours; it has then been counted. */
function wait(door: Door, concurrency: number, maxWaitMs: number | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const queue = queues[door];
    const timer = maxWaitMs === null ? undefined : setTimeout(() => {
      queue.splice(queue.indexOf(waiting), 1);
      reject(new GateBusy());
    }, maxWaitMs);
    const waiting: Waiting = {
      concurrency,
      enter: () => {
        clearTimeout(timer);
        resolve();
      },
    };
    queue.push(waiting);
  });
}

function leave(): void {
  running -= 1;
  for (const queue of [queues['first-factor'], queues.nothing]) {
    for (let next = queue[0]; next !== undefined && running < next.concurrency; next = queue[0]) {
      queue.shift();
      running += 1;
      next.enter();
    }
  }
}
