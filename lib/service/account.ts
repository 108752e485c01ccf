// Forgets a user whose account is deleted, and reopens a channel. Checks the arguments; the store
// answers.
import {
  cleanContext,
  cleanString,
  CONTEXT_FIELDS,
  type Channel,
  type Context,
} from '../audit/context';
import type { AuditEvent } from '../audit/events';
import { BackupCodeError } from '../errors';
import { assertOptions, describe } from '../internal/validate';
import type { UserSubject } from '../stores/subject';
import type { Config } from './config';

/** Options of `forget`. Of the context only `actor` is recorded. */
export interface ForgetOptions extends Context {
  /**
   * What happens to the user's events. `erase` removes them. `anonymize` keeps type, time, reason,
   * counts, channel, set and code; it removes the user id, address, user agent, request id, actor
   * and details.
   */
  readonly audit: 'erase' | 'anonymize';
}

/** The context of `unlock`. */
export interface UnlockContext extends Omit<Context, 'channel'> {
  /** The id of the user who reopens the channel, such as an administrator. */
  readonly actor: string;
}

/**
 * @returns the events that were written
 * @throws {BackupCodeError} `unknown_user`, `invalid_option`
 */
export async function forgetUser(
  { store, now, newEvent }: Config,
  subject: UserSubject,
  options: ForgetOptions,
): Promise<readonly AuditEvent[]> {
  assertOptions('forget', options, ['audit', ...CONTEXT_FIELDS]);
  const { audit, ...given } = options;
  if (audit !== 'erase' && audit !== 'anonymize') {
    throw new BackupCodeError(
      'invalid_option',
      `forget needs audit: 'erase' or audit: 'anonymize', but audit was ${describe(audit)}.`,
    );
  }
  const { actor } = cleanContext(given);
  // Users who delete their own account are not named either.
  const isOwner = actor === cleanString(subject.userId);
  const context = cleanContext(actor === null || isOwner ? {} : { actor });
  const event = newEvent('forgotten', { at: now(), userId: null, context });
  const events = await store.forget({ subject, audit, event });
  if (events.length === 0) throw unknownUser();
  return events;
}

/** Which channel to reopen, and who does it. */
export interface UnlockOptions {
  readonly channel: Channel;
  readonly context: UnlockContext;
}

/**
 * @returns the events that were written; empty if there was nothing to reopen
 * @throws {BackupCodeError} `unknown_user`, `invalid_option`
 */
export async function unlockChannel(
  { store, now: clock, newEvent }: Config,
  subject: UserSubject,
  { channel, context: given }: UnlockOptions,
): Promise<readonly AuditEvent[]> {
  if (channel !== 'second_factor' && channel !== 'recovery') {
    throw new BackupCodeError(
      'invalid_option',
      `unlock takes the channel 'second_factor' or 'recovery', but was given ${describe(channel)}.`,
    );
  }
  const fields = CONTEXT_FIELDS.filter((field) => field !== 'channel');
  assertOptions('The context of unlock', given, fields);
  const context = cleanContext({ ...given, channel });
  if (context.actor === null) {
    throw new BackupCodeError(
      'invalid_option',
      'unlock needs the actor who reopens the channel: { actor: admin.id }.',
    );
  }
  const now = clock();
  const event = newEvent('unlocked', { at: now, userId: subject.userId, context });
  const events = await store.unlock({ subject, channel, now, event });
  if (events.length === 0 && (await store.find(subject)) === null) throw unknownUser();
  return events;
}

function unknownUser(): BackupCodeError {
  return new BackupCodeError('unknown_user', 'Nothing is stored for a user with this id.');
}
