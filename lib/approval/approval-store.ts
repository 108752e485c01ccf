// The contract of a store for approval requests: two methods. A store keeps records whole. It does
// not know which change is allowed.
import { DAY_MS } from '../internal/time';

/**
 * The states of a request:
 *
 * ```
 * requesting -> requested -> approving -> approved -> executing -> executed
 *                   ^------------'                        '------> failed
 * ```
 *
 * A request in a state before `executing` can also become `denied`, `cancelled` or `expired`. These
 * three, `executed` and `failed` are final.
 */
export type ApprovalState =
  | 'requesting'
  | 'requested'
  | 'approving'
  | 'approved'
  | 'executing'
  | 'executed'
  | 'failed'
  | 'denied'
  | 'cancelled'
  | 'expired';

/** A request as a store keeps it. Times are milliseconds since 1970. */
export interface ApprovalRecord {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly state: ApprovalState;
  readonly action: string;
  /** The user or thing that the action concerns. */
  readonly target: string;
  /** Canonical JSON (RFC 8785). */
  readonly parameters: string;
  /** SHA-256 of action, target and parameters, in hex. */
  readonly digest: string;
  readonly requestedBy: string;
  /** SHA-256 of the session id of the request, in hex; `null` if it was made without one. */
  readonly requestedIn: string | null;
  readonly requestedAt: number;
  readonly expiresAt: number;
  readonly approvedBy: string | null;
  readonly approvedAt: number | null;
}

/** The result of {@link ApprovalStore.update}. */
export interface ApprovalUpdate {
  /** The record after the update. */
  readonly record: ApprovalRecord;
  readonly isChanged: boolean;
}

/** Computes the new record; `null` leaves the record unchanged. It has no side effects. */
export type ApprovalChange = (record: ApprovalRecord) => ApprovalRecord | null;

/** Where approval requests are stored. */
export interface ApprovalStore {
  /**
   * Stores a new record, unless its target has another open record that ends after `requestedAt` of
   * the new one. Of any number of concurrent callers for one target, one receives true.
   *
   * @returns whether the record was stored
   */
  create(record: ApprovalRecord): Promise<boolean>;

  /**
   * Reads the record and replaces it with the result of `change`, if no other caller changed it in
   * between. Otherwise it reads again, so `change` may be called several times.
   *
   * @returns `null` if there is no such record
   */
  update(id: string, change: ApprovalChange): Promise<ApprovalUpdate | null>;
}

/** The states before the action starts. A request can still end without it. */
export const BEFORE_EXECUTION: readonly ApprovalState[] = [
  'requesting',
  'requested',
  'approving',
  'approved',
];

/** Whether the record keeps its target from another request. */
export function isOpen({ state }: ApprovalRecord): boolean {
  return state === 'executing' || BEFORE_EXECUTION.includes(state);
}

/**
 * How long a store keeps a record after `expiresAt`, so that a late visitor sees how the request
 * ended: 30 days.
 */
export const KEPT_MS = 30 * DAY_MS;
