// This package, called as an app calls it.
import { BackupCodes, type BackupCodesOptions, type Outcome } from '../../lib';
import type { Answer, Contestant } from './contestant';

/**
 * For cases with a slow hash. With the default of 5, every fifth sample would need a new set, which
 * takes ten hashes. The work of an attempt is the same.
 */
export const MANY_FREE = { free: 50 } as const;

/** The code was compared with stored ones, or with a dummy set. */
const CHECKED_REASONS: readonly string[] = ['mismatch', 'reused', 'none', 'unknown_user'];

export function thisPackage(name: string, options: BackupCodesOptions): Contestant {
  const backupCodes = new BackupCodes(options);
  const free = options.attempts?.free ?? 5;
  let unknownAttempts = 0;
  return {
    name,
    limit: `${free}, then delays`,
    attemptsPerUser: free - 1,
    issue: async (user) => (await backupCodes.issue(user)).codes,
    begin: (user) =>
      Promise.resolve(async (code) => answerOf(await backupCodes.consume(user, code))),
    submitForUnknownUser: async (code) => {
      unknownAttempts += 1;
      const username = `unknown-${Math.floor(unknownAttempts / free)}`;
      return answerOf(await backupCodes.rejectUnknownUser(username, code));
    },
  };
}

function answerOf(outcome: Outcome): Answer {
  if (outcome.ok) return 'accepted';
  if (outcome.reason === 'busy') return 'busy';
  return CHECKED_REASONS.includes(outcome.reason) ? 'invalid' : 'throttled';
}
