// An audit event as a document of the Elastic Common Schema 8.17: category `authentication` for an
// attempt, `iam` for a change of a set, `configuration` for an event of the app's own. Fields
// without a place in the schema are labels. https://www.elastic.co/guide/en/ecs/8.17
import type { AuditEvent } from '../audit/events';
import { describeEvent, PRODUCT, type VocabularyOptions } from './event-description';
import { isKnownEventType, type KnownEventType } from './event-types';

/** A document for a data stream. */
export interface EcsEvent {
  readonly '@timestamp': string;
  readonly ecs: { readonly version: '8.17.0' };
  readonly message: string;
  readonly event: {
    /** The id of the audit event. A document that is sent twice has the same id twice. */
    readonly id: string;
    readonly kind: 'event';
    readonly category: readonly ['authentication' | 'iam' | 'configuration'];
    readonly type: readonly ('start' | 'user' | 'change' | 'info')[];
    /** Such as `backup-code-consumed`, or the type of an event of your own. */
    readonly action: string;
    readonly provider: string;
    readonly module: string;
    readonly dataset: string;
    readonly outcome?: 'success' | 'failure';
    readonly reason?: string;
  };
  /** Your app. */
  readonly service: { readonly name: string };
  /** The namespace of the event. */
  readonly organization?: { readonly id: string };
  readonly labels: Readonly<Record<string, string>>;
  /** The acting user. If that is not the owner of the codes, the owner is `target`. */
  readonly user?: { readonly id: string; readonly target?: { readonly id: string } };
  readonly source?: { readonly address: string; readonly ip?: string };
  readonly user_agent?: { readonly original: string };
  readonly http?: { readonly request: { readonly id: string } };
  readonly related?: { readonly user?: readonly string[]; readonly ip?: readonly string[] };
}

type Categorization = Pick<EcsEvent['event'], 'category' | 'type'>;

// The schema expects these types in each category. An event of `iam` has two: what happened, and to
// what.
const ATTEMPT: Categorization = { category: ['authentication'], type: ['start'] };
const CHANGE: Categorization = { category: ['iam'], type: ['user', 'change'] };
const STATE: Categorization = { category: ['iam'], type: ['user', 'info'] };
const UNKNOWN: Categorization = { category: ['configuration'], type: ['info'] };

const CATEGORIZATIONS: Readonly<Record<KnownEventType, Categorization>> = {
  issued: CHANGE,
  adopted: CHANGE,
  staged: CHANGE,
  activated: CHANGE,
  consumed: ATTEMPT,
  rejected: ATTEMPT,
  throttled: ATTEMPT,
  locked: CHANGE,
  unlocked: CHANGE,
  revoked: CHANGE,
  forgotten: CHANGE,
  low: STATE,
  exhausted: STATE,
  renewed: CHANGE,
  expiring: STATE,
  expired: STATE,
  login_unfinished: ATTEMPT,
  login_resumed: ATTEMPT,
  step_up_required: ATTEMPT,
  replayed: CHANGE,
  approval_requested: CHANGE,
  approval_granted: CHANGE,
  approval_denied: CHANGE,
  approval_cancelled: CHANGE,
  approval_expired: STATE,
  approval_executing: STATE,
  approval_executed: CHANGE,
  approval_failed: CHANGE,
  approval_refused: CHANGE,
};

/**
 * Maps an audit event to a document of the Elastic Common Schema. Sends nothing. An event of your
 * own keeps its type as `event.action`, and its details become labels such as `detail_by`.
 *
 * @example
 * backupCodes.on('consumed', (event) => log.info(toEcs(event, { appId: 'shop' })));
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function toEcs(event: AuditEvent, options: VocabularyOptions): EcsEvent {
  const { type, message, outcome, reason, time, userId, ip, fields } = describeEvent(
    event,
    options,
  );
  const { namespace, context, refusals } = event;
  const user = userOf(userId, context.actor);
  const related = relatedOf([userId, context.actor], ip);
  const isKnown = isKnownEventType(event.type);
  return {
    '@timestamp': time,
    ecs: { version: '8.17.0' },
    message,
    event: {
      id: event.id,
      kind: 'event',
      ...(isKnown ? CATEGORIZATIONS[event.type] : UNKNOWN),
      action: isKnown ? `backup-code-${type}` : type,
      provider: PRODUCT,
      module: 'passport_backup_code',
      dataset: 'passport_backup_code.audit',
      ...(outcome !== null && { outcome }),
      ...(reason !== null && { reason }),
    },
    service: { name: options.appId },
    ...(namespace !== null && { organization: { id: namespace } }),
    labels: toLabels({
      ...fields,
      channel: context.channel,
      ...(refusals !== null && { refusals }),
    }),
    ...(user !== null && { user }),
    ...(context.ip !== null && { source: { address: context.ip, ...(ip !== null && { ip }) } }),
    ...(context.userAgent !== null && { user_agent: { original: context.userAgent } }),
    ...(context.requestId !== null && { http: { request: { id: context.requestId } } }),
    ...(related !== null && { related }),
  };
}

/** The schema stores every label as a keyword. */
function toLabels(fields: Readonly<Record<string, unknown>>): EcsEvent['labels'] {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}

function userOf(userId: string | null, actor: string | null): EcsEvent['user'] | null {
  if (actor !== null) return { id: actor, ...(userId !== null && { target: { id: userId } }) };
  return userId === null ? null : { id: userId };
}

function relatedOf(
  users: readonly (string | null)[],
  ip: string | null,
): EcsEvent['related'] | null {
  const user = [...new Set(users)].filter((id) => id !== null);
  if (user.length === 0 && ip === null) return null;
  return { ...(user.length > 0 && { user }), ...(ip !== null && { ip: [ip] }) };
}
