// Which audit events the owner of the codes is told of, and in which words.
import type { AuditEvent, AuditEventType, SetStatus } from 'passport-backup-code';
import { SERVICE_NAME } from '../config';
import { formatTime } from '../web/format-time-and-place';
import { type Notice, CONTACT_OPERATOR, writeNotice } from './write-notice';

/** All others are told of by one of these, or are nobody's concern. */
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

/** What a notice says besides the event itself. */
export interface EventNoticeOptions {
  readonly username: string;
  readonly publicUrl: string;
  /** As they are now; `null`: none. */
  readonly codes: SetStatus | null;
}

/** Once as few codes are left, each mail says that new ones are due. */
export const LOW_AT = 3;

/** A spent code that comes again within this is a double click, or somebody impatient. */
const DOUBLE_CLICK_SECONDS = 10;

/** `null`: nobody is told. */
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
 * Somebody may be trying codes that are not theirs. There can be many of these in a row, so not
 * each is worth a mail.
 */
export function isUnusual({ type, reason, consumedSecondsAgo }: AuditEvent): boolean {
  return (
    type === 'throttled' ||
    (type === 'rejected' && reason === 'reused' && (consumedSecondsAgo ?? 0) > DOUBLE_CLICK_SECONDS)
  );
}

type Wording = Pick<Parameters<typeof writeNotice>[0], 'subject' | 'what' | 'facts' | 'advice'>;

function describeEvent(event: AuditEvent, codes: SetStatus | null): Wording | null {
  switch (event.type) {
    case 'issued':
    case 'activated':
      return {
        subject: 'New backup codes were made',
        what: `New backup codes were made for your account at ${SERVICE_NAME}. Those from before no longer work.`,
        advice: `If this was you, there is nothing to do. If it was not, somebody else is in your account and has codes to it: make new ones at once, which ends theirs, and ${CONTACT_OPERATOR}.`,
      };
    // `low` and `exhausted` are written together with the `consumed` that caused them, and this
    // mail says so.
    case 'consumed':
      return describeUse(event.remaining ?? 0);
    case 'login_unfinished':
      return {
        subject: 'A backup code was used, but the login failed',
        what: `A backup code was right, and then ${SERVICE_NAME} could not finish the login. Nobody got in by it. That code is spent; the next one works.`,
        advice: `If this was you, log in again with the next code. If it was not, somebody has your password and codes of yours: make new ones, and ${CONTACT_OPERATOR}.`,
      };
    case 'locked':
      return {
        subject: 'Your backup codes are locked',
        what: `Too many wrong backup codes were entered for your account at ${SERVICE_NAME}. No code is looked at any more, not even a right one, until you make new ones. What else you log in with works as before.`,
        advice: `If it was not you, somebody knows your password: ${CONTACT_OPERATOR}. Make new codes here:`,
      };
    case 'expiring': {
      const until =
        codes !== null && codes.setId === event.setId && codes.expiresAt !== null
          ? `work until ${formatTime(codes.expiresAt)}`
          : 'expire soon';
      return {
        subject: 'Your backup codes expire soon',
        what: `Your backup codes for ${SERVICE_NAME} ${until}.`,
        advice: 'Nobody did this: codes end with time. Make new ones before then:',
      };
    }
    case 'expired':
      return {
        subject: 'Your backup codes have expired',
        what: `Your backup codes for ${SERVICE_NAME} no longer work: their time is over. Should your phone or your security key be gone, you could not log in.`,
        advice: 'Nobody did this: codes end with time. Make new ones:',
      };
    case 'revoked':
      return {
        subject: 'Your backup codes were ended',
        what: `Your backup codes for ${SERVICE_NAME} were ended, and none of them works any more.`,
        details: [
          `By: ${event.context.actor === null ? 'somebody logged in as you' : `an administrator, ${event.context.actor}`}`,
        ],
        advice: `If you neither did this nor asked for it, ${CONTACT_OPERATOR}. Make new codes here:`,
      };
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
      ? ' None is left: should your phone or your security key be gone, you could not log in.'
      : ' Few are left: make new ones before you need them.';
  return {
    subject:
      remaining === 0
        ? 'Your last backup code was used'
        : remaining <= LOW_AT
          ? `A backup code was used, and ${remaining} ${remaining === 1 ? 'is' : 'are'} left`
          : 'A backup code was used',
    what: `A backup code was used for your account at ${SERVICE_NAME}. It will not work again.${remaining <= LOW_AT ? few : ''}`,
    advice: `If this was not you, somebody has your password and codes of yours: make new ones at once, which ends the ones they have, and ${CONTACT_OPERATOR}.`,
  };
}

function describeUnusual({ type, reason }: AuditEvent): Wording {
  if (type === 'rejected') {
    return {
      subject: 'A used backup code was tried again',
      what: `A backup code that was used before was entered for your account at ${SERVICE_NAME}. It opened nothing.`,
      advice: `If this was you, cross out the codes that you have used. If it was not, somebody knows your password and has seen your codes: make new ones, and ${CONTACT_OPERATOR}.`,
    };
  }
  const then =
    reason === 'locked'
      ? 'None is looked at: your codes are locked.'
      : 'For a while none is looked at.';
  return {
    subject: 'Wrong backup codes were entered',
    what: `Several wrong backup codes were entered for your account at ${SERVICE_NAME}. ${then}`,
    advice: `If it was not you, somebody knows your password: ${CONTACT_OPERATOR}, and look at what else was tried:`,
  };
}
