// Audit events in words, for the owner of the codes to look through.
import type { AuditEvent, AuditEventType, Reason } from 'passport-backup-code';
import { formatPlace } from '../web/format-time-and-place';

export interface Activity {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: string;
  /** `null`: no request did it. */
  readonly where: string | null;
}

export function describeActivity(event: AuditEvent): Activity {
  const { at, context } = event;
  const what =
    context.actor === null
      ? describeEvent(event)
      : `${describeEvent(event)}, by an administrator (${context.actor})`;
  return { at, what, where: formatPlace(context) };
}

function describeEvent({ type, reason, remaining, total }: AuditEvent): string {
  if (type === 'rejected' && reason !== null) return REJECTED[reason] ?? 'Backup code refused';
  const left =
    remaining === null || total === null || !TYPES_WITH_REMAINING.includes(type)
      ? ''
      : `; ${remaining} of ${total} left`;
  return (EVENTS[type] ?? type.replaceAll('_', ' ')) + left;
}

const TYPES_WITH_REMAINING: readonly AuditEventType[] = ['consumed', 'low', 'expiring', 'expired'];

const EVENTS: Readonly<Partial<Record<AuditEventType, string>>> = {
  issued: 'New backup codes were made',
  staged: 'New backup codes were prepared',
  activated: 'New backup codes were made',
  consumed: 'A backup code was used',
  throttled: 'Too many wrong backup codes: no more were looked at for a while',
  locked: 'Too many wrong backup codes: none works until there are new ones',
  revoked: 'The backup codes were ended',
  low: 'Few backup codes are left',
  exhausted: 'No backup code is left',
  adopted: 'Backup codes from before were taken over',
  login_unfinished: 'A backup code was used up, but the login failed',
  renewed: 'A new backup code took the place of the one used',
  expiring: 'The backup codes expire soon',
  expired: 'The backup codes expired',
  step_up_required: 'More than a backup code was asked for',
  approval_requested: 'Something that takes two administrators was asked for',
  approval_granted: 'What another administrator asked for was approved',
  approval_denied: 'What takes two administrators was denied',
  approval_cancelled: 'What takes two administrators was withdrawn',
  approval_expired: 'What takes two administrators was not done in time',
  approval_executing: 'What two administrators agreed on was begun',
  approval_executed: 'What two administrators agreed on was done',
  approval_failed: 'What two administrators agreed on failed',
  approval_refused: 'A step of what takes two administrators was refused',
};

const REJECTED: Readonly<Partial<Record<Reason, string>>> = {
  mismatch: 'Wrong backup code',
  reused: 'A backup code that was used before',
  expired: 'An expired backup code',
  none: 'A backup code, while there were none',
  locked: 'A backup code, while none worked',
  denied: 'A backup code was refused, as the attempt looked risky',
  busy: 'A backup code was not looked at, as the service was busy',
};
