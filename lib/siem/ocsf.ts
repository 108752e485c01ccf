// Open Cybersecurity Schema Framework 1.9.0: Authentication (3002) for attempts, User Management (3007) for changes of a
// set. No profile and no extension. https://schema.ocsf.io/1.9.0
import type { ApprovalReason, AuditEvent, EventType, Reason } from '../audit/events';
import { approvalOf, factsOf, known, PRODUCT, type Facts, type VocabularyOptions } from './facts';

/** An event of class 3002 or 3007. */
export interface OcsfEvent {
  readonly category_uid: 3;
  readonly category_name: 'Identity & Access Management';
  readonly class_uid: 3002 | 3007;
  readonly class_name: 'Authentication' | 'User Management';
  readonly activity_id: number;
  readonly activity_name: string;
  /** A hundred times `class_uid`, plus `activity_id`. */
  readonly type_uid: number;
  readonly severity_id: number;
  readonly severity: Severity;
  /** Milliseconds since 1970, UTC. */
  readonly time: number;
  readonly message: string;
  readonly metadata: {
    readonly version: '1.9.0';
    readonly product: { readonly name: string; readonly vendor_name: string };
    /** That of the audit event: what was sent twice has it twice. */
    readonly uid: string;
    readonly event_code: EventType;
    /** Your app. */
    readonly log_source: string;
  };
  readonly user:
    | { readonly uid: string }
    | { readonly name: 'Unknown'; readonly type_id: 0; readonly type: 'Unknown' };
  readonly auth_factors: readonly [
    { readonly factor_type_id: 99; readonly factor_type: 'Backup code' },
  ];
  readonly status_id?: 1 | 2;
  readonly status?: 'Success' | 'Failure';
  readonly status_code?: Reason | ApprovalReason;
  readonly status_detail?: string;
  readonly count?: number;
  readonly actor?: { readonly user: { readonly uid: string } };
  readonly src_endpoint?: { readonly ip: string } | { readonly name: string };
  readonly http_request?: { readonly user_agent?: string; readonly uid?: string };
  readonly observables?: readonly {
    readonly name: string;
    readonly type_id: number;
    readonly value: string;
  }[];
  /** With class 3002. */
  readonly service?: { readonly name: string };
  /** With class 3002: the code came after a first factor. */
  readonly is_mfa?: boolean;
  readonly unmapped?: {
    readonly set_id?: string;
    readonly code_id?: string;
    readonly remaining?: number;
    readonly total?: number;
    readonly consumed_seconds_ago?: number;
  } & Facts['approval'];
}

const SEVERITIES = { Informational: 1, Low: 2, Medium: 3, High: 4 } as const;
type Severity = keyof typeof SEVERITIES;
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
const ENABLE = management(12, 'MFA Factor Enable');
const DISABLE = management(13, 'MFA Factor Disable');
/** Has no number of its own; 99 asks for a name. */
const other = (name: string): Activity => management(99, name);

const ACTIVITIES: Record<EventType, readonly [Activity, Severity]> = {
  issued: [ENABLE, 'Informational'],
  adopted: [ENABLE, 'Informational'],
  staged: [other('Staged'), 'Informational'],
  activated: [ENABLE, 'Informational'],
  consumed: [LOGON, 'Informational'],
  rejected: [LOGON, 'Low'],
  throttled: [LOGON, 'Medium'],
  locked: [LOCK, 'High'],
  revoked: [DISABLE, 'Low'],
  low: [other('Low'), 'Low'],
  exhausted: [other('Exhausted'), 'Low'],
  renewed: [other('Renewed'), 'Informational'],
  expiring: [other('Expiring'), 'Low'],
  expired: [other('Expired'), 'Low'],
  login_unfinished: [LOGON, 'Medium'],
  step_up_required: [LOGON, 'Medium'],
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

/** Of `rejected`, but for a double click. */
const REJECTIONS: Record<Reason, Severity> = {
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
};

/** Observable types of the schema. */
const IP_ADDRESS = 2;
const USER_UID = 31;

/** @throws {BackupCodeError} `invalid_option` */
export function toOcsf(event: AuditEvent, options: VocabularyOptions): OcsfEvent {
  const { message, detail, outcome, userId, ip, rejection, approval } = factsOf(event, options);
  const { type, reason, setId, codeId, remaining, total, consumedSecondsAgo, context } = event;
  const [activity, usual] = ACTIVITIES[type];
  const severity = rejection === null ? usual : REJECTIONS[rejection];
  const isAttempt = activity.class_uid === 3002;
  const observables = [
    ...(userId === null ? [] : [{ name: 'user.uid', type_id: USER_UID, value: userId }]),
    ...(ip === null ? [] : [{ name: 'src_endpoint.ip', type_id: IP_ADDRESS, value: ip }]),
  ];
  return {
    category_uid: 3,
    category_name: 'Identity & Access Management',
    ...activity,
    type_uid: activity.class_uid * 100 + activity.activity_id,
    severity_id: SEVERITIES[severity],
    severity,
    time: event.at,
    message,
    metadata: {
      version: '1.9.0',
      product: { name: PRODUCT, vendor_name: PRODUCT },
      uid: event.id,
      event_code: type,
      log_source: options.appId,
    },
    // The schema wants somebody, also where the name belongs to nobody.
    user: userId === null ? { name: 'Unknown', type_id: 0, type: 'Unknown' } : { uid: userId },
    auth_factors: [{ factor_type_id: 99, factor_type: 'Backup code' }],
    ...(outcome !== null &&
      (outcome === 'success'
        ? { status_id: 1, status: 'Success' }
        : { status_id: 2, status: 'Failure' })),
    ...known({
      status_code: reason ?? approvalOf(event)?.reason,
      status_detail: detail,
      count: event.refusals,
      actor: context.actor === null ? null : { user: { uid: context.actor } },
      src_endpoint: endpointOf(ip, context.ip),
      http_request: known({ user_agent: context.userAgent, uid: context.requestId }),
      observables: observables.length === 0 ? null : observables,
      service: isAttempt ? { name: options.appId } : null,
      is_mfa: isAttempt ? context.channel === 'second_factor' : null,
      unmapped: known({
        set_id: setId,
        code_id: codeId,
        remaining,
        total,
        consumed_seconds_ago: consumedSecondsAgo,
        ...approval,
      }),
    }),
  };
}

/** An address that is none is a name to the schema. */
function endpointOf(ip: string | null, given: string | null): OcsfEvent['src_endpoint'] | null {
  if (ip !== null) return { ip };
  return given === null ? null : { name: given };
}
