// What `MemoryStore` keeps of a user: the sets and the attempt counters.
import type { Channel } from '../audit/context';
import type { CodeRecord } from '../codes/digests';
import type { CurrentSet, SetHeader, StoredCode } from './requests';
import type { PruneRequest } from './audit-contract';
import { firstGeneration } from './generation';
import type { Subject } from './subject';

/** Counts attempts: on the second factor, or from one network on the recovery channel. */
export interface Counter {
  attempts: number;
  nextAt: number;
  generation: number;
  /** Stays `null` on the recovery channel. */
  lockedAt: number | null;
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
  readonly namespace: string | null;
  current: WorkingSet | null;
  staged: StagedSet | null;
  hadSet: boolean;
  /** The sets that were replaced or revoked. */
  readonly endedSetIds: Set<string>;
  /** When the last set was revoked; 0 if none was. */
  revokedAt: number;
  /** How many reminders of the current set are recorded. */
  reminded: number;
  secondFactor: Counter;
  /**
   * Counters of networks from another generation count as zero. `null` until the channel is first
   * reset: then the counter of each network has a generation of its own.
   */
  recoveryGeneration: number | null;
}

export function newUser({ userId, namespace }: Subject): User {
  return {
    userId,
    namespace,
    current: null,
    staged: null,
    hadSet: false,
    endedSetIds: new Set(),
    revokedAt: 0,
    reminded: 0,
    secondFactor: freshCounter(firstGeneration()),
    recoveryGeneration: null,
  };
}

/** Makes the set current. Both channels count from zero, in a new generation. */
export function beginSet(user: User, header: SetHeader, codes: readonly CodeRecord[]): void {
  endSet(user);
  user.current = {
    set: { ...header, remaining: codes.length, lastConsumedAt: null },
    codes: codes.map((code) => ({ ...code, consumedAt: null, consumptionId: null })),
  };
  user.staged = null;
  user.hadSet = true;
  user.reminded = 0;
  resetCounters(user, 'second_factor');
  resetCounters(user, 'recovery');
}

/** Ends the current set, if there is one. */
export function endSet(user: User): void {
  if (user.current) user.endedSetIds.add(user.current.set.setId);
  user.current = null;
}

/** A channel counts from zero, in a new generation. */
export function resetCounters(user: User, channel: Channel): void {
  const { recoveryGeneration } = user;
  if (channel === 'recovery') {
    user.recoveryGeneration =
      recoveryGeneration === null ? firstGeneration() : recoveryGeneration + 1;
  } else user.secondFactor = freshCounter(user.secondFactor.generation + 1);
}

export function freshCounter(generation: number): Counter {
  return { attempts: 0, nextAt: 0, generation, lockedAt: null };
}

/** Whether `prune` may remove the user: there was no set since, no lock and no running wait. */
export function hasHadNoSet(
  { current, staged, revokedAt, secondFactor }: User,
  { before, lockAfter }: PruneRequest,
): boolean {
  const { attempts, lockedAt, nextAt } = secondFactor;
  const hadSet = current !== null || revokedAt >= before;
  const hadStagedSet = staged !== null && staged.until >= before;
  const isLocked = lockedAt !== null || attempts >= lockAfter;
  return !hadSet && !hadStagedSet && !isLocked && nextAt < before;
}
