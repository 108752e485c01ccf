// The places for slow hashes in this process, and the lines of callers that wait for one. Decides
// who is next. Counts no users and turns no caller away: see `hash-queue.ts`.
import type { Channel } from '../audit/context';

/** What a place is asked for. */
export interface PlaceRequest {
  readonly channel: Channel;
  /** Slow hashes that run at once. */
  readonly concurrency: number;
}

/** A caller in a line. */
export interface LineEntry extends PlaceRequest {
  /** Whether the user of the caller may begin more work. */
  readonly mayStart: () => boolean;
  /** Leaves the line and takes a place. */
  readonly start: () => void;
}

/** Waiting callers of one kind, each with its number in the order of arrival in any line. */
interface Line {
  readonly channel: Channel;
  readonly entries: Map<LineEntry, number>;
}

/** Lines of equal rank. Of their callers, the earliest is next. */
export type Rank = readonly Line[];

/** While both channels wait, `recovery` gets the next place after this many of `second_factor`. */
const MAX_PASSES = 32;

/** Callers that wait for a first place. */
export const newcomers: Readonly<Record<Channel, Line>> = emptyLines();
/** Callers that gave their place up for a while. */
export const yielded: Readonly<Record<Channel, Line>> = emptyLines();

/** On the second factor channel, or with a valid code that is being replaced: not a stranger. */
const TRUSTED: Rank = [newcomers.second_factor, yielded.second_factor, yielded.recovery];
/** When work is done, trusted callers come before strangers. */
export const ORDER_WHEN_DONE: readonly Rank[] = [TRUSTED, [newcomers.recovery]];
/**
 * When a place is given up for a while, callers that have had none come first, strangers too: a few
 * sets in the making must not keep a login waiting.
 */
export const ORDER_WHEN_YIELDED: readonly Rank[] = [
  [newcomers.second_factor],
  [newcomers.recovery],
  TRUSTED,
];

// One count for the process, however many instances there are.
const running: Record<Channel, number> = { second_factor: 0, recovery: 0 };
/** How often `second_factor` got a place since `recovery` last got one, while `recovery` waited. */
let passes = 0;
let arrivals = 0;
/** The highest `concurrency` in any line so far. If even it leaves no room, no line is searched. */
let highestConcurrency = 0;

function emptyLines(): Record<Channel, Line> {
  return {
    second_factor: { channel: 'second_factor', entries: new Map() },
    recovery: { channel: 'recovery', entries: new Map() },
  };
}

/** Adds a caller at the end. A caller that is in the line keeps its position. */
export function join({ entries }: Line, entry: LineEntry): void {
  if (entries.has(entry)) return;
  highestConcurrency = Math.max(highestConcurrency, entry.concurrency);
  arrivals += 1;
  entries.set(entry, arrivals);
}

/** Whether there is a free place that this channel may take. */
export function hasRoom({ channel, concurrency }: PlaceRequest): boolean {
  if (running.second_factor + running.recovery >= concurrency) return false;
  return channel === 'second_factor' || running.recovery < placesOfRecovery(concurrency);
}

/** A single place is shared: then `second_factor` waits for one hash of `recovery` at most. */
function placesOfRecovery(concurrency: number): number {
  return Math.max(1, Math.floor(concurrency / 2));
}

export function takePlace(channel: Channel): void {
  running[channel] += 1;
  if (channel === 'recovery') passes = 0;
  else if (newcomers.recovery.entries.size > 0) passes += 1;
}

/**
 * Frees a place, and starts waiting callers while there is room. An instance with a lower
 * `concurrency` than another is overtaken by it: its callers wait until fewer hashes run than it
 * allows, and may be turned away.
 */
export function freePlace(channel: Channel, order: readonly Rank[]): void {
  running[channel] -= 1;
  for (let next = nextEntry(order); next !== undefined; next = nextEntry(order)) next.start();
}

function nextEntry(order: readonly Rank[]): LineEntry | undefined {
  const isTurnOfRecovery = passes >= MAX_PASSES;
  const turn = isTurnOfRecovery ? firstReady(newcomers.recovery) : undefined;
  if (turn !== undefined) return turn;
  for (const rank of order) {
    const entry = earliestReady(rank);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

function earliestReady(rank: Rank): LineEntry | undefined {
  let earliest: LineEntry | undefined;
  let earliestArrival = Infinity;
  for (const line of rank) {
    const entry = firstReady(line);
    const arrival = entry === undefined ? Infinity : (line.entries.get(entry) ?? Infinity);
    if (arrival >= earliestArrival) continue;
    earliest = entry;
    earliestArrival = arrival;
  }
  return earliest;
}

/**
 * Takes callers out of the line whose user has begun enough work, so that no call searches a long
 * line. They join it again when that work is done.
 */
function firstReady({ channel, entries }: Line): LineEntry | undefined {
  if (!hasRoom({ channel, concurrency: highestConcurrency })) return undefined;
  for (const entry of entries.keys()) {
    if (!hasRoom(entry)) continue;
    if (entry.mayStart()) return entry;
    entries.delete(entry);
  }
  return undefined;
}
