// How many slow hashes run at once in this process, and who goes first. Hashes nothing itself.
//
// bcrypt and scrypt run in the few threads of libuv, which fs, dns and crypto need too. Without a
// limit, a burst of logins stops the rest of the app.
import type { Channel } from '../audit/context';
import { BackupCodeError } from '../errors';

/** The limits of the queue. The queue is one for the process: give every instance the same. */
export interface HashQueueOptions {
  /** Slow hashes that run at once. */
  readonly concurrency: number;
  /** Callers that may wait for a first place. As many again may wait that gave their place up. */
  readonly maxQueued: number;
}

/** Who asks for a place, and within which limits. */
export interface HashRequest extends HashQueueOptions {
  readonly channel: Channel;
}

/** A place among the running hashes. */
export interface HashPlace {
  /** Lets waiting callers go first, then continues. For work of several hashes, between two. */
  yield(): Promise<void>;
}

/** A caller that waits. */
interface QueueEntry extends Pick<HashRequest, 'channel' | 'concurrency'> {
  /** Whether the caller had a place before and gave it up. */
  readonly hasYielded: boolean;
  readonly start: () => void;
}

/** A group of waiting callers. */
type Group = (entry: QueueEntry) => boolean;

/**
 * The longest wait for a first place. A caller that gave up its place is never turned away: it has
 * done a part of its work.
 */
export const MAX_WAIT_SECONDS = 5;

const isNew: Group = ({ hasYielded }) => !hasYielded;
/** On the second factor channel, or with a valid code that is being replaced: not a stranger. */
const isTrusted: Group = ({ channel, hasYielded }) => channel === 'second_factor' || hasYielded;
const isAny: Group = () => true;

/** When work is done, trusted callers come before strangers, however long strangers have waited. */
const ORDER_WHEN_DONE: readonly Group[] = [isTrusted, isAny];
/**
 * When a place is given up for a while, callers that have had none come first, strangers too: a few
 * sets in the making must not keep a login waiting.
 */
const ORDER_WHEN_YIELDED: readonly Group[] = [
  (entry) => isNew(entry) && isTrusted(entry),
  isNew,
  ...ORDER_WHEN_DONE,
];

/** One count and one queue for the process, however many instances there are. */
let running = 0;
/** In the order of arrival. */
const waiting: QueueEntry[] = [];

/** The queue is full, or a caller has waited for too long. */
export class HashQueueBusy extends BackupCodeError {
  constructor() {
    super('busy', 'Too many slow hashes are waiting. Try again in a few seconds.');
  }
}

/**
 * Runs the work as soon as there is a place for it.
 *
 * @throws {HashQueueBusy} if the queue is full, or after five seconds without a place
 */
export async function runInHashQueue<T>(
  { channel, concurrency, maxQueued }: HashRequest,
  work: (place: HashPlace) => Promise<T>,
): Promise<T> {
  if (running < concurrency) running += 1;
  else if (waiting.filter(isNew).length < maxQueued) {
    await waitForPlace({ channel, concurrency, hasYielded: false });
  } else throw new HashQueueBusy();
  try {
    return await work({
      yield: async () => {
        // Without this limit any number of sets could be begun, each giving way to the next, and
        // none would be finished.
        if (waiting.length - waiting.filter(isNew).length >= maxQueued) return;
        freePlace(ORDER_WHEN_YIELDED);
        if (running < concurrency) running += 1;
        else await waitForPlace({ channel, concurrency, hasYielded: true });
      },
    });
  } finally {
    freePlace(ORDER_WHEN_DONE);
  }
}

/** Resolves when the caller has a place. The place has then been counted. */
function waitForPlace(caller: Omit<QueueEntry, 'start'>): Promise<void> {
  return new Promise((resolve, reject) => {
    const turnAway = (): void => {
      waiting.splice(waiting.indexOf(entry), 1);
      reject(new HashQueueBusy());
    };
    const timer = caller.hasYielded ? undefined : setTimeout(turnAway, MAX_WAIT_SECONDS * 1000);
    const start = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const entry: QueueEntry = { ...caller, start };
    waiting.push(entry);
  });
}

/**
 * Frees a place, and starts waiting callers group by group while there is room. An instance with a
 * lower `concurrency` than another is overtaken by it: its callers wait until fewer hashes run than
 * it allows, and may be turned away.
 */
function freePlace(order: readonly Group[]): void {
  running -= 1;
  for (const isInGroup of order) {
    for (;;) {
      const index = waiting.findIndex((entry) => running < entry.concurrency && isInGroup(entry));
      const [next] = index === -1 ? [] : waiting.splice(index, 1);
      if (next === undefined) break;
      running += 1;
      next.start();
    }
  }
}
