// Forgets a user: the events first, a limited number in each script, and everything else in the
// last one. If it stops half way, the user is still recorded, and a second call completes the
// first.
import { anonymousEvent, type AuditEvent } from '../audit/events';
import type { ForgetRequest } from '../stores/requests';
import { runScript } from './client';
import { readStream, type StreamEntry } from './event-stream';
import { anonymousEventsKey, partitionKeys, partitionOf } from './keys';
import type { RedisKeyspace } from './redis-options';
import { readList, readNumber, readText, readWrittenEvents } from './replies';
import { forgetScript } from './scripts/account-scripts';
import { forgetEventsScript } from './scripts/audit-scripts';
import { findScript } from './scripts/set-scripts';
import { runUserScript } from './scripts/user-functions';

/** How many entries one script reads. */
const BATCH = 500;

export async function forgetUser(
  keyspace: RedisKeyspace,
  { subject, audit, event }: ForgetRequest,
): Promise<readonly AuditEvent[]> {
  const { key, userId, namespace } = subject;
  const partition = partitionOf(key);
  const isStored =
    readList(await runUserScript(keyspace, findScript, { subjectKey: key })).length > 0;
  let from = '';
  let removedEvents = 0;
  for (;;) {
    const { entries, last, isAtEnd } = await readStream(keyspace, {
      partition,
      order: 'oldest-first',
      from,
      count: BATCH,
      namespace,
      subject,
      types: null,
    });
    from = last;
    if (entries.length > 0) {
      removedEvents += await forgetEvents(keyspace, { partition, entries, audit });
    }
    if (!isAtEnd) continue;
    const reply = await runUserScript(keyspace, forgetScript, {
      subjectKey: key,
      request: {
        userId,
        namespace,
        from,
        // If the user was stored and is not any more, another call has forgotten it meanwhile.
        hasOnlyEvents: !isStored && removedEvents > 0,
        event: JSON.stringify(event),
      },
    });
    const [outcome, written] = readList(reply);
    if (readText(outcome) === 'done') return readWrittenEvents(written);
  }
}

interface ForgottenEvents {
  readonly partition: number;
  readonly entries: readonly StreamEntry[];
  readonly audit: ForgetRequest['audit'];
}

/** @returns how many events were removed */
async function forgetEvents(
  { client, prefix }: RedisKeyspace,
  { partition, entries, audit }: ForgottenEvents,
): Promise<number> {
  const { events, refusals } = partitionKeys(prefix, partition);
  const removed = await runScript(client, forgetEventsScript, {
    keys: [events, anonymousEventsKey(prefix, partition), refusals],
    request: {
      entries: entries.map(({ name, event }) => ({
        name,
        id: event.id,
        anonymous: audit === 'erase' ? undefined : JSON.stringify(anonymousEvent(event)),
      })),
    },
  });
  return readNumber(removed);
}
