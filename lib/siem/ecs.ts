// Elastic Common Schema 8.17: categories `authentication` for attempts and `iam` for changes of a set. No field of our own
// but labels. https://www.elastic.co/guide/en/ecs/8.17
import type { AuditEvent, EventType } from '../audit/events';
import { approvalOf, factsOf, known, PRODUCT, type VocabularyOptions } from './facts';

/** A document for a data stream. */
export interface EcsEvent {
  readonly '@timestamp': string;
  readonly ecs: { readonly version: '8.17.0' };
  readonly message: string;
  readonly event: {
    /** That of the audit event: what was sent twice has it twice. */
    readonly id: string;
    readonly kind: 'event';
    readonly category: readonly ['authentication' | 'iam'];
    readonly type: readonly ('start' | 'user' | 'change' | 'info')[];
    /** `backup-code-consumed` and so on. */
    readonly action: string;
    readonly provider: string;
    readonly module: string;
    readonly dataset: string;
    readonly outcome?: 'success' | 'failure';
    readonly reason?: string;
  };
  /** Your app. */
  readonly service: { readonly name: string };
  readonly labels: Readonly<Record<string, string>>;
  /** Who acts; where that is not the owner, the owner is `target`. */
  readonly user?: { readonly id: string; readonly target?: { readonly id: string } };
  readonly source?: { readonly address: string; readonly ip?: string };
  readonly user_agent?: { readonly original: string };
  readonly http?: { readonly request: { readonly id: string } };
  readonly related?: { readonly user?: readonly string[]; readonly ip?: readonly string[] };
}

/** Types that the schema expects in these categories. An event of `iam` has two: what happened, and to what. */
const ATTEMPT = { category: ['authentication'], type: ['start'] } as const;
const CHANGE = { category: ['iam'], type: ['user', 'change'] } as const;
const STATE = { category: ['iam'], type: ['user', 'info'] } as const;

const CATEGORIES: Record<EventType, Pick<EcsEvent['event'], 'category' | 'type'>> = {
  issued: CHANGE,
  adopted: CHANGE,
  staged: CHANGE,
  activated: CHANGE,
  consumed: ATTEMPT,
  rejected: ATTEMPT,
  throttled: ATTEMPT,
  locked: CHANGE,
  revoked: CHANGE,
  low: STATE,
  exhausted: STATE,
  renewed: CHANGE,
  expiring: STATE,
  expired: STATE,
  login_unfinished: ATTEMPT,
  step_up_required: ATTEMPT,
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

/** @throws {BackupCodeError} `invalid_option` */
export function toEcs(event: AuditEvent, options: VocabularyOptions): EcsEvent {
  const { message, outcome, time, userId, ip, approval } = factsOf(event, options);
  const {
    id,
    type,
    reason,
    setId,
    codeId,
    remaining,
    total,
    consumedSecondsAgo,
    refusals,
    context,
  } = event;
  const { actor } = context;
  const people = [...new Set([userId, actor])].filter((person) => person !== null);
  const labels = {
    channel: context.channel,
    set_id: setId,
    code_id: codeId,
    remaining,
    total,
    consumed_seconds_ago: consumedSecondsAgo,
    refusals,
    ...approval,
  };
  return {
    '@timestamp': time,
    ecs: { version: '8.17.0' },
    message,
    event: {
      id,
      kind: 'event',
      ...CATEGORIES[type],
      action: `backup-code-${type}`,
      provider: PRODUCT,
      module: 'passport_backup_code',
      dataset: 'passport_backup_code.audit',
      ...known({ outcome, reason: reason ?? approvalOf(event)?.reason }),
    },
    service: { name: options.appId },
    // The schema keeps them all as keywords.
    labels: Object.fromEntries(
      Object.entries(labels).flatMap(([name, value]) =>
        value === null || value === undefined ? [] : [[name, String(value)]],
      ),
    ),
    ...known({
      user: userOf(userId, actor),
      source: context.ip === null ? null : { address: context.ip, ...known({ ip }) },
      user_agent: context.userAgent === null ? null : { original: context.userAgent },
      http: context.requestId === null ? null : { request: { id: context.requestId } },
      related: known({ user: people.length === 0 ? null : people, ip: ip === null ? null : [ip] }),
    }),
  };
}

function userOf(userId: string | null, actor: string | null): EcsEvent['user'] | null {
  if (actor === null) return userId === null ? null : { id: userId };
  return { id: actor, ...(userId !== null && { target: { id: userId } }) };
}
