// Removes old events from every partition, a limited number in each script.
import type { PruneRequest } from '../stores/audit-contract';
import { runScript } from './client';
import { partitionKeys, PARTITIONS } from './keys';
import type { RedisKeyspace } from './redis-options';
import { readList, readNumber, readText } from './replies';
import { pruneScript } from './scripts/audit-scripts';

const BATCH = 500;

/** @returns how many events were removed */
export async function pruneEvents(keyspace: RedisKeyspace, request: PruneRequest): Promise<number> {
  let removed = 0;
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    removed += await prunePartition(keyspace, partition, request);
  }
  return removed;
}

/** Stops at the first batch without an old event: the stream is roughly in the order of time. */
async function prunePartition(
  { client, prefix }: RedisKeyspace,
  partition: number,
  { before }: PruneRequest,
): Promise<number> {
  const { events, refusals } = partitionKeys(prefix, partition);
  let removed = 0;
  let from = '';
  for (;;) {
    const reply = await runScript(client, pruneScript, {
      keys: [events, refusals],
      request: { before, from, count: BATCH },
    });
    const [removedNow, last] = readList(reply);
    if (readNumber(removedNow) === 0) return removed;
    removed += readNumber(removedNow);
    from = readText(last);
  }
}
