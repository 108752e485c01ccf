// The audit trail of `MemoryStore`: events in the order of their changes, numbered, so that a cursor outlives pruning.
import type { AuditEvent } from '../audit/events';
import { readCursor, writeCursor } from './cursor';
import type { BackupCodeReports, EventsPage } from './audit-contract';

interface Entry {
  readonly seq: number;
  readonly event: AuditEvent;
}

export class MemoryTrail {
  private entries: Entry[] = [];
  private written = 0;

  get events(): readonly AuditEvent[] {
    return this.entries.map(({ event }) => event);
  }

  push(...events: readonly AuditEvent[]): void {
    for (const event of events) this.entries.push({ seq: (this.written += 1), event });
  }

  read({
    subject,
    types,
    order,
    after,
    limit,
  }: Parameters<BackupCodeReports['readEvents']>[0]): EventsPage {
    const position =
      after === null
        ? null
        : Number(readCursor(after, { store: 'memory', count: 1, position: /^\d{1,15}$/ })[0]);
    const isNewestFirst = order === 'newest-first';
    const page = (isNewestFirst ? this.entries.toReversed() : this.entries)
      .filter(({ seq }) => position === null || (isNewestFirst ? seq < position : seq > position))
      .filter(
        ({ event }) =>
          (subject === null || event.userId === subject.userId) &&
          (types === null || types.includes(event.type)),
      )
      .slice(0, limit);
    const last = page.at(-1);
    return {
      events: page.map(({ event }) => event),
      cursor: last ? writeCursor('memory', [String(last.seq)]) : after,
    };
  }

  prune(before: number): number {
    const kept = this.entries.filter(({ event }) => event.at >= before);
    const removed = this.entries.length - kept.length;
    this.entries = kept;
    return removed;
  }
}
