// How many slow hashes run at once in this process, and who goes first. Hashes nothing itself.
//
// bcrypt and scrypt run in libuv's few threads, which fs, dns and crypto need too: without a limit a burst of logins
// stops the rest of the app.
import type { Channel } from '../audit/context';

export interface GateOptions {
  /** Slow hashes at once. */
  readonly concurrency: number;
  /** Callers that may wait behind them; as many again that had a place and gave way. */
  readonly maxQueued: number;
}

/** A place among the running ones. */
export interface GatePlace {
  /** Lets those who wait go first, then goes on. For work of several hashes. */
  yield(): Promise<void>;
}

interface Waiting {
  readonly channel: Channel;
  readonly concurrency: number;
  /** Had a place, and goes on once it has one again. */
  readonly gaveWay: boolean;
  readonly enter: () => void;
}

type Rank = (one: Waiting) => boolean;

/** Longer than this nobody waits for a first place. Who gave way is never turned away: there is work done. */
export const MAX_WAIT_SECONDS = 5;

const isNew: Rank = ({ gaveWay }) => !gaveWay;
/** Behind a first factor, or one who gave a right code and is being made another: no stranger. */
const isKnown: Rank = ({ channel, gaveWay }) => channel === 'second_factor' || gaveWay;

/** A place that is left goes to those who are known before strangers, however long these wait. */
const WHEN_DONE: readonly Rank[] = [isKnown, () => true];
/** One that is given up for a while goes to who has had none yet, strangers too: a few sets being made keep nobody out. */
const WHEN_GIVING_WAY: readonly Rank[] = [(one) => isNew(one) && isKnown(one), isNew, ...WHEN_DONE];

/** The limit is one for the process, however many instances there are. */
let running = 0;
/** In the order in which they came. */
const waiting: Waiting[] = [];

/** Thrown inside, turned into `busy`. */
export class GateBusy extends Error {}

/** Runs the work in a place of its own. @throws {GateBusy} if the queue is full, or the wait longer than five seconds */
export async function inGate<T>(
  channel: Channel,
  { concurrency, maxQueued }: GateOptions,
  work: (place: GatePlace) => Promise<T>,
): Promise<T> {
  const newcomers = waiting.filter(isNew).length;
  if (running < concurrency) running += 1;
  else if (newcomers < maxQueued) await wait({ channel, concurrency, gaveWay: false });
  else throw new GateBusy();
  try {
    return await work({
      yield: async () => {
        // Else any number of sets could be begun, each giving way to the next, and none be finished.
        if (waiting.length - waiting.filter(isNew).length >= maxQueued) return;
        leave(WHEN_GIVING_WAY);
        if (running < concurrency) running += 1;
        else await wait({ channel, concurrency, gaveWay: true });
      },
    });
  } finally {
    leave(WHEN_DONE);
  }
}

/** Resolves once a place is ours; it has then been counted. */
function wait(who: Omit<Waiting, 'enter'>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = who.gaveWay
      ? undefined
      : setTimeout(() => {
          waiting.splice(waiting.indexOf(one), 1);
          reject(new GateBusy());
        }, MAX_WAIT_SECONDS * 1000);
    const one: Waiting = {
      ...who,
      enter: () => {
        clearTimeout(timer);
        resolve();
      },
    };
    waiting.push(one);
  });
}

/**
 * Lets in the first of each rank for whom there is room. Instances of unlike `concurrency` share the process: one of a
 * lower limit is overtaken for as long as the others keep more running than it may, and may be told `busy`. Give all the same.
 */
function leave(ranks: readonly Rank[]): void {
  running -= 1;
  for (;;) {
    const next = ranks
      .map((rank) => waiting.find((one) => running < one.concurrency && rank(one)))
      .find((one) => one !== undefined);
    if (next === undefined) return;
    waiting.splice(waiting.indexOf(next), 1);
    running += 1;
    next.enter();
  }
}
