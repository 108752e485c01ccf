// What two people are asked to decide, and the digest that binds their decision to it. Decides nothing.
import { createHash, randomBytes } from 'node:crypto';
import { BackupCodeError } from '../errors';
import { assertOptions } from '../internal/validate';
import { canonicalJson } from './canonical-json';
import type { ApprovalRecord, ApprovalState } from './store';

/** What somebody asks two people for. */
export interface Proposal {
  /** The name of one of `actions`. */
  readonly action: string;
  /** Whom or what it concerns: a user's id, or any name of 1 to 255 characters. */
  readonly target: string;
  /** Plain JSON of at most 10 000 characters; kept as it is, so no secret. Default `{}`. */
  readonly parameters?: unknown;
}

/** What the people are shown before they decide. Times are milliseconds since 1970. */
export interface Approval extends Required<Proposal> {
  readonly id: string;
  readonly state: ApprovalState;
  /** What an approval is bound to: send it back with the decision. */
  readonly digest: string;
  readonly requestedBy: string;
  readonly requestedAt: number;
  readonly expiresAt: number;
  readonly approvedBy: string | null;
  readonly approvedAt: number | null;
}

const MAX_PARAMETERS = 10_000;
const MAX_TARGET = 255;

/** @throws {BackupCodeError} `invalid_option` */
export function propose(
  { action, target, parameters = {}, ...others }: Proposal,
  {
    actions,
    by,
    sessionId,
    now,
    windowMs,
  }: { actions: object; by: string; sessionId: string | undefined; now: number; windowMs: number },
): ApprovalRecord {
  assertOptions('request', others, []);
  if (typeof action !== 'string' || !Object.hasOwn(actions, action))
    throw new BackupCodeError('invalid_option', 'action must be the name of one of actions.');
  if (typeof target !== 'string' || target.length < 1 || target.length > MAX_TARGET) {
    throw new BackupCodeError(
      'invalid_option',
      `target must be a text of 1 to ${MAX_TARGET} characters.`,
    );
  }
  const text = canonicalJson(parameters);
  if (text.length > MAX_PARAMETERS)
    throw new BackupCodeError(
      'invalid_option',
      `parameters must be at most ${MAX_PARAMETERS} characters of JSON.`,
    );
  return {
    id: randomBytes(16).toString('hex'),
    state: 'requesting',
    action,
    target,
    parameters: text,
    digest: sha256(canonicalJson({ action, target, parameters })),
    requestedBy: by,
    requestedIn: sessionKey(sessionId),
    requestedAt: now,
    expiresAt: now + windowMs,
    approvedBy: null,
    approvedAt: null,
  };
}

export function proposalOf({ action, target, parameters }: ApprovalRecord): Required<Proposal> {
  return { action, target, parameters: JSON.parse(parameters) as unknown };
}

/** Whether a record still says what its digest was made of. */
export function isWhole(record: ApprovalRecord): boolean {
  return record.digest === sha256(canonicalJson(proposalOf(record)));
}

export function view(record: ApprovalRecord): Approval {
  const { id, state, digest, requestedBy, requestedAt, expiresAt, approvedBy, approvedAt } = record;
  return {
    id,
    state,
    ...proposalOf(record),
    digest,
    requestedBy,
    requestedAt,
    expiresAt,
    approvedBy,
    approvedAt,
  };
}

/** Nobody who reads the store learns a session id. @throws {BackupCodeError} `invalid_option` */
export function sessionKey(sessionId: string | undefined): string | null {
  if (sessionId === undefined) return null;
  if (typeof sessionId !== 'string' || sessionId === '')
    throw new BackupCodeError(
      'invalid_option',
      'sessionId must be a text that tells sessions apart.',
    );
  return sha256(sessionId);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
