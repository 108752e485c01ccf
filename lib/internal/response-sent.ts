// Whether a response was sent before the package could answer, by a time-out for example. Sends
// nothing.
import { BackupCodeError } from '../errors';

/** Whether the headers were sent. `false` if the host shows no response. */
export function isResponseSent(res: unknown): boolean {
  return typeof res === 'object' && res !== null && Reflect.get(res, 'headersSent') === true;
}

/** Makes the error for a request that was answered too early. */
export function responseSentError(): BackupCodeError {
  return new BackupCodeError(
    'response_sent',
    'The response was already sent, by a time-out for example, so this request cannot be ' +
      'answered any more. Nothing more was done for it.',
  );
}

/** @throws {BackupCodeError} `response_sent` */
export function assertResponseUnsent(res: unknown): void {
  if (isResponseSent(res)) throw responseSentError();
}
