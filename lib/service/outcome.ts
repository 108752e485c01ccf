// The result of consuming a code.
import type { Reason } from '../audit/events';

/** A code was consumed. */
export interface Consumed {
  readonly ok: true;
  /** Codes left in the set. */
  readonly remaining: number;
  readonly total: number;
  /** True if `lowAt` codes or fewer are left, or if consumed codes are no longer replaced. */
  readonly low: boolean;
  /**
   * Whether this code was accepted before for the login that `context.loginId` names. Nothing was
   * consumed then. Make sure that the login is completed only once.
   */
  readonly repeated: boolean;
  readonly setId: string;
  readonly codeId: string;
  /** Milliseconds since 1970; `null` if the set never expires. */
  readonly expiresAt: number | null;
  /**
   * With `replaceConsumed`: a new code, up to `maxReplacements` of them. Show it once. Missing if
   * the consumption is repeated: the first call returned it.
   */
  readonly replacement?: string;
}

/** A code was not consumed. */
export interface NotConsumed {
  readonly ok: false;
  /** For the audit trail and your code. Give the user one answer for all reasons except a wait. */
  readonly reason: Reason;
  /** With `throttled` and `busy`. */
  readonly retryAfterSeconds?: number;
}

/** The result of `consume`. */
export type Outcome = Consumed | NotConsumed;
