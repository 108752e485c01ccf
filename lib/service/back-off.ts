// How long a channel waits after each attempt, and how many attempts it has. The stores do the
// counting.
import { BackupCodeError } from '../errors';
import { assertOptions, wholeNumber } from '../internal/validate';

/** Attempts are counted in the store, for each user and each channel separately. */
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
   * Attempts before the channel is locked until a new set is issued, from 1 to 50. NIST SP
   * 800-63B-4, section 3.2.2, allows 100 consecutive failures, and there are two channels.
   *
   * @default 50
   */
  readonly lockAfter?: number;
}

const OPTIONS = ['free', 'firstDelaySeconds', 'maxDelaySeconds', 'lockAfter'] as const;
const ATTEMPTS = { min: 1, max: 50 } as const;
const SECONDS = { min: 30, max: 3600 } as const;

/**
 * Milliseconds to wait after attempt n, at index n - 1. Its length is the number of attempts.
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function attemptWaits(options: AttemptOptions = {}): readonly number[] {
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
  return Array.from({ length: lockAfter }, (_, index) => {
    const doublings = index + 1 - free;
    return doublings < 0 ? 0 : 1000 * Math.min(firstDelay * 2 ** doublings, maxDelay);
  });
}
