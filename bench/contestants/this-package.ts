// This package, as an app calls it.
import { BackupCodes, type BackupCodesOptions, type Outcome } from '../../lib';
import type { Answer, Contestant } from './contestant';

/**
 * Behind a slow hash: else every fifth sample would need a new set, ten hashes. An attempt is the
 * same work.
 */
export const MANY_FREE = { free: 50 } as const;

export function thisPackage(name: string, options: BackupCodesOptions): Contestant {
  const backupCodes = new BackupCodes(options);
  const free = options.attempts?.free ?? 5;
  let strangers = 0;
  return {
    name,
    limit: `${free} at once, then waits`,
    attemptsPerUser: free - 1,
    issue: async (user) => (await backupCodes.issue(user)).codes,
    begin: (user) =>
      Promise.resolve(async (code) => answerOf(await backupCodes.consume(user, code))),
    unknown: async (code) =>
      answerOf(
        await backupCodes.rejectUnknownUser(
          `stranger-${Math.floor((strangers += 1) / free)}`,
          code,
        ),
      ),
  };
}

function answerOf(outcome: Outcome): Answer {
  if (outcome.ok) return 'accepted';
  if (outcome.reason === 'busy')
    throw new Error(
      'A slow hash waited longer than five seconds: this machine is too busy for the case.',
    );
  return ['mismatch', 'reused', 'none', 'unknown_user'].includes(outcome.reason)
    ? 'wrong'
    : 'turned away';
}
