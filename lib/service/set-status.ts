// The status of a set, as its owner and support see it.
import { DAY_MS } from '../internal/time';
import type { AttemptCounter, CurrentSet } from '../stores/requests';
import type { Config } from './config';

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
   * The channels that accept no more attempts until a new set is issued or `unlock` is called.
   * `recovery` is always false: it only ever makes callers wait.
   */
  readonly locked: { readonly secondFactor: boolean; readonly recovery: boolean };
  /** True if `lowAt` codes or fewer are left, or if consumed codes are no longer replaced. */
  readonly low: boolean;
  /** True if the set is older than `rotateAfterDays`. */
  readonly rotationDue: boolean;
  readonly expired: boolean;
}

/** The status of a current set, now. */
export function describeSet(
  config: Config,
  { setId, total, remaining, createdAt, expiresAt, lastConsumedAt }: CurrentSet,
  secondFactor: AttemptCounter,
): SetStatus {
  const { rotateAfterDays, waits } = config;
  const now = config.now();
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
    low: isLow(config, { remaining, total }),
    rotationDue: rotateAfterDays !== null && now >= createdAt + rotateAfterDays * DAY_MS,
    expired: expiresAt !== null && now >= expiresAt,
  };
}

/**
 * Whether the user needs a new set soon: few codes are left, or a code was consumed without the
 * replacement that `replaceConsumed` promises.
 */
export function isLow(
  { lowAt, maxReplacements }: Config,
  { remaining, total }: Pick<CurrentSet, 'remaining' | 'total'>,
): boolean {
  const isNoLongerReplaced = maxReplacements > 0 && total - remaining > maxReplacements;
  return remaining <= lowAt || isNoLongerReplaced;
}

/**
 * Also true if the limit was lowered since, or if the event of the last attempt could not be
 * written.
 */
function isLocked({ attempts, lockedAt }: AttemptCounter, lockAfter: number): boolean {
  return lockedAt !== null || attempts >= lockAfter;
}
