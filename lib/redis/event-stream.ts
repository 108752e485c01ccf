// Reads a part of one partition's stream of audit events.
import type { AuditEvent } from '../audit/events';
import type { EventsRequest } from '../stores/audit-contract';
import { cursorAhead } from '../stores/cursor';
import { runScript } from './client';
import { anonymousEventsKey, partitionKeys } from './keys';
import type { RedisKeyspace } from './redis-options';
import { readEvent, readList, readNumber, readText } from './replies';
import { readEventsScript } from './scripts/audit-scripts';

/** An entry of the stream. Redis names it `time-counter`. */
export interface StreamEntry {
  readonly name: string;
  /** By the server's clock, in milliseconds since 1970. */
  readonly time: number;
  /** Tells the entries of one millisecond apart. */
  readonly counter: number;
  readonly event: AuditEvent;
}

export interface StreamRequest extends Pick<
  EventsRequest,
  'namespace' | 'subject' | 'types' | 'order'
> {
  readonly partition: number;
  /** The name of the entry to continue after; an empty string begins at the first. */
  readonly from: string;
  /** How many entries to look at. */
  readonly count: number;
}

export interface StreamPart {
  /** The entries that were asked for. */
  readonly entries: StreamEntry[];
  /** The name of the last entry that was looked at. */
  readonly last: string;
  readonly isAtEnd: boolean;
}

/** @throws {BackupCodeError} `cursor_ahead` */
export async function readStream(
  { client, prefix }: RedisKeyspace,
  { partition, order, from, count, namespace, subject, types }: StreamRequest,
): Promise<StreamPart> {
  const { events, refusals } = partitionKeys(prefix, partition);
  // The strings are found as JSON.stringify writes them. It would escape the quotes in a value.
  const texts: string[] = [];
  if (subject !== null) texts.push(`"userId":${JSON.stringify(subject.userId)}`);
  if (namespace !== null) texts.push(`"namespace":${JSON.stringify(namespace)}`);
  const reply = await runScript(client, readEventsScript, {
    keys: [events, anonymousEventsKey(prefix, partition), refusals],
    request: { order, from, count, texts, types: types?.map((type) => `"type":"${type}"`) },
  });
  const [last, looked, found] = readList(reply);
  if (last === undefined) throw cursorAhead();
  const entries: StreamEntry[] = [];
  for (const entry of readList(found)) {
    const [nameReply, fields] = readList(entry);
    const name = readText(nameReply);
    const [time, counter] = name.split('-');
    const event = readEvent(fields);
    // The details of an event may contain the strings too.
    if (event.namespace !== namespace) continue;
    if (subject !== null && event.userId !== subject.userId) continue;
    if (types !== null && !types.includes(event.type)) continue;
    entries.push({ name, time: Number(time), counter: Number(counter), event });
  }
  return { entries, last: readText(last), isAtEnd: readNumber(looked) < count };
}
