// How long to wait after each attempt, and how many attempts the second factor has. The stores do
// the counting.
import type { Channel } from '../audit/context';
import { BackupCodeError } from '../errors';
import { assertOptions, wholeNumber } from '../internal/validate';

/**
 * Attempts are counted in the store: on `second_factor` for each user, on `recovery` for each user
 * and network, so that a stranger who knows a user name delays no owner.
 */
export interface AttemptOptions {
  /**
   * Attempts without a wait, from 1 to 50.
   *
   * @default 5
   */
  readonly free?: number;
  /**
   * The wait after attempt number `free`, from 30 to 3600 seconds. It doubles with each attempt
   * after that.
   *
   * @default 60
   */
  readonly firstDelaySeconds?: number;
  /**
   * The longest wait, from `firstDelaySeconds` to 3600 seconds.
   *
   * @default 3600
   */
  readonly maxDelaySeconds?: number;
  /**
   * Attempts before `second_factor` is locked, until a new set is issued or `unlock` is called,
   * from 1 to 50. NIST SP 800-63B-4, section 3.2.2, allows 100 consecutive failures. `recovery`
   * never locks: its codes have 64 bits or more, for which section 3.1.2.2 asks no limit.
   *
   * @default 50
   */
  readonly lockAfter?: number;
}

const OPTIONS = ['free', 'firstDelaySeconds', 'maxDelaySeconds', 'lockAfter'] as const;
const ATTEMPTS = { min: 1, max: 50 } as const;
const SECONDS = { min: 30, max: 3600 } as const;

/**
 * Milliseconds to wait after attempt n, at index n - 1. On `second_factor` the length is the number
 * of attempts. On `recovery` the last wait is repeated.
 */
export type Waits = Readonly<Record<Channel, readonly number[]>>;

/** @throws {BackupCodeError} `invalid_option` */
export function attemptWaits(options: AttemptOptions = {}): Waits {
  assertOptions('attempts', options, OPTIONS);
  const free = wholeNumber('attempts.free', options.free, { ...ATTEMPTS, fallback: 5 });
  const firstDelay = wholeNumber('attempts.firstDelaySeconds', options.firstDelaySeconds, {
    ...SECONDS,
    fallback: 60,
  });
  const maxDelay = wholeNumber('attempts.maxDelaySeconds', options.maxDelaySeconds, {
    ...SECONDS,
    fallback: 3600,
  });
  const lockAfter = wholeNumber('attempts.lockAfter', options.lockAfter, {
    ...ATTEMPTS,
    fallback: 50,
  });
  if (maxDelay < firstDelay) {
    throw new BackupCodeError(
      'invalid_option',
      `attempts.maxDelaySeconds (${maxDelay}) must not be less than ` +
        `attempts.firstDelaySeconds (${firstDelay}).`,
    );
  }
  const waitAfter = (attempt: number): number =>
    attempt < free ? 0 : 1000 * Math.min(firstDelay * 2 ** (attempt - free), maxDelay);
  const firstLongest = free + Math.ceil(Math.log2(maxDelay / firstDelay));
  return {
    second_factor: Array.from({ length: lockAfter }, (_, index) => waitAfter(index + 1)),
    recovery: Array.from({ length: firstLongest }, (_, index) => waitAfter(index + 1)),
  };
}
