// Reading the audit trail, pruning, reminders and counts over the 64 partitions. Each partition's stream is in the order of
// its commits, since a script is atomic; readers keep a position in each, and merge them by the servers' clocks.
import type { AuditEvent } from '../audit/events';
import { readCursor, writeCursor } from '../stores/cursor';
import {
  remindersPassed,
  type EventsPage,
  type EventsRequest,
  type RemindersRequest,
  type Report,
  type ReportRequest,
} from '../stores/audit-contract';
import { ReportBuilder } from '../stores/report-builder';
import { userKey } from '../stores/subject';
import { runScript, type RedisPlace } from './client';
import { keysOf, partitionKeys, partitionOf, PARTITIONS } from './keys';
import { readEvent, readList, readNumber, readText, readWritten } from './replies';
import {
  listSetsScript,
  pruneScript,
  readEventsScript,
  readUsersScript,
  remindScript,
} from './report-scripts';

/** Entries or users in one script. */
const BATCH = 500;
const POSITION = /^(\d{1,20}-\d{1,20})?$/;

interface Entry {
  /** As the stream names it: `milliseconds-counter`. */
  readonly id: string;
  readonly place: readonly [milliseconds: number, counter: number];
  readonly event: AuditEvent;
}

/** One stream, read piece by piece. */
interface Source {
  readonly partition: number;
  /** Wanted, and not on the page yet. */
  entries: Entry[];
  /** What was looked at last. */
  scannedTo: string;
  /** Up to there all that is wanted is on the page. */
  takenTo: string;
  isAtEnd: boolean;
}

export async function readEvents(place: RedisPlace, query: EventsRequest): Promise<EventsPage> {
  const { subject, types, order, after, limit } = query;
  const positions =
    after === null
      ? new Array<string>(PARTITIONS).fill('')
      : readCursor(after, { store: 'redis', count: PARTITIONS, position: POSITION });
  if (types?.length === 0) return { events: [], cursor: after };
  const partitions =
    subject === null ? positions.map((_, partition) => partition) : [partitionOf(subject.key)];
  const sources = partitions.map((partition): Source => {
    const from = positions[partition] ?? '';
    return { partition, entries: [], scannedTo: from, takenTo: from, isAtEnd: false };
  });
  // Where all are wanted, little more of each stream than its part of a page.
  const count = subject === null && types === null ? Math.ceil((2 * limit) / PARTITIONS) : BATCH;

  const page: Entry[] = [];
  while (page.length < limit) {
    const empty = sources.filter(({ entries, isAtEnd }) => entries.length === 0 && !isAtEnd);
    if (empty.length > 0)
      await Promise.all(empty.map((source) => refill(place, source, { query, count })));
    const next = firstOf(sources, order);
    const entry = next?.entries.shift();
    if (!next || !entry) break;
    next.takenTo = entry.id;
    page.push(entry);
  }
  for (const { partition, entries, scannedTo, takenTo } of sources)
    positions[partition] = entries.length === 0 ? scannedTo : takenTo;
  const isBegun = positions.some((position) => position !== '');
  return {
    events: page.map(({ event }) => event),
    cursor: isBegun ? writeCursor('redis', positions) : after,
  };
}

async function refill(
  place: RedisPlace,
  source: Source,
  { query: { subject, types, order }, count }: { query: EventsRequest; count: number },
): Promise<void> {
  while (source.entries.length === 0 && !source.isAtEnd) {
    source.takenTo = source.scannedTo;
    const { entries, looked, last } = await readEntries(place, {
      partition: source.partition,
      order,
      from: source.scannedTo,
      count,
      subject,
      types,
    });
    source.entries = entries;
    source.scannedTo = last;
    source.isAtEnd = looked < count;
  }
}

/** Of which the next entry is, by the servers' clocks. */
function firstOf(sources: readonly Source[], order: EventsRequest['order']): Source | undefined {
  const sign = order === 'oldest-first' ? 1 : -1;
  return sources.reduce<Source | undefined>((first, source) => {
    const [head, least] = [source.entries[0], first?.entries[0]];
    return head &&
      (!least || sign * (head.place[0] - least.place[0] || head.place[1] - least.place[1]) < 0)
      ? source
      : first;
  }, undefined);
}

export async function prune(place: RedisPlace, { before }: { before: number }): Promise<number> {
  let removed = 0;
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const { events, refusals } = partitionKeys(place.prefix, partition);
    for (let [from, found] = ['', BATCH]; found > 0;) {
      const reply = readList(
        await runScript(place.client, pruneScript, {
          keys: [events, refusals],
          arguments: [String(before), from, String(BATCH)],
        }),
      );
      found = readNumber(reply[0]);
      from = readText(reply[1]);
      removed += found;
    }
  }
  return removed;
}

export async function recordReminders(
  place: RedisPlace,
  { now, leadsMs, toEvent }: RemindersRequest,
): Promise<readonly AuditEvent[]> {
  const written: AuditEvent[] = [];
  const [longest = 0] = leadsMs;
  const faults: unknown[] = [];
  for (let partition = 0; partition < PARTITIONS && faults.length === 0; partition += 1) {
    try {
      for await (const users of usersOf(place, { partition, expiringBefore: now + longest })) {
        for (const reminder of await Promise.allSettled(
          users.map((user) => remindOne(place, user, { now, leadsMs, toEvent })),
        )) {
          if (reminder.status === 'rejected') faults.push(reminder.reason);
          else written.push(...reminder.value);
        }
      }
    } catch (error) {
      faults.push(error);
    }
  }
  // What is marked is never given again, so it is given now; the next call meets the fault.
  if (faults.length > 0 && written.length === 0) throw faults[0];
  return written;
}

async function remindOne(
  { client, prefix }: RedisPlace,
  { userId, setId, createdAt, expiresAt, remaining, total }: StoredUser,
  { now, leadsMs, toEvent }: RemindersRequest,
): Promise<readonly AuditEvent[]> {
  const done = remindersPassed({ createdAt, expiresAt, now, leadsMs });
  if (done === 0 || expiresAt === null) return [];
  const type = done === leadsMs.length ? 'expired' : 'expiring';
  const event = toEvent({ type, userId, setId, remaining, total });
  const [longest = 0] = leadsMs;
  const next = leadsMs[done];
  // It need not be looked at before the next reminder: who looks asks for what expires within the longest lead.
  const score = next === undefined ? '+inf' : String(expiresAt - next + longest);
  return readWritten(
    await runScript(client, remindScript, {
      keys: keysOf(prefix, userKey(userId)),
      arguments: [setId, String(done), score, JSON.stringify(event)],
    }),
  );
}

export async function report(place: RedisPlace, query: ReportRequest): Promise<Report> {
  const tally = new ReportBuilder(query);
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    for await (const users of usersOf(place, { partition, expiringBefore: Infinity })) {
      for (const user of users)
        tally.addSet({ ...user, isLocked: user.isClosed || user.attempts >= query.lockAfter });
    }
    for (let from = ''; ;) {
      const { entries, last } = await readEntries(place, {
        partition,
        order: 'newest-first',
        from,
        count: BATCH,
        subject: null,
        types: null,
      });
      for (const { event } of entries) tally.addEvent(event);
      from = last;
      if (entries.every(({ event }) => event.at < query.since)) break;
    }
  }
  return tally.build();
}

async function readEntries(
  { client, prefix }: RedisPlace,
  {
    partition,
    order,
    from,
    count,
    subject,
    types,
  }: { partition: number; from: string; count: number } & Pick<
    EventsRequest,
    'order' | 'subject' | 'types'
  >,
): Promise<{ entries: Entry[]; looked: number; last: string }> {
  const { events, refusals } = partitionKeys(prefix, partition);
  // As JSON.stringify writes them; inside a text its quotes would be escaped.
  const ofUser = subject === null ? '' : `"userId":${JSON.stringify(subject.userId)}`;
  const ofTypes = (types ?? []).map((type) => `"type":"${type}"`);
  const [last, looked, wanted] = readList(
    await runScript(client, readEventsScript, {
      keys: [events, refusals],
      arguments: [order, from, String(count), ofUser, ...ofTypes],
    }),
  );
  const entries = readList(wanted).map((given): Entry => {
    const [named, counted, fields] = readList(given);
    const id = readText(named);
    const [milliseconds, counter] = id.split('-');
    return {
      id,
      place: [Number(milliseconds), Number(counter)],
      event: readEvent(fields, counted),
    };
  });
  return { entries, looked: readNumber(looked), last: readText(last) };
}

/** A user as the reports need it. */
interface StoredUser {
  readonly userId: string;
  readonly setId: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly remaining: number;
  readonly total: number;
  readonly lastConsumedAt: number | null;
  readonly pepperId: string | null;
  readonly hasher: string;
  readonly isClosed: boolean;
  /** The more of the two channels. */
  readonly attempts: number;
}

const USER_FIELDS = [
  'userId',
  'setId',
  'createdAt',
  'expiresAt',
  'remaining',
  'total',
  'lastConsumedAt',
  'pepperId',
  'hasher',
  'second_factor:lockedAt',
  'recovery:lockedAt',
  'second_factor:attempts',
  'recovery:attempts',
];

/** The users of a partition who have a set, some at a time. Those listed are read before any of them is changed. */
async function* usersOf(
  { client, prefix }: RedisPlace,
  { partition, expiringBefore }: { partition: number; expiringBefore: number },
): AsyncGenerator<StoredUser[]> {
  const { sets } = partitionKeys(prefix, partition);
  const max = expiringBefore === Infinity ? '+inf' : String(expiringBefore);
  const keys: string[] = [];
  for (;;) {
    const listed = readList(
      await runScript(client, listSetsScript, {
        keys: [sets],
        arguments: [max, String(keys.length), String(BATCH)],
      }),
    ).map(readText);
    keys.push(...listed);
    if (listed.length < BATCH) break;
  }
  for (let at = 0; at < keys.length; at += BATCH) {
    const reply = readList(
      await runScript(client, readUsersScript, {
        keys: keys.slice(at, at + BATCH),
        arguments: USER_FIELDS,
      }),
    );
    yield reply
      .map((given) => readUser(readList(given).map(readText)))
      .filter((user) => user !== null);
  }
}

/** `null` where the set has ended meanwhile. */
function readUser([
  userId = '',
  setId = '',
  createdAt,
  expiresAt,
  remaining,
  total,
  lastConsumedAt,
  pepperId = '',
  hasher = '',
  ...channels
]: readonly string[]): StoredUser | null {
  if (setId === '') return null;
  const [secondFactorLocked, recoveryLocked, ...attempts] = channels;
  return {
    userId,
    setId,
    createdAt: readNumber(createdAt),
    expiresAt: expiresAt === '' ? null : readNumber(expiresAt),
    remaining: readNumber(remaining),
    total: readNumber(total),
    lastConsumedAt: lastConsumedAt === '' ? null : readNumber(lastConsumedAt),
    pepperId: pepperId === '' ? null : pepperId,
    hasher,
    isClosed: secondFactorLocked !== '' || recoveryLocked !== '',
    attempts: Math.max(...attempts.map((count) => readNumber(count === '' ? '0' : count))),
  };
}
