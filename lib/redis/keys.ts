// Where a user's data lie: in one of 64 partitions, each under a hash tag of its own, so that a script finds all it
// needs on one node of a cluster. Holds no data.
import { createHash } from 'node:crypto';

const PARTITIONS = 64;

/**
 * The keys of a script, in the order in which its first lines name them.
 *
 * | key | kind | holds |
 * |---|---|---|
 * | `{p}:user:KEY` | hash | a user's set, codes, staged set and both doors' counts, together: no count leaves before its set |
 * | `{p}:ended:KEY` | hash | by set id, the times of sets that were replaced or revoked |
 * | `{p}:events` | stream | audit events in the order of their commits: `event` is its JSON, any other field replaces the event's own |
 * | `{p}:refusals` | hash | by event id, the `refusals` of a `throttled` event once they are more than one |
 * | `{p}:sets` | sorted set | the user keys that have a set, by when it expires |
 */
export function keysOf(prefix: string, subjectKey: string): string[] {
  const partition = partitionOf(subjectKey);
  return ['user', 'ended'].map((kind) => `${prefix}{${partition}}:${kind}:${subjectKey}`)
    .concat(['events', 'refusals', 'sets'].map((kind) => `${prefix}{${partition}}:${kind}`));
}

/** Under which names that belong to nobody are counted: one key for all partitions. */
export function nameKeyKey(prefix: string): string {
  return `${prefix}name-key`;
}

function partitionOf(subjectKey: string): number {
  return createHash('sha256').update(subjectKey).digest().readUInt8(0) % PARTITIONS;
}
