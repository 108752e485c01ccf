// Which refusals are counted in one event. A stranger who tries all day must not fill the audit
// trail: the first refusal is written, and the others are counted in it.
import type { AuditEvent, EventReason } from '../audit/events';
import { hashedUuid } from '../internal/hashed-uuid';
import { DAY_MS } from '../internal/time';
import type { AttemptRequest, Ticket } from './requests';
import type { Subject } from './subject';

/** Whose refusals are counted. */
export interface AttemptSource extends Pick<Ticket, 'channel' | 'network'> {
  readonly subject: Subject;
}

/** Refusals of one reason in one period, which share an event. */
export interface CountedRefusals {
  readonly reason: EventReason;
  /** Refusals in different periods are different events. */
  readonly period: string;
}

/**
 * The id of the event that counts these refusals, the same in every process.
 */
export function countedEventId(source: AttemptSource, counted: CountedRefusals): string {
  return hashedUuid([refusedSource(source), counted.reason, counted.period]);
}

/** What is counted together: the subject and the channel, and on `recovery` the network. */
export function refusedSource({ subject, channel, network }: AttemptSource): string {
  return channel === 'recovery'
    ? `${subject.key} ${channel} ${network}`
    : `${subject.key} ${channel}`;
}

/** One event for each day, UTC. */
export function dayOf(now: number): string {
  return `day ${Math.floor(now / DAY_MS)}`;
}

/** A counter that refused an attempt. */
export interface RefusingCounter {
  readonly isLocked: boolean;
  readonly generation: number;
  readonly nextAt: number;
}

/**
 * The refusal as it is counted: in one event for each wait, and for each day on a locked channel.
 */
export function countedRefusal(
  request: AttemptRequest,
  { isLocked, generation, nextAt }: RefusingCounter,
): AuditEvent & { readonly reason: 'throttled' | 'locked' } {
  const reason = isLocked ? 'locked' : 'throttled';
  const period = isLocked ? dayOf(request.now) : `wait ${generation} ${nextAt}`;
  return {
    ...request.refusal,
    id: countedEventId(request, { reason, period }),
    reason,
    refusals: 1,
  };
}
