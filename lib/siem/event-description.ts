// What the three vocabularies have in common: a sentence, an outcome and the fields of an event. No
// string in it can break a line of a log.
import { isIP } from 'node:net';
import { isApprovalEventType } from '../approval/approval-events';
import type { AuditEvent, EventDetails, EventReason } from '../audit/events';
import { BackupCodeError } from '../errors';
import { assertOptions, describe } from '../internal/validate';
import { isKnownEventType } from './event-types';
import {
  APPROVAL_REASON_SENTENCES,
  EVENT_SENTENCES,
  REASON_SENTENCES,
  reasonSentence,
  type EventOutcome,
} from './sentences';

/** The options of `toOwasp`, `toOcsf` and `toEcs`. */
export interface VocabularyOptions {
  /** The name of your app, as your other logs have it. */
  readonly appId: string;
}

/**
 * The fields of an event that no vocabulary has a place for. A field without a value is left out.
 */
export type UnmappedFields = Readonly<Record<string, string | number | boolean>>;

/** What all three vocabularies take from an event. */
export interface EventDescription {
  readonly type: string;
  /** What happened and why. */
  readonly message: string;
  /** Why, as a sentence. */
  readonly detail: string | null;
  readonly outcome: EventOutcome;
  /** Why, as one word. */
  readonly reason: string | null;
  /** ISO 8601, in UTC. */
  readonly time: string;
  readonly userId: string | null;
  /** `null` unless it is an IP address: a collector would refuse the whole event. */
  readonly ip: string | null;
  /** Why a code was rejected; `null` for another event, and for a double click. */
  readonly rejection: EventReason | null;
  /** `null` unless the event is a step of a two-person approval. */
  readonly approval: ApprovalDescription | null;
  readonly fields: UnmappedFields;
}

/** What a step of a two-person approval is about. */
interface ApprovalDescription {
  readonly id: string | null;
  readonly action: string | null;
  readonly target: string | null;
  readonly digest: string | null;
  readonly parametersDigest: string | null;
  readonly reason: string | null;
}

export const PRODUCT = 'passport-backup-code';

/** A consumed code that is sent again this soon is a double click, not an attack. */
const DOUBLE_CLICK_SECONDS = 2;
/** OCSF limits an address (`ip_t`) to 40 characters. */
const MAX_IP_LENGTH = 40;
const LINE_BREAKING = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** @throws {BackupCodeError} `invalid_option` */
export function describeEvent(event: AuditEvent, options: VocabularyOptions): EventDescription {
  assertVocabularyOptions(options);
  const { type, reason, userId, context } = event;
  const approval = isApprovalEventType(type) ? readApproval(event.details) : null;
  const approvalReason = approval?.reason ?? null;
  const detail =
    reasonSentence(REASON_SENTENCES, reason) ??
    reasonSentence(APPROVAL_REASON_SENTENCES, approvalReason);
  const { sentence, outcome } = isKnownEventType(type)
    ? EVENT_SENTENCES[type]
    : { sentence: `An event of type "${oneLine(type)}" was recorded.`, outcome: null };
  return {
    type: oneLine(type),
    message: detail === null ? sentence : `${sentence} ${detail}`,
    detail,
    outcome,
    reason: reason ?? approvalReason,
    time: new Date(event.at).toISOString(),
    userId: userId === null ? null : oneLine(userId),
    ip: context.ip !== null && isPlainIp(context.ip) ? context.ip : null,
    rejection: rejectionOf(event),
    approval,
    fields: withoutEmpty({
      set_id: event.setId,
      code_id: event.codeId,
      remaining: event.remaining,
      total: event.total,
      consumed_seconds_ago: event.consumedSecondsAgo,
      ...(approval === null ? detailFields(event.details) : approvalFields(approval)),
    }),
  };
}

/** Replaces each unsafe character with its percent-encoded bytes. */
export function percentEncode(value: string, unsafe: RegExp): string {
  return value.replace(unsafe, encodeURIComponent);
}

function assertVocabularyOptions(options: VocabularyOptions): void {
  assertOptions('A vocabulary', options, ['appId']);
  const { appId } = options;
  if (typeof appId === 'string' && appId !== '') return;
  throw new BackupCodeError(
    'invalid_option',
    `appId must be the name of your app, but was ${appId === '' ? 'empty' : describe(appId)}.`,
  );
}

function rejectionOf({ type, reason, consumedSecondsAgo }: AuditEvent): EventReason | null {
  if (type !== 'rejected' || reasonSentence(REASON_SENTENCES, reason) === null) return null;
  const isDoubleClick =
    reason === 'reused' &&
    consumedSecondsAgo !== null &&
    consumedSecondsAgo <= DOUBLE_CLICK_SECONDS;
  return isDoubleClick ? null : reason;
}

/** Elasticsearch reads no address with a zone, such as `fe80::1%eth0`. */
function isPlainIp(ip: string): boolean {
  return isIP(ip) !== 0 && ip.length <= MAX_IP_LENGTH && !ip.includes('%');
}

function readApproval(details: EventDetails | null): ApprovalDescription {
  return {
    id: readString(details, 'approval_id'),
    action: readString(details, 'action'),
    target: readString(details, 'target'),
    digest: readString(details, 'digest'),
    parametersDigest: readString(details, 'parameters_digest'),
    reason: readString(details, 'reason'),
  };
}

function readString(details: EventDetails | null, name: string): string | null {
  const value = details?.[name];
  return typeof value === 'string' ? oneLine(value) : null;
}

function approvalFields(approval: ApprovalDescription): EventDetails {
  return {
    approval_id: approval.id,
    approval_action: approval.action,
    approval_target: approval.target,
    approval_digest: approval.digest,
    approval_parameters_digest: approval.parametersDigest,
  };
}

/** The details of an app's own event, each under a name that every collector accepts. */
function detailFields(details: EventDetails | null): EventDetails {
  const entries = Object.entries(details ?? {}).map(([name, value]) => [
    `detail_${snakeCase(name)}`,
    typeof value === 'string' ? oneLine(value) : value,
  ]);
  return Object.fromEntries(entries) as EventDetails;
}

function withoutEmpty(fields: EventDetails): UnmappedFields {
  const entries = Object.entries(fields).filter(([, value]) => value !== null);
  return Object.fromEntries(entries) as UnmappedFields;
}

function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_');
}

function oneLine(value: string): string {
  return percentEncode(value, LINE_BREAKING);
}
