// Which consumption a call asks for, and what it asks of the store. A code that is sent again for
// the same login is the same consumption: it has the same id.
import {
  cleanContext,
  CONTEXT_FIELDS,
  type CleanContext,
  type ConsumeContext,
} from '../audit/context';
import type { AuditEvent, EventFields, EventType } from '../audit/events';
import { BackupCodeError } from '../errors';
import { hashedUuid } from '../internal/hashed-uuid';
import { assertOptions, describe } from '../internal/validate';
import type { ConsumeRequest, Milestone, StoredCode } from '../stores/requests';
import type { Subject } from '../stores/subject';
import type { Comparison } from './compare';
import type { Config } from './config';

const MAX_LOGIN_ID_LENGTH = 256;
/** Keeps these ids apart from all others that are made from hashes. */
const LABEL = 'passport-backup-code consumption';

/** A context of `consume`, as it is stored, and the login that must not be. */
export interface ReadContext {
  readonly context: CleanContext;
  readonly loginId: string | null;
}

/** @throws {BackupCodeError} `invalid_option` */
export function readConsumeContext(given: ConsumeContext = {}): ReadContext {
  assertOptions('context', given, [...CONTEXT_FIELDS, 'loginId']);
  const { loginId, ...context } = given;
  return { context: cleanContext(context), loginId: readLoginId(loginId) };
}

function readLoginId(loginId: unknown): string | null {
  if (loginId === undefined) return null;
  const isString = typeof loginId === 'string';
  if (isString && loginId.length >= 1 && loginId.length <= MAX_LOGIN_ID_LENGTH) return loginId;
  // Not repeated in the message: it may be a secret of the app.
  const given = isString ? `a string of ${loginId.length}` : describe(loginId);
  throw new BackupCodeError(
    'invalid_option',
    `context.loginId must be a string of 1 to ${MAX_LOGIN_ID_LENGTH} characters, but was ${given}.`,
  );
}

/** A code that matched, and the login that it is for. */
export interface MatchedCode {
  /** `null` if the caller did not name it. */
  readonly loginId: string | null;
  readonly setId: string;
  readonly code: StoredCode;
}

/** Whether the code was consumed for this login. */
export function isConsumedFor({ loginId, setId, code }: MatchedCode): boolean {
  return loginId !== null && code.consumptionId === consumptionId(loginId, setId, code.codeId);
}

function consumptionId(loginId: string, setId: string, codeId: string): string {
  return hashedUuid([LABEL, loginId, setId, codeId]);
}

export interface ConsumptionDetails extends MatchedCode {
  readonly userId: string | null;
  readonly subject: Subject;
  readonly channel: ConsumeRequest['channel'];
  readonly context: CleanContext;
  readonly replacement: Comparison['replacement'];
}

/** The request to consume a code, with its events. */
export function consumeRequest(config: Config, details: ConsumptionDetails): ConsumeRequest {
  const { userId, subject, setId, channel, context, replacement } = details;
  const { codeId } = details.code;
  const now = config.now();
  const fields = { at: now, userId, setId, context };
  const newEvent = eventsOf(config, details);
  const consumed = newEvent('consumed', { ...fields, codeId });
  const milestones: Milestone[] = [{ remaining: 0, event: newEvent('exhausted', fields) }];
  // With a replacement as many codes are left as before, so `low` is never reached by it.
  if (config.lowAt > 0 && !replacement) {
    milestones.push({ remaining: config.lowAt, event: newEvent('low', fields) });
  }
  const common = { subject, setId, codeId, channel, now, milestones };
  if (!replacement) return { ...common, events: [consumed] };
  const { record } = replacement;
  const renewed = newEvent('renewed', { ...fields, codeId: record.codeId });
  return { ...common, events: [consumed, renewed], replacement: record };
}

type NewEvent = (type: EventType, fields: EventFields) => AuditEvent;

/** Makes the events of one consumption. If the login is named, their ids follow from it. */
function eventsOf({ newEvent }: Config, { loginId, setId, code }: MatchedCode): NewEvent {
  if (loginId === null) return newEvent;
  const id = consumptionId(loginId, setId, code.codeId);
  return (type, fields) => ({
    ...newEvent(type, fields),
    id: type === 'consumed' ? id : hashedUuid([LABEL, id, type]),
  });
}
