// The contract of a store of approvals: two methods. It keeps records whole, and knows no rule of when which may change.

/**
 * ```
 * requesting -> requested -> approving -> approved -> executing -> executed
 *                   ^------------'                        '------> failed
 * ```
 * From every state before `executing` also to `denied`, `cancelled` or `expired`. Those, `executed` and `failed` are final.
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

/** Times are milliseconds since 1970. */
export interface ApprovalRecord {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly state: ApprovalState;
  readonly action: string;
  /** Whom or what it concerns. */
  readonly target: string;
  /** As canonical JSON. */
  readonly parameters: string;
  /** SHA-256 in hex over action, target and parameters. */
  readonly digest: string;
  readonly requestedBy: string;
  /** SHA-256 in hex of the session it was asked for in. */
  readonly requestedIn: string | null;
  readonly requestedAt: number;
  readonly expiresAt: number;
  readonly approvedBy: string | null;
  readonly approvedAt: number | null;
}

/** What became of a record. */
export interface Updated {
  /** As it is afterwards. */
  readonly record: ApprovalRecord;
  readonly isChanged: boolean;
}

/** Where requests are kept: two methods, promised on every database. */
export interface ApprovalStore {
  /**
   * Keeps a new record, unless its target has another that is open and ends after `requestedAt` of this one. Of any number
   * of callers at once one is told `true`.
   */
  create(record: ApprovalRecord): Promise<boolean>;

  /**
   * Reads the record and puts what `change` makes of it in its place, if nobody changed it in between; else it reads again.
   * `change` may be called several times and does nothing but compute. Where it gives `null`, nothing is written.
   *
   * @returns `null` where there is no such record
   */
  update(
    id: string,
    change: (record: ApprovalRecord) => ApprovalRecord | null,
  ): Promise<Updated | null>;
}

/** Those before the action begins. */
export const BEFORE_EXECUTION: readonly ApprovalState[] = [
  'requesting',
  'requested',
  'approving',
  'approved',
];

/** Keeps its target from another request. */
export function isOpen({ state }: ApprovalRecord): boolean {
  return state === 'executing' || BEFORE_EXECUTION.includes(state);
}

/** How long a store keeps a record after its end, so that a late visitor is told what became of it. The audit trail is kept elsewhere. */
export const KEPT_MS = 30 * 86_400_000;
