// Where a user's data lie: in one of 64 partitions, each under a hash tag of its own, so that a script finds all it
// needs on one node of a cluster. Holds no data.
import { createHash } from 'node:crypto';

export const PARTITIONS = 64;

/**
 * The keys of a script, in the order in which its first lines name them.
 *
 * | key | kind | holds |
 * |---|---|---|
 * | `{p}:user:KEY` | hash | a user's set, codes, staged set and both channels' counts, together: no count leaves before its set |
 * | `{p}:ended:KEY` | hash | by set id, the times of sets that were replaced or revoked |
 * | `{p}:events` | stream | audit events in the order of their commits: `event` is its JSON, any other field replaces the event's own |
 * | `{p}:refusals` | hash | by event id, the `refusals` of a `throttled` event once they are more than one |
 * | `{p}:sets` | sorted set | the user keys that have a set, by when it expires; by later, or never, once the owner was reminded of that |
 */
export function keysOf(prefix: string, subjectKey: string): string[] {
  const partition = partitionOf(subjectKey);
  const { events, refusals, sets } = partitionKeys(prefix, partition);
  return ['user', 'ended']
    .map((kind) => `${prefix}{${partition}}:${kind}:${subjectKey}`)
    .concat([events, refusals, sets]);
}

/** What a partition holds of all its users together. */
export function partitionKeys(
  prefix: string,
  partition: number,
): { events: string; refusals: string; sets: string } {
  const keyOf = (kind: string): string => `${prefix}{${partition}}:${kind}`;
  return { events: keyOf('events'), refusals: keyOf('refusals'), sets: keyOf('sets') };
}

/** Under which names that belong to nobody are counted: one key for all partitions. */
export function nameKeyKey(prefix: string): string {
  return `${prefix}name-key`;
}

export function partitionOf(subjectKey: string): number {
  return createHash('sha256').update(subjectKey).digest().readUInt8(0) % PARTITIONS;
}
