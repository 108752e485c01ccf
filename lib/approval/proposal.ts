// What two people decide about, and the digest that binds their decision to it. Makes no decision.
import { createHash, randomBytes } from 'node:crypto';
import { BackupCodeError } from '../errors';
import { assertOptions } from '../internal/validate';
import type { ApprovalRecord, ApprovalState } from './approval-store';
import { canonicalJson } from './canonical-json';

/** What a user asks two people to approve. */
export interface Proposal {
  /** The name of one of the `actions`. */
  readonly action: string;
  /**
   * The user or thing that the action concerns: a user id, or any string of 1 to 255 characters.
   */
  readonly target: string;
  /**
   * Plain JSON of at most 10,000 characters. It is stored and shown as it is, so it must not
   * contain a secret.
   *
   * @default {}
   */
  readonly parameters?: unknown;
}

/** A proposal with all its fields, as actions and `isEntitled` receive it. */
export interface ProposedAction extends Proposal {
  readonly parameters: unknown;
}

/** A request as both people see it before they decide. Times are milliseconds since 1970. */
export interface Approval extends ProposedAction {
  readonly id: string;
  readonly state: ApprovalState;
  /** Binds a decision to what was shown. Send it back with the decision. */
  readonly digest: string;
  readonly requestedBy: string;
  readonly requestedAt: number;
  readonly expiresAt: number;
  readonly approvedBy: string | null;
  readonly approvedAt: number | null;
}

/** Who makes a request, when, and for how long. */
export interface RequestOrigin {
  readonly requestedBy: string;
  readonly sessionId: string | undefined;
  readonly now: number;
  readonly windowMs: number;
}

const MAX_PARAMETERS_LENGTH = 10_000;
const MAX_TARGET_LENGTH = 255;

/** @throws {BackupCodeError} `invalid_option` */
export function assertProposal(proposal: Proposal, actions: ReadonlyMap<string, unknown>): void {
  assertOptions('request', proposal, ['action', 'target', 'parameters']);
  const { action, target } = proposal;
  if (typeof action !== 'string' || !actions.has(action)) {
    throw new BackupCodeError('invalid_option', 'action must be the name of one of the actions.');
  }
  if (typeof target !== 'string' || target.length < 1 || target.length > MAX_TARGET_LENGTH) {
    throw new BackupCodeError(
      'invalid_option',
      `target must be a string of 1 to ${MAX_TARGET_LENGTH} characters.`,
    );
  }
}

/**
 * A new record in the state `requesting`.
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function newRecord(
  { action, target, parameters = {} }: Proposal,
  { requestedBy, sessionId, now, windowMs }: RequestOrigin,
): ApprovalRecord {
  const parametersJson = canonicalJson(parameters);
  if (parametersJson.length > MAX_PARAMETERS_LENGTH) {
    throw new BackupCodeError(
      'invalid_option',
      `parameters must be at most ${MAX_PARAMETERS_LENGTH} characters of JSON.`,
    );
  }
  return {
    id: randomBytes(16).toString('hex'),
    state: 'requesting',
    action,
    target,
    parameters: parametersJson,
    digest: sha256(canonicalJson({ action, target, parameters })),
    requestedBy,
    requestedIn: sessionDigest(sessionId),
    requestedAt: now,
    expiresAt: now + windowMs,
    approvedBy: null,
    approvedAt: null,
  };
}

export function proposedAction({ action, target, parameters }: ApprovalRecord): ProposedAction {
  return { action, target, parameters: JSON.parse(parameters) as unknown };
}

/** False if action, target or parameters were changed in the store after the request. */
export function matchesDigest(record: ApprovalRecord): boolean {
  return record.digest === sha256(canonicalJson(proposedAction(record)));
}

/** Leaves out the digest of the session. */
export function toApproval(record: ApprovalRecord): Approval {
  return {
    id: record.id,
    state: record.state,
    ...proposedAction(record),
    digest: record.digest,
    requestedBy: record.requestedBy,
    requestedAt: record.requestedAt,
    expiresAt: record.expiresAt,
    approvedBy: record.approvedBy,
    approvedAt: record.approvedAt,
  };
}

/**
 * A reader of the store must not learn a session id, so only its digest is stored.
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function sessionDigest(sessionId: string | undefined): string | null {
  if (sessionId === undefined) return null;
  if (typeof sessionId !== 'string' || sessionId === '') {
    throw new BackupCodeError(
      'invalid_option',
      'sessionId must be a string that identifies the session.',
    );
  }
  return sha256(sessionId);
}

/** In hex. */
export function sha256(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}
