// Records a reminder for each set that expires soon or has expired.
import type { AuditEvent } from '../audit/events';
import { remindersPassed, type RemindersRequest } from '../stores/audit-contract';
import { userKey } from '../stores/subject';
import { PARTITIONS } from './keys';
import type { RedisKeyspace } from './redis-options';
import { readWrittenEvents } from './replies';
import { recordReminderScript } from './scripts/audit-scripts';
import { runUserScript } from './scripts/user-functions';
import { readUsersWithSets, type UserWithSet } from './users-with-sets';

/**
 * Stops at a partition that fails. If it has recorded reminders by then, it returns their events
 * instead of throwing: a recorded reminder is never returned again, and the next call meets the
 * fault.
 */
export async function recordReminders(
  keyspace: RedisKeyspace,
  request: RemindersRequest,
): Promise<readonly AuditEvent[]> {
  const events: AuditEvent[] = [];
  const faults: unknown[] = [];
  for (let partition = 0; partition < PARTITIONS && faults.length === 0; partition += 1) {
    try {
      await recordInPartition(keyspace, partition, { request, events, faults });
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0 && events.length === 0) throw faults[0];
  return events;
}

interface Recording {
  readonly request: RemindersRequest;
  readonly events: AuditEvent[];
  readonly faults: unknown[];
}

async function recordInPartition(
  keyspace: RedisKeyspace,
  partition: number,
  { request, events, faults }: Recording,
): Promise<void> {
  const { namespace } = request;
  const maxScore = request.now + longestLead(request);
  for await (const users of readUsersWithSets(keyspace, { partition, maxScore, namespace })) {
    const results = await Promise.allSettled(
      users.map((user) => recordReminder(keyspace, user, request)),
    );
    for (const result of results) {
      if (result.status === 'fulfilled') events.push(...result.value);
      else faults.push(result.reason);
    }
  }
}

async function recordReminder(
  keyspace: RedisKeyspace,
  user: UserWithSet,
  request: RemindersRequest,
): Promise<readonly AuditEvent[]> {
  const { userId, setId, createdAt, expiresAt, remaining, total } = user;
  const { namespace, now, leadsMs, toEvent } = request;
  const passed = remindersPassed({ createdAt, expiresAt, now, leadsMs });
  if (passed === 0 || expiresAt === null) return [];
  const type = passed === leadsMs.length ? 'expired' : 'expiring';
  const event = toEvent({ type, userId, setId, remaining, total });
  // The user is listed again when the next reminder is due, and never after the last.
  const nextLead = leadsMs[passed];
  const score = nextLead === undefined ? '+inf' : expiresAt - nextLead + longestLead(request);
  const reply = await runUserScript(keyspace, recordReminderScript, {
    subjectKey: userKey(userId, namespace),
    request: { setId, passed, score: String(score), event: JSON.stringify(event) },
  });
  return readWrittenEvents(reply);
}

function longestLead({ leadsMs }: RemindersRequest): number {
  return leadsMs[0] ?? 0;
}
