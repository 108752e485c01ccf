// Which audit events the owner of the codes is notified of, and the text of the mail.
import type { AuditEvent, AuditEventType, SetStatus } from 'passport-backup-code';
import { SERVICE_NAME } from '../config';
import { formatTime } from '../web/format-time-and-place';
import { type Notice, CONTACT_OPERATOR, writeNotice } from './write-notice';

/** One of these covers every other event that matters to the owner. */
export const NOTIFIED_TYPES = [
  'issued',
  'activated',
  'consumed',
  'login_unfinished',
  'locked',
  'expiring',
  'expired',
  'revoked',
  'throttled',
  'rejected',
  'approval_requested',
  'approval_granted',
  'approval_denied',
  'approval_executed',
] as const satisfies readonly AuditEventType[];

/** What a notice needs in addition to the event. */
export interface EventNoticeOptions {
  readonly username: string;
  readonly publicUrl: string;
  /** The current set, or `null` if the user has none. */
  readonly codes: SetStatus | null;
}

/** When this many codes or fewer are left, each mail asks for a new set. */
export const LOW_AT = 3;

/** A used code that is entered again within this time is a double click or an impatient user. */
const DOUBLE_CLICK_SECONDS = 10;

/** `null` if the event needs no mail. */
export function writeEventNotice(
  event: AuditEvent,
  { username, publicUrl, codes }: EventNoticeOptions,
): Notice | null {
  const wording = describeEvent(event, codes);
  if (wording === null) return null;
  const { remaining, total } = event.remaining === null && codes !== null ? codes : event;
  const left = remaining === null || total === null ? [] : [`Codes left: ${remaining} of ${total}`];
  return writeNotice({
    ...wording,
    username,
    at: event.at,
    context: event.context,
    details: [...(wording.details ?? []), ...left],
    link: `${publicUrl}/account/security`,
  });
}

/**
 * Someone may be trying codes that are not theirs. There can be many of these events in a row, so
 * not every one causes a mail.
 */
export function isUnusual({ type, reason, consumedSecondsAgo }: AuditEvent): boolean {
  return (
    type === 'throttled' ||
    (type === 'rejected' && reason === 'reused' && (consumedSecondsAgo ?? 0) > DOUBLE_CLICK_SECONDS)
  );
}

type Wording = Pick<Parameters<typeof writeNotice>[0], 'subject' | 'what' | 'details' | 'advice'>;

function describeEvent(event: AuditEvent, codes: SetStatus | null): Wording | null {
  switch (event.type) {
    case 'issued':
    case 'activated':
      return {
        subject: 'New backup codes were made',
        what:
          `New backup codes were made for your account at ${SERVICE_NAME}. ` +
          'Those from before no longer work.',
        advice:
          'If this was you, there is nothing to do. If it was not, someone else is in your ' +
          'account and has codes to it: make new ones at once, which ends theirs, and ' +
          `${CONTACT_OPERATOR}.`,
      };
    // `low` and `exhausted` are recorded with the `consumed` event that caused them, and this mail
    // covers all three.
    case 'consumed':
      return describeUse(event.remaining ?? 0);
    case 'login_unfinished':
      return {
        subject: 'A backup code was used, but the login failed',
        what:
          `A backup code was valid, but ${SERVICE_NAME} could not finish the login. ` +
          'No one was logged in. That code is used up; the next one works.',
        advice:
          'If this was you, log in again with the next code. If it was not, someone has your ' +
          `password and codes of yours: make new ones, and ${CONTACT_OPERATOR}.`,
      };
    case 'locked':
      return {
        subject: 'Your backup codes are locked',
        what:
          `Too many wrong backup codes were entered for your account at ${SERVICE_NAME}. ` +
          'No code works any more, not even a valid one, until you make new ones. ' +
          'What else you log in with works as before.',
        advice:
          `If it was not you, someone knows your password: ${CONTACT_OPERATOR}. ` +
          'Make new codes here:',
      };
    case 'expiring': {
      const until =
        codes !== null && codes.setId === event.setId && codes.expiresAt !== null
          ? `work until ${formatTime(codes.expiresAt)}`
          : 'expire soon';
      return {
        subject: 'Your backup codes expire soon',
        what: `Your backup codes for ${SERVICE_NAME} ${until}.`,
        advice: 'You did nothing wrong: codes expire. Make new ones before then:',
      };
    }
    case 'expired':
      return {
        subject: 'Your backup codes have expired',
        what:
          `Your backup codes for ${SERVICE_NAME} have expired and no longer work. ` +
          'If your phone or your security key is gone, you cannot log in.',
        advice: 'You did nothing wrong: codes expire. Make new ones:',
      };
    case 'revoked': {
      const { actor } = event.context;
      return {
        subject: 'Your backup codes were ended',
        what: `Your backup codes for ${SERVICE_NAME} were ended, and none of them works any more.`,
        details: [
          `By: ${actor === null ? 'someone logged in as you' : `an administrator, ${actor}`}`,
        ],
        advice:
          `If you neither did this nor asked for it, ${CONTACT_OPERATOR}. ` +
          'Make new codes here:',
      };
    }
    case 'throttled':
    case 'rejected':
      return isUnusual(event) ? describeUnusual(event) : null;
    default:
      return null;
  }
}

function describeUse(remaining: number): Wording {
  const few =
    remaining === 0
      ? ' None is left: if your phone or your security key is gone, you cannot log in.'
      : ' Few are left: make new ones before you need them.';
  return {
    subject:
      remaining === 0
        ? 'Your last backup code was used'
        : remaining <= LOW_AT
          ? `A backup code was used, and ${remaining} ${remaining === 1 ? 'is' : 'are'} left`
          : 'A backup code was used',
    what:
      `A backup code was used for your account at ${SERVICE_NAME}. ` +
      `It will not work again.${remaining <= LOW_AT ? few : ''}`,
    advice:
      'If this was not you, someone has your password and codes of yours: make new ones at once, ' +
      `which ends the ones they have, and ${CONTACT_OPERATOR}.`,
  };
}

function describeUnusual({ type, reason }: AuditEvent): Wording {
  if (type === 'rejected') {
    return {
      subject: 'A used backup code was tried again',
      what:
        'A backup code that was used before was entered for your account at ' +
        `${SERVICE_NAME}. It opened nothing.`,
      advice:
        'If this was you, cross out the codes that you have used. If it was not, someone knows ' +
        `your password and has seen your codes: make new ones, and ${CONTACT_OPERATOR}.`,
    };
  }
  const consequence =
    reason === 'locked'
      ? 'No code works now: your codes are locked.'
      : 'For a while no code is accepted.';
  return {
    subject: 'Wrong backup codes were entered',
    what:
      `Several wrong backup codes were entered for your account at ${SERVICE_NAME}. ` + consequence,
    advice:
      `If it was not you, someone knows your password: ${CONTACT_OPERATOR}, ` +
      'and look at what else was tried:',
  };
}
