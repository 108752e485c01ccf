// An audit event as a line of the OWASP Application Logging Vocabulary, as of 2025: its names,
// levels and format, and no name of our own.
// https://cheatsheetseries.owasp.org/cheatsheets/Logging_Vocabulary_Cheat_Sheet.html
import type { AuditEvent, EventReason } from '../audit/events';
import {
  describeEvent,
  percentEncode,
  type EventDescription,
  type VocabularyOptions,
} from './event-description';
import { isKnownEventType, type KnownEventType } from './event-types';

/**
 * One line of the log. Add what your app knows with a spread: `host_ip`, `hostname`, `protocol`,
 * `port`, `request_uri`, `request_method`, `region`, `geo`.
 */
export interface OwaspEvent {
  /** ISO 8601 with an offset. */
  readonly datetime: string;
  /** Your app; with a namespace, your app, a slash and the namespace. */
  readonly appid: string;
  /** The name, a colon, and the parameters with commas between them. */
  readonly event: string;
  readonly level: 'INFO' | 'WARN' | 'CRITICAL';
  readonly description: string;
  readonly useragent?: string;
  readonly source_ip?: string;
}

interface VocabularyEntry {
  readonly level: OwaspEvent['level'];
  /** In the order of the cheat sheet. */
  readonly parameters: (event: AuditEvent, description: EventDescription) => EntryParameters;
}

type EntryParameters = readonly (string | null)[];

const userOnly = ({ userId }: AuditEvent): EntryParameters => [userId];

/** The names in use, with the level and the parameters that the cheat sheet gives them. */
const VOCABULARY = {
  authn_login_success: { level: 'INFO', parameters: userOnly },
  authn_login_fail: { level: 'WARN', parameters: userOnly },
  authn_login_fail_max: { level: 'WARN', parameters: userOnly },
  authn_login_lock: {
    level: 'WARN',
    parameters: ({ userId }) => [userId, 'maxretries'],
  },
  authn_token_created: {
    level: 'INFO',
    parameters: ({ userId }) => [userId, 'backup_codes'],
  },
  authn_token_revoked: {
    level: 'INFO',
    parameters: ({ userId, setId }) => [userId, setId],
  },
  authn_token_reuse: {
    level: 'CRITICAL',
    parameters: ({ userId, codeId }) => [userId, codeId],
  },
  authz_admin: {
    level: 'WARN',
    parameters: ({ userId }, { type, approval }) => [
      userId,
      joinParts([type, approval?.action, approval?.target]),
    ],
  },
  authz_fail: {
    level: 'CRITICAL',
    parameters: ({ userId }, { approval }) => [
      userId,
      joinParts([approval?.action, approval?.target]),
    ],
  },
  excess_rate_limit_exceeded: { level: 'WARN', parameters: userOnly },
  input_validation_fail: {
    level: 'WARN',
    parameters: ({ userId }) => ['(code)', userId],
  },
  user_updated: {
    level: 'WARN',
    parameters: ({ userId, context }, { type }) => [
      context.actor ?? userId,
      userId,
      isKnownEventType(type) ? `backup_codes:${type}` : type,
    ],
  },
} as const satisfies Record<string, VocabularyEntry>;

type OwaspName = keyof typeof VOCABULARY;

const NAMES: Readonly<Record<KnownEventType, OwaspName>> = {
  issued: 'authn_token_created',
  adopted: 'authn_token_created',
  staged: 'user_updated',
  activated: 'authn_token_created',
  consumed: 'authn_login_success',
  rejected: 'authn_login_fail',
  throttled: 'authn_login_fail_max',
  locked: 'authn_login_lock',
  unlocked: 'user_updated',
  revoked: 'authn_token_revoked',
  forgotten: 'user_updated',
  low: 'user_updated',
  exhausted: 'user_updated',
  renewed: 'authn_token_created',
  expiring: 'user_updated',
  expired: 'authn_token_revoked',
  login_unfinished: 'authn_login_fail',
  login_resumed: 'authn_login_success',
  step_up_required: 'authn_login_fail',
  replayed: 'user_updated',
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

/** The name of `rejected`, except for a double click. */
const REJECTION_NAMES: Readonly<Record<EventReason, OwaspName>> = {
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
  unknown_pepper: 'authn_login_fail',
  wrong_pepper: 'authn_login_fail',
  unreadable_hash: 'authn_login_fail',
  unreadable_set: 'authn_login_fail',
};

/** Names of changes that have no parameter for the acting user. */
const WITHOUT_ACTOR: ReadonlySet<OwaspName> = new Set([
  'authn_token_created',
  'authn_token_revoked',
]);

/**
 * Maps an audit event to a line of the OWASP vocabulary. Sends nothing. The vocabulary has no name
 * for an event of your own: it becomes `user_updated`, with its type as the attribute.
 *
 * @example
 * backupCodes.on('rejected', (event) => log.warn(toOwasp(event, { appId: 'shop' })));
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function toOwasp(event: AuditEvent, options: VocabularyOptions): OwaspEvent {
  const description = describeEvent(event, options);
  const { namespace, context } = event;
  const { userAgent, ip } = context;
  const name = nameOf(event, description);
  const { level, parameters } = VOCABULARY[name];
  return {
    datetime: description.time.replace('Z', '+00:00'),
    appid: namespace === null ? options.appId : `${options.appId}/${namespace}`,
    event: eventOf(name, parameters(event, description)),
    level,
    description: description.message,
    ...(userAgent !== null && { useragent: userAgent }),
    ...(ip !== null && { source_ip: ip }),
  };
}

function nameOf({ type, context }: AuditEvent, { rejection }: EventDescription): OwaspName {
  if (rejection !== null) return REJECTION_NAMES[rejection];
  const name = isKnownEventType(type) ? NAMES[type] : 'user_updated';
  // If another user changed the set, only this name has parameters for both.
  return context.actor !== null && WITHOUT_ACTOR.has(name) ? 'user_updated' : name;
}

/** Parameters at the end that are empty are left out. */
function eventOf(name: OwaspName, parameters: EntryParameters): string {
  // A user id may be any string. It must not add a parameter or a line.
  const encoded = parameters.map((parameter) =>
    percentEncode(parameter ?? '', /[,\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu),
  );
  while (encoded.at(-1) === '') encoded.pop();
  return encoded.length === 0 ? name : `${name}:${encoded.join(',')}`;
}

function joinParts(parts: readonly (string | null | undefined)[]): string {
  return parts.filter(Boolean).join(':');
}
