// How many slow hashes run and wait in this process: in all, on each channel and for each user.
// Hashes nothing itself.
//
// bcrypt and scrypt run in the few threads of libuv, which fs, dns and crypto need too. Without a
// limit, a burst of logins stops the rest of the app. `recovery` never takes the places of
// `second_factor`, and no user takes those of the others.
import type { Channel } from '../audit/context';
import { BackupCodeError } from '../errors';
import {
  freePlace,
  hasRoom,
  join,
  newcomers,
  ORDER_WHEN_DONE,
  ORDER_WHEN_YIELDED,
  takePlace,
  yielded,
  type LineEntry,
  type PlaceRequest,
  type Rank,
} from './hash-lines';

/** The limits of the queue. The queue is one for the process: give every instance the same. */
export interface HashQueueOptions {
  /** Slow hashes that run at once. At most half of them, and at least one, are on `recovery`. */
  readonly concurrency: number;
  /**
   * Callers that may wait for a first place, on each channel. As many again may wait that gave
   * their place up.
   */
  readonly maxQueued: number;
}

/** Who asks for a place, and within which limits. */
export interface HashRequest extends HashQueueOptions {
  readonly channel: Channel;
  /** The key of the user, or of the unknown user name. All instances count it together. */
  readonly subjectKey: string;
}

/** A place among the running hashes. */
export interface HashPlace {
  /** Lets waiting callers go first, then continues. For work of several hashes, between two. */
  yield(): Promise<void>;
  /**
   * Runs one more hash of the same user at the same time, if a place is free and the user may have
   * it. A place is free only if no caller that may have it waits. Wait for the result before the
   * work ends.
   *
   * @returns `null` if there is no such place
   */
  runBeside<T>(hash: () => Promise<T>): Promise<T> | null;
}

/** What a user, or an unknown user name, has in the queue. */
interface SubjectLoad {
  readonly key: string;
  /** Work that has begun and is not done: it runs, or it has yielded. */
  readonly begun: Record<Channel, number>;
  /** How much of it runs beside other work of the user, on a place that was free. */
  besides: number;
  /** Callers that wait for a first place, in the order of arrival. */
  readonly waiting: Set<WaitingCaller>;
}

/** A request, and what its user has in the queue. */
interface Caller extends HashRequest {
  readonly load: SubjectLoad;
}

/** A caller that waits for a first place. */
interface WaitingCaller extends LineEntry {
  readonly turnAway: () => void;
}

/**
 * The longest wait for a first place. A caller that gave up its place is never turned away: it has
 * done a part of its work.
 */
export const MAX_WAIT_SECONDS = 5;

/** Work that one user may have begun at a time. */
const MAX_BEGUN = 2;
/** How much of it may be on `recovery`, where a stranger only needs the name of the user. */
const MAX_BEGUN_ON_RECOVERY = 1;
/** Callers of one user that may wait for a first place. */
const MAX_WAITING = 4;

/** Callers that wait for a first place, on each channel. */
const waiting: Record<Channel, number> = { second_factor: 0, recovery: 0 };
const loads = new Map<string, SubjectLoad>();

/** The queue is full, the user has too many callers in it, or a caller has waited for too long. */
export class HashQueueBusy extends BackupCodeError {
  constructor() {
    super('busy', 'Too many slow hashes are waiting. Try again in a few seconds.');
  }
}

/** How many users and unknown user names have work in the queue. */
export function countSubjectsInHashQueue(): number {
  return loads.size;
}

/**
 * Runs the work as soon as there is a place for it.
 *
 * @throws {HashQueueBusy} if the queue of the channel is full, if four callers of this user wait,
 *   or after five seconds without a place
 */
export async function runInHashQueue<T>(
  request: HashRequest,
  work: (place: HashPlace) => Promise<T>,
): Promise<T> {
  const caller: Caller = { ...request, load: loadOf(request.subjectKey) };
  if (hasRoom(caller) && mayBegin(caller)) begin(caller);
  else await waitForFirstPlace(caller);
  try {
    return await work({
      yield: () => yieldPlace(caller),
      runBeside: (hash) => (hasRoom(caller) && mayBegin(caller) ? runBeside(caller, hash) : null),
    });
  } finally {
    end(caller, ORDER_WHEN_DONE);
  }
}

async function runBeside<T>(caller: Caller, hash: () => Promise<T>): Promise<T> {
  begin(caller);
  caller.load.besides += 1;
  try {
    return await hash();
  } finally {
    caller.load.besides -= 1;
    // The work continues on its first place, so the second is given up as if it yielded.
    end(caller, ORDER_WHEN_YIELDED);
  }
}

/** A new load is remembered only when it holds something. */
function loadOf(key: string): SubjectLoad {
  const begun = { second_factor: 0, recovery: 0 };
  return loads.get(key) ?? { key, begun, besides: 0, waiting: new Set() };
}

function mayBegin({ channel, load: { begun } }: Caller): boolean {
  if (begun.second_factor + begun.recovery >= MAX_BEGUN) return false;
  return channel === 'second_factor' || begun.recovery < MAX_BEGUN_ON_RECOVERY;
}

function begin({ channel, load }: Caller): void {
  load.begun[channel] += 1;
  loads.set(load.key, load);
  takePlace(channel);
}

function end({ channel, load }: Caller, order: readonly Rank[]): void {
  load.begun[channel] -= 1;
  for (const entry of load.waiting) join(newcomers[entry.channel], entry);
  forgetIfEmpty(load);
  freePlace(channel, order);
}

function forgetIfEmpty({ key, begun, waiting: callers }: SubjectLoad): void {
  if (begun.second_factor + begun.recovery + callers.size === 0) loads.delete(key);
}

/**
 * Resolves when the caller has a place. The place has then been counted.
 *
 * @throws {HashQueueBusy}
 */
function waitForFirstPlace(caller: Caller): Promise<void> {
  const { channel, concurrency, maxQueued, load } = caller;
  if (waiting[channel] >= maxQueued) throw new HashQueueBusy();
  // A call that a hash beside keeps from beginning is not one too many: it waits for one hash.
  if (load.waiting.size >= MAX_WAITING + load.besides) turnAwayStranger(caller);
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      clearTimeout(timer);
      newcomers[channel].entries.delete(entry);
      load.waiting.delete(entry);
      waiting[channel] -= 1;
    };
    const entry: WaitingCaller = {
      channel,
      concurrency,
      mayStart: () => mayBegin(caller),
      start: () => {
        leave();
        begin(caller);
        resolve();
      },
      turnAway: () => {
        leave();
        forgetIfEmpty(load);
        reject(new HashQueueBusy());
      },
    };
    const timer = setTimeout(entry.turnAway, MAX_WAIT_SECONDS * 1000);
    waiting[channel] += 1;
    load.waiting.add(entry);
    loads.set(load.key, load);
    join(newcomers[channel], entry);
  });
}

/**
 * Makes room for a caller on `second_factor`: turns away the last caller of this user that waits on
 * `recovery`. Otherwise a stranger could use up the entries of a user with the user name alone.
 *
 * @throws {HashQueueBusy} if no caller has to make room
 */
function turnAwayStranger({ channel, load }: Caller): void {
  const stranger = [...load.waiting].findLast((entry) => entry.channel === 'recovery');
  if (channel === 'recovery' || stranger === undefined) throw new HashQueueBusy();
  stranger.turnAway();
}

async function yieldPlace({ channel, concurrency, maxQueued }: Caller): Promise<void> {
  // Without this limit any number of sets could be begun, each giving way to the next, and none
  // would be finished.
  if (yielded[channel].entries.size >= maxQueued) return;
  freePlace(channel, ORDER_WHEN_YIELDED);
  if (hasRoom({ channel, concurrency })) takePlace(channel);
  else await waitForNextPlace({ channel, concurrency });
}

function waitForNextPlace({ channel, concurrency }: PlaceRequest): Promise<void> {
  return new Promise((resolve) => {
    const entry: LineEntry = {
      channel,
      concurrency,
      mayStart: () => true,
      start: () => {
        yielded[channel].entries.delete(entry);
        takePlace(channel);
        resolve();
      },
    };
    join(yielded[channel], entry);
  });
}
