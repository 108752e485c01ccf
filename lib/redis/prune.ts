// Removes old events from every partition, and users who have had no set since, a limited number in
// each script.
import type { PruneRequest } from '../stores/audit-contract';
import { runScript } from './client';
import { anonymousEventsKey, partitionKeys, PARTITIONS, subjectKeyOf } from './keys';
import type { RedisKeyspace } from './redis-options';
import { readList, readNumber, readText } from './replies';
import { removeUserScript } from './scripts/account-scripts';
import { pruneScript } from './scripts/audit-scripts';
import { runUserScript } from './scripts/user-functions';
import { listUserKeys } from './users-with-sets';

const BATCH = 500;

/** @returns how many events were removed */
export async function prune(keyspace: RedisKeyspace, request: PruneRequest): Promise<number> {
  let removed = 0;
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    removed += await pruneEvents(keyspace, partition, request);
    if (request.usersWithoutSet) await pruneUsers(keyspace, partition, request);
  }
  return removed;
}

/** Stops at the first batch without an old event: the stream is roughly in the order of time. */
async function pruneEvents(
  { client, prefix }: RedisKeyspace,
  partition: number,
  { namespace, before }: PruneRequest,
): Promise<number> {
  const { events, refusals } = partitionKeys(prefix, partition);
  let removed = 0;
  let from = '';
  for (;;) {
    const reply = await runScript(client, pruneScript, {
      keys: [events, anonymousEventsKey(prefix, partition), refusals],
      request: { namespace, before, from, count: BATCH },
    });
    const [removedNow, old, last] = readList(reply);
    if (readNumber(old) === 0) return removed;
    removed += readNumber(removedNow);
    from = readText(last);
  }
}

async function pruneUsers(
  keyspace: RedisKeyspace,
  partition: number,
  { namespace, before, lockAfter }: PruneRequest,
): Promise<void> {
  const { client, prefix } = keyspace;
  const { withoutSet } = partitionKeys(prefix, partition);
  const keys = await listUserKeys(client, withoutSet, before - 1);
  for (let start = 0; start < keys.length; start += BATCH) {
    const batch = keys.slice(start, start + BATCH);
    await Promise.all(
      batch.map((key) =>
        runUserScript(keyspace, removeUserScript, {
          subjectKey: subjectKeyOf(key),
          request: { namespace, before, lockAfter },
        }),
      ),
    );
  }
}
