// Notices about two-person actions. The other administrators receive one for each request. The
// target account receives one for each step that matters.
import type { AuditEvent } from 'passport-backup-code';
import { SERVICE_NAME } from '../config';
import { type Notice, CONTACT_OPERATOR, writeNotice } from './write-notice';

export interface ApprovalNoticeOptions {
  /** The recipient. */
  readonly username: string;
  /** The administrator who took the step. */
  readonly by: string;
  readonly publicUrl: string;
}

/** For an administrator who may approve the request. */
export function writeApprovalRequestNotice(
  event: AuditEvent,
  { username, by, publicUrl }: ApprovalNoticeOptions,
): Notice {
  return writeNotice({
    subject: `${by} asks for your approval`,
    username,
    what: `${by} asked for an action at ${SERVICE_NAME} that takes two administrators.`,
    at: event.at,
    context: event.context,
    advice:
      'Look at the request, ask them about it, and approve it with one of your backup codes or ' +
      'deny it. The link changes nothing by itself:',
    link: `${publicUrl}/vault/requests/${String(event.details?.['approval_id'] ?? '')}`,
  });
}

const STEPS: Readonly<
  Partial<Record<AuditEvent['type'], readonly [subject: string, what: string]>>
> = {
  approval_requested: [
    'Someone asked to turn off your second factors',
    'asked to turn off the second factors of your account, as is done for people who have lost ' +
      'them all. Another administrator must approve it.',
  ],
  approval_granted: [
    'Turning off your second factors was approved',
    'approved that the second factors of your account are turned off.',
  ],
  approval_denied: [
    'Turning off your second factors was denied',
    'denied that the second factors of your account are turned off. Nothing was changed.',
  ],
  approval_executed: [
    'Your second factors were turned off',
    'turned off the second factors of your account. Your password alone opens it now, and your ' +
      'backup codes have ended.',
  ],
};

/** For the target account. `null` if the event is not worth a mail. */
export function writeTargetNotice(
  event: AuditEvent,
  { username, by, publicUrl }: ApprovalNoticeOptions,
): Notice | null {
  const [subject, what] = STEPS[event.type] ?? [];
  if (subject === undefined || what === undefined) return null;
  const nextStep =
    event.type === 'approval_executed' ? 'log in and set them up again' : 'there is nothing to do';
  return writeNotice({
    subject,
    username,
    what: `At ${SERVICE_NAME} ${by} ${what}`,
    at: event.at,
    context: event.context,
    advice: `If you asked for this, ${nextStep}. If you did not, ${CONTACT_OPERATOR} at once.`,
    link: `${publicUrl}/account/security`,
  });
}
