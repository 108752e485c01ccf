// The names of the keys. Each user belongs to one of 64 partitions, and all keys of a partition
// have the same hash tag: a script finds everything it needs on one node of a cluster.
// Redis Cluster Specification, section "Hash tags".
import { createHash } from 'node:crypto';

/** How many partitions there are. Changing it would lose every stored set. */
export const PARTITIONS = 64;

/** The keys that all users of a partition share. */
export interface PartitionKeys {
  /**
   * Stream: the audit events in the order in which they were committed. The field `event` is an
   * event as JSON; any other field replaces the event's own.
   */
  readonly events: string;
  /** Hash: by event id, the `refusals` of an event that counts them. */
  readonly refusals: string;
  /**
   * Sorted set: the `user` keys that have a set, by when it expires; `+inf` if it never does.
   * Recording a reminder raises the score, so that the set is next read when another one is due.
   */
  readonly sets: string;
  /**
   * Sorted set: the `user` keys that have no set, by when the last one ended or the first attempt
   * was made. It is what pruning users reads.
   */
  readonly withoutSet: string;
}

/** The keys of a user, and those of the user's partition. */
export interface UserKeys extends PartitionKeys {
  /**
   * Hash: the user's set, codes, staged set and the counter of the second factor. They are one key,
   * so that no counter is evicted without its set.
   */
  readonly user: string;
  /** Hash: by set id, the times of sets that were replaced or revoked. */
  readonly ended: string;
  /**
   * Sorted set: the keys of the counters on the recovery channel, by when they expire. Each is a
   * hash, named like this key with the network after it.
   */
  readonly networks: string;
}

export function userKeys(prefix: string, subjectKey: string): UserKeys {
  const partition = partitionOf(subjectKey);
  const start = `${prefix}{${partition}}`;
  return {
    user: `${start}:user:${subjectKey}`,
    ended: `${start}:ended:${subjectKey}`,
    networks: `${start}:networks:${subjectKey}`,
    ...partitionKeys(prefix, partition),
  };
}

/** The key of the subject whose `user` key this is. */
export function subjectKeyOf(userKey: string): string {
  return userKey.slice(userKey.lastIndexOf(':') + 1);
}

export function partitionKeys(prefix: string, partition: number): PartitionKeys {
  const start = `${prefix}{${partition}}`;
  return {
    events: `${start}:events`,
    refusals: `${start}:refusals`,
    sets: `${start}:sets`,
    withoutSet: `${start}:without-set`,
  };
}

/**
 * Sorted set: the events of users who were forgotten and that stay without them. An entry of a
 * stream cannot be changed, so it is removed, and its event is kept here: the padded name of the
 * entry, a space, and the event as JSON. All scores are 0. No script on a user's keys needs it.
 */
export function anonymousEventsKey(prefix: string, partition: number): string {
  return `${prefix}{${partition}}:anonymous`;
}

/**
 * Hash: the ids of stored events, while exported events are replayed, and in the field `position`
 * how far the stream is indexed. It expires an hour after the last replay.
 */
export function eventIndexKey(prefix: string, partition: number): string {
  return `${prefix}{${partition}}:event-index`;
}

/** The key of the secret that `nameKey` returns. All partitions share it. */
export function nameKeyKey(prefix: string): string {
  return `${prefix}name-key`;
}

export function partitionOf(subjectKey: string): number {
  return createHash('sha256').update(subjectKey).digest().readUInt8(0) % PARTITIONS;
}
