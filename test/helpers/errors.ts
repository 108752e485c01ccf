// What the package throws, as Jest's matchers take it.
import type { BackupCodeErrorCode } from '../../lib';

/** For `toThrow` and `rejects.toEqual`: a `BackupCodeError` with this code. */
export function failure(code: BackupCodeErrorCode): Error {
  return expect.objectContaining({ name: 'BackupCodeError', code }) as Error;
}
