// Applies exported events. A stream has no index by event id, so each partition gets one for the
// time of the replay. One script then applies the events of a user in one step.
import type { AuditEvent } from '../audit/events';
import type {
  ReplayedEvents,
  ReplayEffect,
  ReplayRequest,
  ReplayStep,
} from '../stores/replay-contract';
import { runScript } from './client';
import { anonymousEventsKey, eventIndexKey, partitionKeys, partitionOf, PARTITIONS } from './keys';
import type { RedisKeyspace } from './redis-options';
import { readList, readText, readWrittenEvents } from './replies';
import { indexEventsScript, replayScript } from './scripts/replay-scripts';
import { userScriptKeys } from './scripts/user-functions';
import { ownerFields } from './user-fields';

/** Entries that one script adds to the index. */
const BATCH = 1000;

const EFFECTS = ['consumed', 'replaced', 'revoked', 'locked'] as const satisfies ReplayEffect[];

export async function replayEvents(
  keyspace: RedisKeyspace,
  request: ReplayRequest,
): Promise<ReplayedEvents> {
  const { subject, steps } = request;
  const stored = await findStoredIds(keyspace, request);
  if (subject !== null) return replaySteps(keyspace, { subjectKey: subject.key, request, stored });
  const written: AuditEvent[] = [];
  for (const [subjectKey, ofPartition] of groupByPartition(steps)) {
    const part = { subject, steps: ofPartition };
    const replayed = await replaySteps(keyspace, { subjectKey, request: part, stored });
    written.push(...replayed.written);
  }
  return { written, effects: [], hasLostSet: false };
}

interface StepsToReplay {
  readonly subjectKey: string;
  readonly request: ReplayRequest;
  readonly stored: ReadonlySet<string>;
}

async function replaySteps(
  { client, prefix }: RedisKeyspace,
  { subjectKey, request: { subject, steps }, stored }: StepsToReplay,
): Promise<ReplayedEvents> {
  const index = eventIndexKey(prefix, partitionOf(subjectKey));
  const reply = await runScript(client, replayScript, {
    keys: [...userScriptKeys(prefix, subjectKey), index],
    request: {
      owner: subject === null ? [] : ownerFields(subject),
      steps: steps.map(({ event, change }) => ({
        event: JSON.stringify(event),
        id: event.id,
        at: event.at,
        refusals: event.refusals ?? undefined,
        remaining: event.remaining ?? undefined,
        total: event.total ?? undefined,
        change: change ?? undefined,
        isStored: stored.has(event.id),
      })),
    },
  });
  const [written, effects, lost] = readList(reply);
  return {
    written: readWrittenEvents(written),
    effects: readList(effects).map(readEffect),
    hasLostSet: readText(lost) === 'lost',
  };
}

function readEffect(reply: unknown): ReplayEffect {
  const text = readText(reply);
  return EFFECTS.find((effect) => effect === text) ?? 'consumed';
}

/** Events without a user: the id of each chooses its partition, as when it was first written. */
function groupByPartition(steps: readonly ReplayStep[]): Map<string, ReplayStep[]> {
  const firstIds = new Map<number, string>();
  const groups = new Map<string, ReplayStep[]>();
  for (const step of steps) {
    const { id } = step.event;
    const partition = partitionOf(id);
    const firstId = firstIds.get(partition) ?? id;
    firstIds.set(partition, firstId);
    groups.set(firstId, [...(groups.get(firstId) ?? []), step]);
  }
  return groups;
}

async function findStoredIds(
  keyspace: RedisKeyspace,
  { subject, steps }: ReplayRequest,
): Promise<ReadonlySet<string>> {
  if (steps.length === 0) return new Set();
  const events = steps.map(({ event }) => event);
  if (subject !== null)
    return new Set(await findInPartition(keyspace, partitionOf(subject.key), events));
  // An event without a user may have been one of a user, and is in that user's partition.
  const found = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) =>
      findInPartition(keyspace, partition, events),
    ),
  );
  return new Set(found.flat());
}

/** Brings the index of the partition up to date first. */
async function findInPartition(
  { client, prefix }: RedisKeyspace,
  partition: number,
  events: readonly AuditEvent[],
): Promise<string[]> {
  const { events: stream, refusals } = partitionKeys(prefix, partition);
  const keys = [
    stream,
    anonymousEventsKey(prefix, partition),
    refusals,
    eventIndexKey(prefix, partition),
  ];
  const request = { ids: events.map(({ id }) => id), count: BATCH };
  for (;;) {
    const [outcome, found] = readList(
      await runScript(client, indexEventsScript, { keys, request }),
    );
    if (readText(outcome) === 'done') return readList(found).map(readText);
  }
}
