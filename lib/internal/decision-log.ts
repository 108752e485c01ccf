// One line for each decision, if the environment has NODE_DEBUG=passport-backup-code. A line has
// only words of this package: never a code, digest, salt, key, session id or login id, and no
// message of an error, because an app may put anything into it.
import { debuglog } from 'node:util';
import { BackupCodeError } from '../errors';

const writeLine = debuglog('passport-backup-code');

/** @param where what decided, such as `completeLogin` */
export function logDecision(where: string, decision: string): void {
  writeLine('%s: %s', where, decision);
}

/** Logs that no decision was possible: by the stable code of the error, or else by its class. */
export function logError(where: string, thrown: unknown): void {
  if (thrown instanceof BackupCodeError) logDecision(where, `error ${thrown.code}`);
  else logDecision(where, thrown instanceof Error ? 'error of the app or its store' : 'error');
}
