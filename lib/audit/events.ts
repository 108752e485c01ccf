// What is recorded and told: the audit event, which cannot hold a code, digest, salt or key, and who listens to it.
import { randomUUID } from 'node:crypto';
import type { CleanContext } from './context';
import { BackupCodeError } from '../errors';

/** Why a code was not accepted. For the audit and the calling code; never for the person, who gets one answer. */
export type Reason =
  | 'malformed'
  | 'mismatch'
  | 'reused'
  | 'expired'
  | 'none'
  | 'unknown_user'
  | 'throttled'
  | 'locked'
  | 'denied'
  | 'step_up'
  | 'busy';

/** Why a step of two people was refused. Like {@link Reason}, for the audit and the calling code. */
export type ApprovalReason =
  /** There is no such request. */
  | 'unknown_request'
  /** The target has another open request. */
  | 'open_request'
  /** It is over, or not so far yet. */
  | 'not_open'
  /** Its time is over. */
  | 'late'
  /** What was shown is not what would be done. */
  | 'changed'
  /** The one who asked cannot approve, by whatever account or from the same session. */
  | 'same_person'
  /** Nobody decides about themselves. */
  | 'is_target'
  | 'not_entitled';

/** Every type of event; only ever added to. */
export const EVENT_TYPES = [
  /** A set began to work, and any older one ended. */
  'issued',
  /** A list of codes that the app had printed before became the user's first set. */
  'adopted',
  /** A set was made that does not work yet. */
  'staged',
  /** A staged set began to work, and any older one ended. */
  'activated',
  /** A code was accepted; it will never be again. */
  'consumed',
  /** A code was not accepted; `reason` says why. */
  'rejected',
  /** The first refusal of a wait (`reason` throttled) or of a locked channel (disabled). Later ones are counted in it. */
  'throttled',
  /** Too many failures: this channel stays locked until a new set is issued. */
  'locked',
  /** The set was ended without a new one. */
  'revoked',
  /** As many codes are left as `lowAt` says. */
  'low',
  /** No code is left. */
  'exhausted',
  /** A replacement was added to the set for the code just consumed. */
  'renewed',
  /** The set ends soon. Written by `due`. */
  'expiring',
  /** The set has ended by its time. Written by `due`; the codes stopped working to the millisecond, whenever that is called. */
  'expired',
  /** A code was consumed, and then the login failed: nobody got in, and the code stays consumed. */
  'login_unfinished',
  /** The risk hook asked for more than a code. */
  'step_up_required',
  /** The first of two people asked for an action, with a code of their own. This type and those below: `approval` says which. */
  'approval_requested',
  /** The second approved it, with a code of their own. */
  'approval_granted',
  'approval_denied',
  /** By the one who asked. */
  'approval_cancelled',
  /** Nobody ran it in time. */
  'approval_expired',
  /** The action begins. One that is not followed by the next or the next but one was cut off, and is never run again. */
  'approval_executing',
  'approval_executed',
  /** The action threw. */
  'approval_failed',
  /** A step was refused; `approval.reason` says why. */
  'approval_refused',
] as const;

/** What an event is of. */
export type EventType = (typeof EVENT_TYPES)[number];
/** The types of two people. */
export type ApprovalEventType = Extract<EventType, `approval_${string}`>;

/** What two people decide, as an event tells it. */
export interface ApprovalFacts {
  /** Of the request; `null` where there is none. */
  readonly id: string | null;
  readonly action: string | null;
  /** Whom or what it concerns. */
  readonly target: string | null;
  readonly reason: ApprovalReason | null;
}

/** One line of the audit trail. */
export interface AuditEvent {
  /** Random; the same event never has two. */
  readonly id: string;
  readonly type: EventType;
  /** Milliseconds since 1970, UTC. */
  readonly at: number;
  /** As text, whatever type the app uses. `null`: a user name that belongs to nobody. */
  readonly userId: string | null;
  readonly setId: string | null;
  /** Which code of the set, by its random name. */
  readonly codeId: string | null;
  readonly reason: Reason | null;
  readonly remaining: number | null;
  readonly total: number | null;
  /** With `reused`: seconds since the code was consumed. One or two are a double click and no alarm. */
  readonly consumedSecondsAgo: number | null;
  /** With `throttled`: how many attempts this wait has refused so far; the store goes on counting. */
  readonly refusals: number | null;
  /** With the `approval-` types: what two people decide. */
  readonly approval: ApprovalFacts | null;
  readonly context: CleanContext;
}

/** An event with all that is not given left `null`. */
export function auditEvent(
  type: EventType,
  facts: Pick<AuditEvent, 'at' | 'userId' | 'context'> & Partial<Omit<AuditEvent, 'id' | 'type'>>,
): AuditEvent {
  return {
    id: randomUUID(),
    type,
    setId: null,
    codeId: null,
    reason: null,
    remaining: null,
    total: null,
    consumedSecondsAgo: null,
    refusals: null,
    approval: null,
    ...facts,
  };
}

/** Told after the change is committed. May be asynchronous; it is not awaited. */
export type Listener = (event: AuditEvent) => unknown;
/** Told of a listener that threw or rejected. */
export type ErrorListener = (error: unknown, event: AuditEvent) => unknown;

/** Who is told what. A listener that fails never changes an outcome. */
export class Listeners {
  private readonly byType = new Map<EventType, Listener[]>();
  private readonly onError: ErrorListener[] = [];

  /** @throws {BackupCodeError} `invalid_option` for an unknown type or something that is no function */
  add(type: EventType | 'error', listener: Listener | ErrorListener): void {
    if (typeof listener !== 'function')
      throw new BackupCodeError(
        'invalid_option',
        'on() takes the name of an event and a function.',
      );
    if (type === 'error') {
      this.onError.push(listener as ErrorListener);
    } else if (EVENT_TYPES.includes(type)) {
      this.byType.set(type, [...(this.byType.get(type) ?? []), listener as Listener]);
    } else {
      throw new BackupCodeError(
        'invalid_option',
        `There is no event "${type}". There are ${EVENT_TYPES.join(', ')} and error.`,
      );
    }
  }

  tell(events: readonly AuditEvent[]): void {
    for (const event of events) {
      // One object for all listeners, frozen as all in it is: none changes what another is told.
      Object.freeze(event);
      for (const listener of this.byType.get(event.type) ?? []) {
        void attempt(() => listener(event)).catch((error: unknown) => this.report(error, event));
      }
    }
  }

  private async report(error: unknown, event: AuditEvent): Promise<void> {
    const handled = this.onError.map((listener) => attempt(() => listener(error, event)));
    const isHandled =
      handled.length > 0 &&
      (await Promise.allSettled(handled)).every(({ status }) => status === 'fulfilled');
    if (!isHandled) {
      process.emitWarning(
        `A listener of "${event.type}" failed: ${error instanceof Error ? error.message : 'not an Error'}`,
        { code: 'BACKUP_CODE_LISTENER' },
      );
    }
  }
}

async function attempt(call: () => unknown): Promise<void> {
  await call();
}
