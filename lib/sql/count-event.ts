// Counts a refusal in the event of an earlier one, or writes an event: one statement.
import { sql } from 'kysely';
import type { AuditEvent } from '../audit/events';
import type { Database, RunStatement } from './database';
import { insertEvents } from './event-rows';
import { readNumber } from './rows';

export interface CountedEvent {
  readonly database: Database;
  readonly event: AuditEvent;
}

/** @returns the event if it was written */
export async function countEvent(
  run: RunStatement,
  { database, event }: CountedEvent,
): Promise<readonly AuditEvent[]> {
  const { tables } = database;
  const written = { ...event, refusals: 1 };
  const insert = insertEvents(tables, [written]);
  if (database.dialect === 'mysql') {
    // The server reports one row for a new event, and two for one that has changed.
    const { affected } = await run(sql`
      ${insert}
      ON DUPLICATE KEY UPDATE refusals = refusals + 1`);
    return affected === 1 ? [written] : [];
  }
  const { rows } = await run(sql`
    ${insert}
    ON CONFLICT (event_id) DO UPDATE
    SET refusals = ${tables.events}.refusals + 1
    RETURNING refusals`);
  return readNumber(rows[0], 'refusals') === 1 ? [written] : [];
}
