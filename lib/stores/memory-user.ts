// What `MemoryStore` keeps of a user: the sets, and the attempt counters of both channels.
import type { Channel } from '../audit/context';
import type { AuditEvent } from '../audit/events';
import type { CodeRecord } from '../codes/digests';
import type { CurrentSet, SetHeader, StoredCode } from './contract';

export interface ChannelCounter {
  attempts: number;
  nextAt: number;
  generation: number;
  lockedAt: number | null;
  /** The event in which refusals are counted. It is in the trail, and changes with each refusal. */
  refusal: (AuditEvent & { refusals: number }) | null;
}

interface StagedSet {
  readonly header: SetHeader;
  readonly codes: readonly CodeRecord[];
  readonly until: number;
}

/** Each change makes new objects, so that these can be handed out. */
interface WorkingSet {
  readonly set: CurrentSet;
  readonly codes: readonly StoredCode[];
}

export interface User {
  readonly userId: string | null;
  current: WorkingSet | null;
  staged: StagedSet | null;
  hadSet: boolean;
  /** How many reminders of the current set are recorded. */
  reminded: number;
  readonly channels: Record<Channel, ChannelCounter>;
}

/** @param userId `null` for an unknown user name */
export function newUser(userId: string | null): User {
  return {
    userId,
    current: null,
    staged: null,
    hadSet: false,
    reminded: 0,
    channels: { second_factor: freshCounter(0), recovery: freshCounter(0) },
  };
}

/** Makes the set current. Both channels count from zero, in a new generation. */
export function beginSet(user: User, header: SetHeader, codes: readonly CodeRecord[]): void {
  user.current = {
    set: { ...header, remaining: codes.length, lastConsumedAt: null },
    codes: codes.map((code) => ({ ...code, consumedAt: null })),
  };
  user.staged = null;
  user.hadSet = true;
  user.reminded = 0;
  for (const channel of ['second_factor', 'recovery'] as const) {
    user.channels[channel] = freshCounter(user.channels[channel].generation + 1);
  }
}

export function freshCounter(generation: number): ChannelCounter {
  return { attempts: 0, nextAt: 0, generation, lockedAt: null, refusal: null };
}
