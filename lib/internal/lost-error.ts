// The last resort for an error that no caller can receive.
import { asError } from '../errors';

/**
 * Emits a process warning. Without it the error would be an unhandled rejection, which ends the
 * process.
 *
 * @param source what failed
 */
export function warnOfLostError(source: string, thrown: unknown): void {
  const { message } = asError(thrown);
  process.emitWarning(`${source} failed, and the request cannot be answered: ${message}`, {
    code: 'BACKUP_CODE_CALLBACK',
  });
}
