// OWASP Application Logging Vocabulary Cheat Sheet, as of 2025: its names, levels and format, and none of our own.
// https://cheatsheetseries.owasp.org/cheatsheets/Logging_Vocabulary_Cheat_Sheet.html
import type { AuditEvent, EventType, Reason } from '../audit/events';
import { approvalOf, factsOf, known, percentEncode, type VocabularyOptions } from './facts';

/** One line of the log. Add by a spread what your app knows: `host_ip`, `hostname`, `protocol`, `port`, `request_uri`, `request_method`, `region`, `geo`. */
export interface OwaspEvent {
  /** ISO 8601 with an offset. */
  readonly datetime: string;
  readonly appid: string;
  /** The name, a colon, and its parameters with commas between them. */
  readonly event: string;
  readonly level: 'INFO' | 'WARN' | 'CRITICAL';
  readonly description: string;
  readonly useragent?: string;
  readonly source_ip?: string;
}

type Parameters = (event: AuditEvent) => readonly (string | null)[];
const ofUser: Parameters = ({ userId }) => [userId];

/** The names in use, with the level and the parameters that the sheet gives them. */
const VOCABULARY = {
  authn_login_success: ['INFO', ofUser],
  authn_login_fail: ['WARN', ofUser],
  authn_login_fail_max: ['WARN', ofUser],
  authn_login_lock: ['WARN', ({ userId }) => [userId, 'maxretries']],
  authn_token_created: ['INFO', ({ userId }) => [userId, 'backup_codes']],
  authn_token_revoked: ['INFO', ({ userId, setId }) => [userId, setId]],
  authn_token_reuse: ['CRITICAL', ({ userId, codeId }) => [userId, codeId]],
  authz_admin: [
    'WARN',
    ({ userId, type, approval }) => [
      userId,
      [type, approval?.action, approval?.target].filter(Boolean).join(':'),
    ],
  ],
  authz_fail: [
    'CRITICAL',
    ({ userId, approval }) => [
      userId,
      [approval?.action, approval?.target].filter(Boolean).join(':'),
    ],
  ],
  excess_rate_limit_exceeded: ['WARN', ofUser],
  input_validation_fail: ['WARN', ({ userId }) => ['(code)', userId]],
  user_updated: [
    'WARN',
    ({ userId, type, context: { actor } }) => [actor ?? userId, userId, `backup_codes:${type}`],
  ],
} as const satisfies Record<string, readonly [OwaspEvent['level'], Parameters]>;
type Name = keyof typeof VOCABULARY;

const NAMES: Record<EventType, Name> = {
  issued: 'authn_token_created',
  adopted: 'authn_token_created',
  staged: 'user_updated',
  activated: 'authn_token_created',
  consumed: 'authn_login_success',
  rejected: 'authn_login_fail',
  throttled: 'authn_login_fail_max',
  locked: 'authn_login_lock',
  revoked: 'authn_token_revoked',
  low: 'user_updated',
  exhausted: 'user_updated',
  renewed: 'authn_token_created',
  expiring: 'user_updated',
  expired: 'authn_token_revoked',
  login_unfinished: 'authn_login_fail',
  step_up_required: 'authn_login_fail',
  approval_requested: 'authz_admin',
  approval_granted: 'authz_admin',
  approval_denied: 'authz_admin',
  approval_cancelled: 'authz_admin',
  approval_expired: 'authz_admin',
  approval_executing: 'authz_admin',
  approval_executed: 'authz_admin',
  approval_failed: 'authz_admin',
  approval_refused: 'authz_fail',
};

/** Of `rejected`, but for a double click. */
const REJECTIONS: Record<Reason, Name> = {
  malformed: 'input_validation_fail',
  mismatch: 'authn_login_fail',
  reused: 'authn_token_reuse',
  expired: 'authn_login_fail',
  none: 'authn_login_fail',
  unknown_user: 'authn_login_fail',
  throttled: 'authn_login_fail',
  locked: 'authn_login_fail',
  denied: 'authn_login_fail',
  step_up: 'authn_login_fail',
  busy: 'excess_rate_limit_exceeded',
};

/** Changes of a set that leave no room for who made them. */
const WITHOUT_ACTOR: ReadonlySet<Name> = new Set(['authn_token_created', 'authn_token_revoked']);

/** @throws {BackupCodeError} `invalid_option` */
export function toOwasp(event: AuditEvent, options: VocabularyOptions): OwaspEvent {
  const { message, time, rejection } = factsOf(event, options);
  const {
    type,
    context: { actor, userAgent, ip },
  } = event;
  const usual = rejection === null ? NAMES[type] : REJECTIONS[rejection];
  // Of what somebody else did to a set, the name that takes both people.
  const name = actor !== null && WITHOUT_ACTOR.has(usual) ? 'user_updated' : usual;
  const [level, parametersOf] = VOCABULARY[name];
  // An id may be any text: it cannot make two parameters of one, nor two lines.
  const parameters = parametersOf(event).map((text) =>
    percentEncode(text ?? '', /[,\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu),
  );
  while (parameters.at(-1) === '') parameters.pop();
  return {
    datetime: time.replace('Z', '+00:00'),
    appid: options.appId,
    event: parameters.length === 0 ? name : `${name}:${parameters.join(',')}`,
    level,
    description: message,
    ...known({ useragent: userAgent, source_ip: ip }),
  };
}
