// The status of a set, as its owner and support see it.
import { DAY_MS } from '../internal/time';
import type { AttemptCounter, CurrentSet } from '../stores/contract';
import type { Config } from './options';

/** What the owner and support may see of a set. Times are milliseconds since 1970. */
export interface SetStatus {
  readonly setId: string;
  /** Codes in the set, consumed ones included. */
  readonly total: number;
  readonly remaining: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastConsumedAt: number | null;
  /**
   * The channels that accept no more attempts until a new set is issued. `recovery` is always
   * false: it only ever makes callers wait.
   */
  readonly locked: { readonly secondFactor: boolean; readonly recovery: boolean };
  /** True if `lowAt` codes or fewer are left. */
  readonly low: boolean;
  /** True if the set is older than `rotateAfterDays`. */
  readonly rotationDue: boolean;
  readonly expired: boolean;
}

/** The status of a current set, now. */
export function describeSet(
  { rotateAfterDays, lowAt, waits, now: clock }: Config,
  { setId, total, remaining, createdAt, expiresAt, lastConsumedAt }: CurrentSet,
  secondFactor: AttemptCounter,
): SetStatus {
  const now = clock();
  return {
    setId,
    total,
    remaining,
    createdAt,
    expiresAt,
    lastConsumedAt,
    locked: {
      secondFactor: isLocked(secondFactor, waits.second_factor.length),
      recovery: false,
    },
    low: remaining <= lowAt,
    rotationDue: rotateAfterDays !== null && now >= createdAt + rotateAfterDays * DAY_MS,
    expired: expiresAt !== null && now >= expiresAt,
  };
}

/**
 * Also true if the limit was lowered since, or if the event of the last attempt could not be
 * written.
 */
function isLocked({ attempts, lockedAt }: AttemptCounter, lockAfter: number): boolean {
  return lockedAt !== null || attempts >= lockAfter;
}
