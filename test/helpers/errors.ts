// Errors of the package, for Jest's matchers.
import type { BackupCodeErrorCode } from '../../lib';

/** For `toThrow` and `rejects.toEqual`: a `BackupCodeError` with this code. */
export function failure(code: BackupCodeErrorCode): Error {
  return expect.objectContaining({ name: 'BackupCodeError', code }) as Error;
}
