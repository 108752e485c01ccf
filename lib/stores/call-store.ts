// Waits for a call of the store, but not without a limit.
import { BackupCodeError } from '../errors';
import { withinSeconds } from '../internal/time-limit';

/** A call of the store, and the name of its method. */
export interface StoreCall<T> {
  readonly method: string;
  readonly call: () => Promise<T>;
}

/**
 * After the limit nothing is known about what the store did, or will do. A late answer and a late
 * failure are ignored.
 *
 * @throws {BackupCodeError} `store_timeout`
 */
export function callStore<T>(timeoutSeconds: number, { method, call }: StoreCall<T>): Promise<T> {
  return withinSeconds(timeoutSeconds, {
    call,
    late: () =>
      new BackupCodeError(
        'store_timeout',
        `The store did not answer ${method} within ${timeoutSeconds} seconds ` +
          '(storeTimeoutSeconds). It is not known what it did. ' +
          'Give the database client time limits of its own: docs/time-limits.md.',
      ),
  });
}
