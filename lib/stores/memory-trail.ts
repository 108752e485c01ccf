// The audit trail of `MemoryStore`: events in the order of their changes. Each has a number, so
// that a cursor stays valid after pruning.
import { anonymousEvent, type AuditEvent } from '../audit/events';
import type { EventsPage, EventsRequest, PruneRequest } from './audit-contract';
import type { ForgetRequest } from './requests';
import { readCursor, writeCursor } from './cursor';
import type { Subject } from './subject';

interface Entry {
  readonly seq: number;
  event: AuditEvent;
}

const CURSOR = { store: 'memory', count: 1, position: /^\d{1,15}$/ };

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

  /** @returns false if no event of this id is stored */
  addRefusal(eventId: string): boolean {
    const entry = this.#entries.findLast(({ event }) => event.id === eventId);
    if (!entry) return false;
    entry.event = { ...entry.event, refusals: (entry.event.refusals ?? 0) + 1 };
    return true;
  }

  /** @throws {BackupCodeError} `invalid_cursor` */
  read({ namespace, subject, types, order, after, limit }: EventsRequest): EventsPage {
    const position = after === null ? null : Number(readCursor(after, CURSOR)[0]);
    const isNewestFirst = order === 'newest-first';
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
      cursor: last ? writeCursor(CURSOR.store, [String(last.seq)]) : after,
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

  #keep(entries: Entry[]): void {
    this.#entries = entries;
    this.#ids = new Set(entries.map(({ event }) => event.id));
  }
}
