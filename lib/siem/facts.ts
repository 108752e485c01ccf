// What the three vocabularies say alike: a sentence and an outcome for each event. Says no more than the event, and lets
// no text break a line.
import { isIP } from 'node:net';
import { BackupCodeError } from '../errors';
import type { ApprovalDetails, ApprovalEventType, ApprovalReason } from '../approval/events';
import type { AuditEvent, EventType, Reason } from '../audit/events';
import { assertOptions, describe } from '../internal/validate';

/** For all three. */
export interface VocabularyOptions {
  /** The name of your app, as your other logs have it. */
  readonly appId: string;
}

export const PRODUCT = 'passport-backup-code';

/** A spent code again within so many seconds is a double click and no alarm. */
const DOUBLE_CLICK_SECONDS = 2;
/** The longest that OCSF takes for an address (`ip_t`). */
const MAX_IP_LENGTH = 40;

type Outcome = 'success' | 'failure';

/** `null`: a state that was reached, of which neither can be said. */
/** What the vocabularies know: the events of the core and of two-person approval. */
export type KnownEventType = EventType | ApprovalEventType;

const STORIES: Record<KnownEventType, readonly [sentence: string, outcome: Outcome | null]> = {
  issued: ['A set of backup codes was issued.', 'success'],
  adopted: ['A list of backup codes printed before was taken over.', 'success'],
  staged: ['A set of backup codes was made that does not work yet.', 'success'],
  activated: ['A staged set of backup codes began to work.', 'success'],
  consumed: ['A backup code was accepted.', 'success'],
  rejected: ['A backup code was not accepted.', 'failure'],
  throttled: ['A backup code was refused unchecked.', 'failure'],
  locked: ['Too many failures: backup codes are refused until a new set is issued.', 'success'],
  revoked: ['The set of backup codes was ended.', 'success'],
  low: ['Few backup codes are left.', null],
  exhausted: ['No backup code is left.', null],
  renewed: ['A replacement for a consumed backup code was added.', 'success'],
  expiring: ['The set of backup codes ends soon.', null],
  expired: ['The set of backup codes has ended by its time.', null],
  login_unfinished: ['A backup code was consumed, but the login failed.', 'failure'],
  step_up_required: ['A backup code was not checked.', 'failure'],
  approval_requested: ['An action that takes two people was asked for.', 'success'],
  approval_granted: ['An action that takes two people was approved.', 'success'],
  approval_denied: ['An action that takes two people was denied.', 'success'],
  approval_cancelled: ['A request for an action that takes two people was withdrawn.', 'success'],
  approval_expired: ['A request for an action that takes two people ended by its time.', null],
  approval_executing: ['An action that two people agreed on begins.', null],
  approval_executed: ['An action that two people agreed on was done.', 'success'],
  approval_failed: ['An action that two people agreed on failed.', 'failure'],
  approval_refused: ['A step towards an action that takes two people was refused.', 'failure'],
};

const REASONS: Record<Reason, string> = {
  malformed: 'What was typed cannot be a code.',
  mismatch: 'It is none of the set.',
  reused: 'It was consumed before.',
  expired: 'The set has expired.',
  none: 'The user has no set.',
  unknown_user: 'The user name belongs to nobody.',
  throttled: 'The wait after earlier failures was not over.',
  locked: 'There were too many failures.',
  denied: 'Its risk was too high.',
  step_up: 'Its risk asks for more than a code.',
  busy: 'Too many others were being checked.',
};

const APPROVAL_REASONS: Record<ApprovalReason, string> = {
  unknown_request: 'There is no such request.',
  open_request: 'Its target has another open request.',
  not_open: 'The request was over, or not so far yet.',
  late: 'The time of the request was over.',
  changed: 'What was shown is not what would be done.',
  same_person: 'The one who asked cannot approve.',
  is_target: 'Nobody decides about themselves.',
  not_entitled: 'The person has no right to it.',
};

/** What the vocabularies take from an event. */
export interface Facts {
  readonly message: string;
  /** Why, as a sentence. */
  readonly detail: string | null;
  readonly outcome: Outcome | null;
  /** ISO 8601, in UTC. */
  readonly time: string;
  /** No line break, control or direction mark is left in it. */
  readonly userId: string | null;
  /** The address, where it is one: collectors refuse a whole event for one that is not. */
  readonly ip: string | null;
  /** Why a code was rejected; `null` for another event, and for a double click. */
  readonly rejection: Reason | null;
  /** What two people decide; no line break, control or direction mark is left in it. */
  readonly approval: {
    readonly approval_id?: string;
    readonly approval_action?: string;
    readonly approval_target?: string;
  };
}

/** @throws {BackupCodeError} `invalid_option` */
export function factsOf(event: AuditEvent, options: VocabularyOptions): Facts {
  assertOptions('A vocabulary', options, ['appId']);
  if (typeof options.appId !== 'string' || options.appId === '') {
    throw new BackupCodeError(
      'invalid_option',
      `appId must be the name of your app, but was ${options.appId === '' ? 'empty' : describe(options.appId)}.`,
    );
  }
  const {
    type,
    reason,
    consumedSecondsAgo,
    context: { ip },
  } = event;
  const approval = approvalOf(event);
  const [sentence, outcome] = STORIES[type as KnownEventType];
  const refusal = approval?.reason ?? null;
  const detail =
    reason !== null ? REASONS[reason] : refusal !== null ? APPROVAL_REASONS[refusal] : null;
  return {
    message: detail === null ? sentence : `${sentence} ${detail}`,
    detail,
    outcome,
    time: new Date(event.at).toISOString(),
    userId: event.userId === null ? null : oneLine(event.userId),
    approval:
      known({
        approval_id: approval?.approval_id,
        approval_action: approval?.action && oneLine(approval.action),
        approval_target: approval?.target && oneLine(approval.target),
      }) ?? {},
    // No zone of an interface: Elasticsearch reads none.
    ip:
      ip !== null && isIP(ip) !== 0 && ip.length <= MAX_IP_LENGTH && !ip.includes('%') ? ip : null,
    rejection:
      type === 'rejected' &&
      !(
        reason === 'reused' &&
        consumedSecondsAgo !== null &&
        consumedSecondsAgo <= DOUBLE_CLICK_SECONDS
      )
        ? reason
        : null,
  };
}

/** The details of an event of two-person approval. */
export function approvalOf({ type, details }: AuditEvent): ApprovalDetails | null {
  return type.startsWith('approval_') ? (details as unknown as ApprovalDetails | null) : null;
}

function oneLine(text: string): string {
  return percentEncode(text, /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu);
}

export function percentEncode(text: string, unsafe: RegExp): string {
  return text.replace(unsafe, encodeURIComponent);
}

/** Drops what is not known; `undefined` if nothing is. */
export function known<T extends object>(
  fields: T,
): { [K in keyof T]?: NonNullable<T[K]> } | undefined {
  const entries = Object.entries(fields).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return entries.length === 0
    ? undefined
    : (Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> });
}
