// Describes audit events to the owner of the codes.
import type { AuditEvent, AuditEventType, EventReason } from 'passport-backup-code';
import { formatPlace } from '../web/format-time-and-place';

export interface Activity {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: string;
  /** `null` if no request caused the event. */
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
  throttled: 'Too many wrong backup codes: none was accepted for a while',
  locked: 'Too many wrong backup codes: none works until there are new ones',
  revoked: 'The backup codes were ended',
  low: 'Few backup codes are left',
  exhausted: 'No backup code is left',
  adopted: 'Earlier backup codes were imported',
  login_unfinished: 'A backup code was used up, but the login failed',
  login_resumed: 'A backup code was sent again, and completed the login',
  renewed: 'A new backup code took the place of the one used',
  expiring: 'The backup codes expire soon',
  expired: 'The backup codes expired',
  step_up_required: 'A backup code was not enough to log in',
  approval_requested: 'An action that takes two administrators was requested',
  approval_granted: 'The request of another administrator was approved',
  approval_denied: 'An action that takes two administrators was denied',
  approval_cancelled: 'An action that takes two administrators was withdrawn',
  approval_expired: 'An action that takes two administrators expired',
  approval_executing: 'An action that two administrators agreed on was started',
  approval_executed: 'An action that two administrators agreed on was done',
  approval_failed: 'An action that two administrators agreed on failed',
  approval_refused: 'A step of an action that takes two administrators was refused',
};

const REJECTED: Readonly<Partial<Record<EventReason, string>>> = {
  mismatch: 'Wrong backup code',
  reused: 'A backup code that was used before',
  expired: 'An expired backup code',
  none: 'A backup code, while there were none',
  locked: 'A backup code, while none worked',
  denied: 'A backup code was refused, as the attempt looked risky',
  busy: 'A backup code was not checked, because the service was busy',
};
