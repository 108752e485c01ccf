// What happened and why, as plain sentences for the people who read the log.
import type { ApprovalReason } from '../approval/approval-events';
import type { EventReason } from '../audit/events';
import type { KnownEventType } from './event-types';

/** `null` for a state that was reached, such as few codes left. */
export type EventOutcome = 'success' | 'failure' | null;

interface EventSentence {
  readonly sentence: string;
  readonly outcome: EventOutcome;
}

const success = (sentence: string): EventSentence => ({ sentence, outcome: 'success' });
const failure = (sentence: string): EventSentence => ({ sentence, outcome: 'failure' });
const state = (sentence: string): EventSentence => ({ sentence, outcome: null });

export const EVENT_SENTENCES: Readonly<Record<KnownEventType, EventSentence>> = {
  issued: success('A set of backup codes was issued.'),
  adopted: success('Existing backup codes were adopted.'),
  staged: success('A set of backup codes was made that does not work yet.'),
  activated: success('A staged set of backup codes was activated.'),
  consumed: success('A backup code was accepted.'),
  rejected: failure('A backup code was rejected.'),
  throttled: failure('A backup code was refused without a check.'),
  locked: success('Backup codes were locked after too many failed attempts.'),
  unlocked: success('A channel of backup codes was reopened.'),
  revoked: success('The set of backup codes was revoked.'),
  forgotten: success('A user was removed from the store of backup codes.'),
  low: state('Few backup codes are left.'),
  exhausted: state('No backup codes are left.'),
  renewed: success('A consumed backup code was replaced with a new one.'),
  expiring: state('The set of backup codes expires soon.'),
  expired: state('The set of backup codes has expired.'),
  login_unfinished: failure('A backup code was consumed, but the login failed.'),
  login_resumed: success('A login was completed after its backup code was sent again.'),
  step_up_required: failure('A stronger factor was required instead of a backup code.'),
  replayed: success('Exported audit events were applied after a restore.'),
  approval_requested: success('An action that takes two people was requested.'),
  approval_granted: success('An action that takes two people was approved.'),
  approval_denied: success('An action that takes two people was denied.'),
  approval_cancelled: success('A request for an action that takes two people was cancelled.'),
  approval_expired: state('A request for an action that takes two people expired.'),
  approval_executing: state('An action that two people approved was started.'),
  approval_executed: success('An action that two people approved was completed.'),
  approval_failed: failure('An action that two people approved failed.'),
  approval_refused: failure('A step of an action that takes two people was refused.'),
};

export const REASON_SENTENCES: Readonly<Record<EventReason, string>> = {
  malformed: 'The input cannot be a backup code.',
  mismatch: 'No code of the set matches.',
  reused: 'The code was consumed before.',
  expired: 'The set has expired.',
  none: 'The user has no set.',
  unknown_user: 'No user has this name.',
  throttled: 'The wait after earlier attempts was not over.',
  locked: 'The channel is locked.',
  denied: 'The risk assessment refused the attempt.',
  step_up: 'The risk assessment required a stronger factor.',
  busy: 'Too many attempts were waiting for a check.',
  unknown_pepper: 'The set was made with a pepper that is not configured.',
  wrong_pepper: 'The set does not belong to this user, or its pepper has another key.',
  unreadable_hash: 'The set was made with a hasher that is not configured.',
  unreadable_set: 'The stored set is damaged.',
};

export const APPROVAL_REASON_SENTENCES: Readonly<Record<ApprovalReason, string>> = {
  unknown_request: 'The request does not exist.',
  unknown_action: 'The process does not have the action.',
  open_request: 'The target has another open request.',
  not_open: 'The request has ended, or is not ready for this step.',
  late: 'The request has expired.',
  changed: 'The action, target or parameters are not the ones that were shown.',
  same_person: 'The person who made the request cannot approve it.',
  is_target: 'The target cannot decide about themselves.',
  not_entitled: 'The user is not entitled to this step.',
};

/**
 * The sentence for a reason; `null` without a reason, and for one that this version does not know.
 */
export function reasonSentence(
  sentences: Readonly<Record<string, string>>,
  reason: string | null,
): string | null {
  // Not every string is safe to look up: "constructor" is a member of every object.
  return reason !== null && Object.hasOwn(sentences, reason) ? (sentences[reason] ?? null) : null;
}
