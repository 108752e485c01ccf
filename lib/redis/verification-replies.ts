// Reads what the scripts of a verification returned.
import type { AttemptRequest, AttemptResult, Consumption } from '../stores/requests';
import { readWrittenEvents, readFields, readList, readNumber, readText } from './replies';
import { readCodes, readCurrentSet } from './user-fields';

/**
 * Reads the reply of `takeAttemptScript`.
 *
 * @throws {BackupCodeError} `unreadable_set`
 */
export function readAttempt(
  reply: unknown,
  { channel, network }: Pick<AttemptRequest, 'channel' | 'network'>,
): AttemptResult {
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
  const [attempt, generation, nextAt, user] = details;
  const fields = readFields(user);
  const current = readCurrentSet(fields);
  return {
    ok: true,
    ticket: {
      channel,
      network,
      attempt: readNumber(attempt),
      generation: readNumber(generation),
      nextAt: readNumber(nextAt),
    },
    current: current && { ...current, codes: readCodes(fields) },
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
