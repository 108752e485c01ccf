// The audit trail of `MemoryStore`: events in the order of their changes. Each has a number, so
// that a cursor stays valid after pruning.
import { anonymousEvent, type AuditEvent } from '../audit/events';
import type { EventsPage, EventsRequest, PruneRequest } from './audit-contract';
import type { ForgetRequest } from './requests';
import { cursorAhead, readCursor, writeCursor } from './cursor';
import type { Subject } from './subject';

interface Entry {
  readonly seq: number;
  event: AuditEvent;
}

/**
 * The number of the last event and its time, which tells a trail from that of an earlier process.
 */
const CURSOR = { store: 'memory', count: 2, position: /^\d{1,16}$/ };

export class MemoryTrail {
  #entries: Entry[] = [];
  #lastSeq = 0;
  #ids = new Set<string>();

  get events(): readonly AuditEvent[] {
    return this.#entries.map(({ event }) => event);
  }

  push(events: readonly AuditEvent[]): void {
    for (const event of events) {
      this.#lastSeq += 1;
      this.#entries.push({ seq: this.#lastSeq, event });
      this.#ids.add(event.id);
    }
  }

  /** @returns the events that were missing, and were written */
  pushMissing(events: readonly AuditEvent[]): readonly AuditEvent[] {
    const written: AuditEvent[] = [];
    for (const event of events) {
      if (this.#ids.has(event.id)) continue;
      this.push([event]);
      written.push(event);
    }
    return written;
  }

  /** The stored events that have one of these ids, oldest first. */
  find(eventIds: readonly string[]): readonly AuditEvent[] {
    return this.events.filter(({ id }) => eventIds.includes(id));
  }

  /** @returns false if no event of this id is stored */
  addRefusal(eventId: string): boolean {
    const entry = this.#entries.findLast(({ event }) => event.id === eventId);
    if (!entry) return false;
    entry.event = { ...entry.event, refusals: (entry.event.refusals ?? 0) + 1 };
    return true;
  }

  /** @throws {BackupCodeError} `invalid_cursor`, `cursor_ahead` */
  read({ namespace, subject, types, order, after, limit }: EventsRequest): EventsPage {
    const isNewestFirst = order === 'newest-first';
    const position = after === null ? null : this.#readPosition(after);
    const isAfter = ({ seq }: Entry): boolean =>
      position === null || (isNewestFirst ? seq < position : seq > position);
    const isAskedFor = ({ event }: Entry): boolean =>
      event.namespace === namespace &&
      (subject === null || event.userId === subject.userId) &&
      (types === null || types.includes(event.type));
    const entries = isNewestFirst ? this.#entries.toReversed() : this.#entries;
    const page = entries.filter((entry) => isAfter(entry) && isAskedFor(entry)).slice(0, limit);
    const last = page.at(-1);
    return {
      events: page.map(({ event }) => event),
      cursor: last ? writeCursor(CURSOR.store, [String(last.seq), String(last.event.at)]) : after,
    };
  }

  /** @returns whether there were events of the user */
  forget({ userId, namespace }: Subject, audit: ForgetRequest['audit']): boolean {
    const isOfUser = ({ event }: Entry): boolean =>
      event.userId === userId && event.namespace === namespace;
    const hadEvents = this.#entries.some(isOfUser);
    this.#keep(
      audit === 'erase'
        ? this.#entries.filter((entry) => !isOfUser(entry))
        : this.#entries.map((entry) =>
            isOfUser(entry) ? { ...entry, event: anonymousEvent(entry.event) } : entry,
          ),
    );
    return hadEvents;
  }

  /** @returns how many events were removed */
  prune({ namespace, before }: PruneRequest): number {
    const kept = this.#entries.filter(
      ({ event }) => event.namespace !== namespace || event.at >= before,
    );
    const removed = this.#entries.length - kept.length;
    this.#keep(kept);
    return removed;
  }

  #readPosition(after: string): number {
    const [seq = 0, at] = readCursor(after, CURSOR).map(Number);
    const entry = this.#entries.find((candidate) => candidate.seq === seq);
    if (seq > this.#lastSeq || (entry && entry.event.at !== at)) throw cursorAhead();
    return seq;
  }

  #keep(entries: Entry[]): void {
    this.#entries = entries;
    this.#ids = new Set(entries.map(({ event }) => event.id));
  }
}
