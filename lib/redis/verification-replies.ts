// Reads what the scripts of a verification returned.
import type { AttemptResult, Consumption, Ticket } from '../stores/requests';
import { readWrittenEvents, readFields, readList, readNumber, readText } from './replies';
import { readCodes, readCurrentSet } from './user-fields';

type TicketSource = Pick<Ticket, 'channel' | 'network'>;

/**
 * Reads the reply of `takeAttemptScript`.
 *
 * @throws {BackupCodeError} `unreadable_set`
 */
export function readAttempt(reply: unknown, request: TicketSource): AttemptResult {
  const [outcome, ...details] = readList(reply);
  if (readText(outcome) === 'refused') {
    const [reason, nextAt, events] = details;
    return {
      ok: false,
      reason: readText(reason) === 'locked' ? 'locked' : 'throttled',
      nextAt: readNumber(nextAt),
      events: readWrittenEvents(events),
    };
  }
  const fields = readFields(details[3]);
  const current = readCurrentSet(fields);
  return {
    ok: true,
    ticket: readGranted(details, request),
    current: current && { ...current, codes: readCodes(fields) },
  };
}

/**
 * Reads only the ticket of the same reply.
 *
 * @returns `null` if the attempt was refused
 * @throws {BackupCodeError} `unreadable_set`
 */
export function readTicket(reply: unknown, request: TicketSource): Ticket | null {
  const [outcome, ...details] = readList(reply);
  return readText(outcome) === 'refused' ? null : readGranted(details, request);
}

function readGranted(
  [attempt, generation, nextAt]: readonly unknown[],
  { channel, network }: TicketSource,
): Ticket {
  return {
    channel,
    network,
    attempt: readNumber(attempt),
    generation: readNumber(generation),
    nextAt: readNumber(nextAt),
  };
}

/**
 * Reads the reply of `consumeScript`.
 *
 * @throws {BackupCodeError} `unreadable_set`
 */
export function readConsumption(reply: unknown): Consumption {
  const [outcomeReply, ...details] = readList(reply);
  const outcome = readText(outcomeReply);
  if (outcome === 'consumed') {
    const [remaining, total, events, which] = details;
    return {
      outcome,
      remaining: readNumber(remaining),
      total: readNumber(total),
      events: readWrittenEvents(events),
      repeated: readText(which) === 'repeated',
    };
  }
  if (outcome === 'already_consumed') {
    return { outcome, consumedAt: readNumber(details[0]) };
  }
  const reason = readText(details[0]);
  return {
    outcome: 'gone',
    reason: reason === 'expired' || reason === 'locked' ? reason : 'none',
  };
}
