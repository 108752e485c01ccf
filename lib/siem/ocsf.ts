// An audit event in the Open Cybersecurity Schema Framework 1.9.0: Authentication (3002) for an
// attempt, User Management (3007) for everything else. No profile and no extension.
// https://schema.ocsf.io/1.9.0
import type { AuditEvent, EventReason } from '../audit/events';
import {
  describeEvent,
  PRODUCT,
  type EventDescription,
  type VocabularyOptions,
} from './event-description';
import { isKnownEventType, type KnownEventType } from './event-types';
import type { OcsfEvent, OcsfSeverity } from './ocsf-event';

const SEVERITY_IDS: Readonly<Record<OcsfSeverity, number>> = {
  Informational: 1,
  Low: 2,
  Medium: 3,
  High: 4,
};

type Activity = Pick<OcsfEvent, 'class_uid' | 'class_name' | 'activity_id' | 'activity_name'>;

const LOGON: Activity = {
  class_uid: 3002,
  class_name: 'Authentication',
  activity_id: 1,
  activity_name: 'Logon',
};
const management = (activity_id: number, activity_name: string): Activity => ({
  class_uid: 3007,
  class_name: 'User Management',
  activity_id,
  activity_name,
});
const LOCK = management(6, 'Lock');
const UNLOCK = management(7, 'Unlock');
const ENABLE = management(12, 'Enable MFA Factors');
const DISABLE = management(13, 'Disable MFA Factors');
/** 99 is "Other": the schema has no number for it, and requires a name. */
const other = (name: string): Activity => management(99, name);

const ACTIVITIES: Readonly<Record<KnownEventType, readonly [Activity, OcsfSeverity]>> = {
  issued: [ENABLE, 'Informational'],
  adopted: [ENABLE, 'Informational'],
  staged: [other('Staged'), 'Informational'],
  activated: [ENABLE, 'Informational'],
  consumed: [LOGON, 'Informational'],
  rejected: [LOGON, 'Low'],
  throttled: [LOGON, 'Medium'],
  locked: [LOCK, 'High'],
  unlocked: [UNLOCK, 'Medium'],
  revoked: [DISABLE, 'Low'],
  forgotten: [other('Forgotten'), 'Informational'],
  low: [other('Low'), 'Low'],
  exhausted: [other('Exhausted'), 'Low'],
  renewed: [other('Renewed'), 'Informational'],
  expiring: [other('Expiring'), 'Low'],
  expired: [other('Expired'), 'Low'],
  login_unfinished: [LOGON, 'Medium'],
  login_resumed: [LOGON, 'Low'],
  step_up_required: [LOGON, 'Medium'],
  replayed: [other('Replayed'), 'High'],
  approval_requested: [other('Approval Requested'), 'Low'],
  approval_granted: [other('Approval Granted'), 'Low'],
  approval_denied: [other('Approval Denied'), 'Medium'],
  approval_cancelled: [other('Approval Cancelled'), 'Informational'],
  approval_expired: [other('Approval Expired'), 'Informational'],
  approval_executing: [other('Approval Executing'), 'Low'],
  approval_executed: [other('Approval Executed'), 'Low'],
  approval_failed: [other('Approval Failed'), 'Medium'],
  approval_refused: [other('Approval Refused'), 'Medium'],
};

/** The severity of `rejected`, except for a double click. */
const REJECTION_SEVERITIES: Readonly<Record<EventReason, OcsfSeverity>> = {
  malformed: 'Informational',
  mismatch: 'Low',
  reused: 'Medium',
  expired: 'Low',
  none: 'Low',
  unknown_user: 'Low',
  throttled: 'Medium',
  locked: 'Medium',
  denied: 'Medium',
  step_up: 'Medium',
  busy: 'Medium',
  unknown_pepper: 'Medium',
  wrong_pepper: 'High',
  unreadable_hash: 'Medium',
  unreadable_set: 'High',
};

/** The schema has no number for backup codes. */
const BACKUP_CODE: OcsfEvent['auth_factors'] = [{ factor_type_id: 99, factor_type: 'Backup code' }];

// Types of observables in the schema.
const IP_ADDRESS = 2;
const USER_UID = 31;

/**
 * Maps an audit event to an OCSF event. Sends nothing. An event of your own becomes an `Other`
 * activity (99) of User Management that is named for its type, and its details become `unmapped`
 * fields such as `detail_by`.
 *
 * @example
 * const lines = events.map((event) => JSON.stringify(toOcsf(event, { appId: 'shop' })));
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function toOcsf(event: AuditEvent, options: VocabularyOptions): OcsfEvent {
  const description = describeEvent(event, options);
  const { type, message, detail, reason, userId, ip, rejection, fields } = description;
  const { context, refusals } = event;
  const [activity, usualSeverity] = isKnownEventType(type)
    ? ACTIVITIES[type]
    : unknownActivity(type);
  const severity = rejection === null ? usualSeverity : REJECTION_SEVERITIES[rejection];
  const endpoint = endpointOf(ip, context.ip);
  const httpRequest = httpRequestOf(context.userAgent, context.requestId);
  const observables = observablesOf(userId, ip);
  return {
    category_uid: 3,
    category_name: 'Identity & Access Management',
    ...activity,
    type_uid: activity.class_uid * 100 + activity.activity_id,
    severity_id: SEVERITY_IDS[severity],
    severity,
    time: event.at,
    message,
    metadata: {
      version: '1.9.0',
      product: { name: PRODUCT, vendor_name: PRODUCT },
      uid: event.id,
      event_code: type,
      log_source: options.appId,
      ...(event.namespace !== null && { tenant_uid: event.namespace }),
    },
    // The schema requires a user, even for a name that no user has.
    user: userId === null ? { name: 'Unknown', type_id: 0, type: 'Unknown' } : { uid: userId },
    ...(isKnownEventType(type) && { auth_factors: BACKUP_CODE }),
    ...statusOf(description),
    ...(reason !== null && { status_code: reason }),
    ...(detail !== null && { status_detail: detail }),
    ...(refusals !== null && { count: refusals }),
    ...(context.actor !== null && { actor: { user: { uid: context.actor } } }),
    ...(endpoint !== null && { src_endpoint: endpoint }),
    ...(httpRequest !== null && { http_request: httpRequest }),
    ...(observables.length > 0 && { observables }),
    ...(activity.class_uid === 3002 && {
      service: { name: options.appId },
      is_mfa: context.channel === 'second_factor',
    }),
    ...(Object.keys(fields).length > 0 && { unmapped: fields }),
  };
}

/** `app_phone_changed` becomes "App Phone Changed", in the style of the schema's own names. */
function unknownActivity(type: string): readonly [Activity, OcsfSeverity] {
  const words = type.split('_').filter((word) => word !== '');
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(' ');
  return [other(name === '' ? 'Other' : name), 'Informational'];
}

function statusOf({ outcome }: EventDescription): Pick<OcsfEvent, 'status_id' | 'status'> {
  if (outcome === null) return {};
  return outcome === 'success'
    ? { status_id: 1, status: 'Success' }
    : { status_id: 2, status: 'Failure' };
}

/** The schema stores what is not an IP address as a name. */
function endpointOf(ip: string | null, given: string | null): OcsfEvent['src_endpoint'] | null {
  if (ip !== null) return { ip };
  return given === null ? null : { name: given };
}

function httpRequestOf(
  userAgent: string | null,
  requestId: string | null,
): OcsfEvent['http_request'] | null {
  if (userAgent === null && requestId === null) return null;
  return {
    ...(userAgent !== null && { user_agent: userAgent }),
    ...(requestId !== null && { uid: requestId }),
  };
}

function observablesOf(
  userId: string | null,
  ip: string | null,
): NonNullable<OcsfEvent['observables']> {
  return [
    ...(userId === null ? [] : [{ name: 'user.uid', type_id: USER_UID, value: userId }]),
    ...(ip === null ? [] : [{ name: 'src_endpoint.ip', type_id: IP_ADDRESS, value: ip }]),
  ];
}
