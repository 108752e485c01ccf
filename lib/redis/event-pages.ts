// Pages of the audit trail over all partitions. A script is atomic, so each stream is in the order
// of its commits. A cursor holds a position in each stream; a page merges them by the servers'
// clocks.
import type { EventsPage, EventsRequest } from '../stores/audit-contract';
import { readCursor, writeCursor } from '../stores/cursor';
import { readStream, type StreamEntry } from './event-stream';
import { PARTITIONS, partitionOf } from './keys';
import type { RedisKeyspace } from './redis-options';

/** How many entries to look at in one script, if only some of them are asked for. */
const BATCH = 500;
/** An empty position is the beginning of the stream. */
const CURSOR = { store: 'redis', count: PARTITIONS, position: /^(\d{1,20}-\d{1,20})?$/ };

/** How far the stream of a partition has been read. */
interface StreamPosition {
  readonly partition: number;
  /** Entries that were read and are not on the page yet. */
  pending: StreamEntry[];
  /** The last entry that was looked at. */
  lookedAt: string;
  /** Every entry up to this one is on the page, or was not asked for. */
  delivered: string;
  isAtEnd: boolean;
}

/** @throws {BackupCodeError} `invalid_cursor`, `cursor_ahead` */
export async function readEventsPage(
  keyspace: RedisKeyspace,
  request: EventsRequest,
): Promise<EventsPage> {
  const { namespace, subject, types, order, after, limit } = request;
  const cursor =
    after === null ? new Array<string>(PARTITIONS).fill('') : readCursor(after, CURSOR);
  if (types?.length === 0) return { events: [], cursor: after };
  const partitions = subject === null ? cursor.keys() : [partitionOf(subject.key)];
  const streams = Array.from(partitions, (partition) => positionAt(partition, cursor));
  // If every event is asked for, each stream adds about as many to the page as any other.
  const isEverything = namespace === null && subject === null && types === null;
  const count = isEverything ? Math.ceil((2 * limit) / PARTITIONS) : BATCH;

  const page: StreamEntry[] = [];
  while (page.length < limit) {
    const empty = streams.filter(({ pending, isAtEnd }) => pending.length === 0 && !isAtEnd);
    await Promise.all(empty.map((stream) => readOn(keyspace, stream, { ...request, count })));
    const next = nextStream(streams, order);
    const entry = next?.pending.shift();
    if (!next || !entry) break;
    next.delivered = entry.name;
    page.push(entry);
  }

  for (const { partition, pending, lookedAt, delivered } of streams) {
    cursor[partition] = pending.length === 0 ? lookedAt : delivered;
  }
  const hasBegun = cursor.some((position) => position !== '');
  return {
    events: page.map(({ event }) => event),
    cursor: hasBegun ? writeCursor(CURSOR.store, cursor) : after,
  };
}

function positionAt(partition: number, cursor: readonly string[]): StreamPosition {
  const from = cursor[partition] ?? '';
  return { partition, pending: [], lookedAt: from, delivered: from, isAtEnd: false };
}

/** Reads on until there is an entry for the page, or the stream ends. */
async function readOn(
  keyspace: RedisKeyspace,
  stream: StreamPosition,
  request: EventsRequest & { readonly count: number },
): Promise<void> {
  const { namespace, subject, types, order, count } = request;
  while (stream.pending.length === 0 && !stream.isAtEnd) {
    stream.delivered = stream.lookedAt;
    const { entries, last, isAtEnd } = await readStream(keyspace, {
      partition: stream.partition,
      from: stream.lookedAt,
      count,
      namespace,
      subject,
      types,
      order,
    });
    stream.pending = entries;
    stream.lookedAt = last;
    stream.isAtEnd = isAtEnd;
  }
}

/** The stream with the next entry in order. */
function nextStream(
  streams: readonly StreamPosition[],
  order: EventsRequest['order'],
): StreamPosition | undefined {
  let next: StreamPosition | undefined;
  for (const stream of streams) {
    const entry = stream.pending[0];
    const nextEntry = next?.pending[0];
    if (!entry) continue;
    if (!nextEntry || isBefore(entry, nextEntry, order)) next = stream;
  }
  return next;
}

function isBefore(a: StreamEntry, b: StreamEntry, order: EventsRequest['order']): boolean {
  const difference = a.time - b.time || a.counter - b.counter;
  return order === 'oldest-first' ? difference < 0 : difference > 0;
}
