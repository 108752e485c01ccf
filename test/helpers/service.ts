// A service with a fast counting hasher, a clock that stands still, and a store whose calls are
// recorded.
import {
  BackupCodes,
  formats,
  type AuditEvent,
  type BackupCodesOptions,
  type BackupCodeStore,
  type UserId,
} from '../../lib';
import { EVENT_TYPES } from '../../lib/audit/events';
import { userSubject } from '../../lib/stores/subject';
import { fakeClock, type FakeClock } from './clock';
import { countingHasher, type CountingHasher } from './counting-hasher';
import type { OpenStore } from './stores';
import { watchStore, type WatchedStore } from './watched-store';

/** A code of the standard format. A set contains it with a chance of one in 10^11. */
export const WRONG = 'AAAA-AAAA';
/** A code of the recovery format, which both channels read. No set contains it. */
export const WRONG_ON_BOTH = 'AAAA-AAAA-AAAA-AAAA';

export interface Service {
  readonly backupCodes: BackupCodes;
  readonly hasher: CountingHasher;
  readonly clock: FakeClock;
  readonly watched: WatchedStore;
  /** The events that listeners received, in order. */
  readonly received: AuditEvent[];
  /** The events that the store has written. */
  written(): Promise<AuditEvent[]>;
  /** The attempts that count for a user on `second_factor`. */
  charged(userId: UserId): Promise<number>;
}

export async function openService(
  open: () => Promise<OpenStore>,
  options: Partial<BackupCodesOptions> = {},
): Promise<Service> {
  return serviceOn(await open(), options);
}

/** With codes of 80 bits, which both channels read. */
export function openServiceForBoth(
  open: () => Promise<OpenStore>,
  options: Partial<BackupCodesOptions> = {},
): Promise<Service> {
  return openService(open, { format: formats.recovery, ...options });
}

/** Makes an instance on the store, as after a restart or in another process. */
export function serviceOn(
  { store, events }: Pick<OpenStore, 'store' | 'events'>,
  options: Partial<BackupCodesOptions> = {},
): Service {
  const [hasher, clock, watched, received] = [
    countingHasher(),
    fakeClock(),
    watchStore(store),
    [] as AuditEvent[],
  ];
  const backupCodes = new BackupCodes({ store: watched.store, hasher, now: clock.now, ...options });
  for (const type of EVENT_TYPES) backupCodes.on(type, (event) => received.push(event));
  return {
    backupCodes,
    hasher,
    clock,
    watched,
    received,
    written: events,
    charged: (userId) => chargedTo(store, userId),
  };
}

/** As {@link serviceOn}, with codes of 80 bits, which both channels read. */
export function serviceForBothOn(
  opened: Pick<OpenStore, 'store' | 'events'>,
  options: Partial<BackupCodesOptions> = {},
): Service {
  return serviceOn(opened, { format: formats.recovery, ...options });
}

async function chargedTo(store: BackupCodeStore, userId: UserId): Promise<number> {
  return (await store.find(userSubject(userId)))?.secondFactor.attempts ?? 0;
}

/** The hash queue takes no more calls of one user at once: two that run and four that wait. */
export const MOST_OF_ONE_USER = 6;

/** As many calls of one user at once as the hash queue takes: another begins when one ends. */
export async function asOneUser<T>(
  times: number,
  call: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let begun = 0;
  const callInTurn = async (): Promise<void> => {
    while (begun < times) {
      const index = begun;
      begun += 1;
      results[index] = await call(index);
    }
  };
  await Promise.all(Array.from({ length: MOST_OF_ONE_USER }, callInTurn));
  return results;
}

/** Starts all calls before it waits for the first. */
export function atOnce<T>(times: number, call: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => call(index)));
}
