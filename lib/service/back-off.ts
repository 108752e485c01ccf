// How long a person waits after which failure. A table of numbers; the stores do the counting.
import { BackupCodeError } from '../errors';
import { assertOptions, wholeNumber } from '../internal/validate';

/** Counted per user, at each of two channels: after a first factor, and with nothing before. Kept in the store. */
export interface AttemptOptions {
  /** Attempts without a wait. 1 to 50, default 5. */
  readonly free?: number;
  /** The wait after attempt number `free`; it doubles with each one after. 30 to 3600, default 60. */
  readonly firstDelaySeconds?: number;
  /** The longest wait. `firstDelaySeconds` to 3600, default 3600. */
  readonly maxDelaySeconds?: number;
  /**
   * The last attempt that is looked at; after it the channel stays locked until a new set is issued. 1 to 50, default 50:
   * NIST SP 800-63B-4, section 3.2.2, allows 100 consecutive failures, and there are two channels.
   */
  readonly lockAfter?: number;
}

/**
 * Milliseconds to wait after attempt n, at place n - 1. There are as many places as attempts before a channel locks.
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function attemptWaits(options: AttemptOptions = {}): readonly number[] {
  assertOptions('attempts', options, ['free', 'firstDelaySeconds', 'maxDelaySeconds', 'lockAfter']);
  const free = wholeNumber('attempts.free', options.free, { min: 1, max: 50, fallback: 5 });
  const first = wholeNumber('attempts.firstDelaySeconds', options.firstDelaySeconds, {
    min: 30,
    max: 3600,
    fallback: 60,
  });
  const longest = wholeNumber('attempts.maxDelaySeconds', options.maxDelaySeconds, {
    min: 30,
    max: 3600,
    fallback: 3600,
  });
  const lockAfter = wholeNumber('attempts.lockAfter', options.lockAfter, {
    min: 1,
    max: 50,
    fallback: 50,
  });
  if (longest < first) {
    throw new BackupCodeError(
      'invalid_option',
      `attempts.maxDelaySeconds (${longest}) must not be less than attempts.firstDelaySeconds (${first}).`,
    );
  }
  return Array.from({ length: lockAfter }, (_, index) => {
    const attempt = index + 1;
    return attempt < free ? 0 : 1000 * Math.min(first * 2 ** (attempt - free), longest);
  });
}
