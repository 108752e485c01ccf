// The clock of the app, checked at each reading.
import { BackupCodeError } from '../errors';
import { isTime } from './time';
import { describe } from './validate';

/**
 * Checks the app's clock at each reading: every comparison with NaN is false, and would let codes
 * never expire.
 */
export function checkedClock(now: (() => number) | undefined): () => number {
  if (now === undefined) return Date.now;
  return () => {
    const time: unknown = now();
    if (isTime(time)) return Math.floor(time);
    throw new BackupCodeError(
      'invalid_result',
      `now() must return milliseconds since 1970, but returned ${describe(time)}.`,
    );
  };
}
