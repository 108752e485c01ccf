// Removes everything that is stored for a user, in one transaction.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { AuditEvent } from '../audit/events';
import type { ForgetRequest } from '../stores/requests';
import type { Database, RunStatement } from './database';
import { insertEvents } from './event-rows';
import { recordedTransaction } from './repeatable-transaction';

export function forgetUser(
  database: Database,
  { subject, audit, event }: ForgetRequest,
): Promise<readonly AuditEvent[]> {
  const { tables } = database;
  const isOfUser = sql`user_key = ${subject.key}`;
  const forgetEvents =
    audit === 'erase'
      ? sql`
        DELETE FROM ${tables.events}
        WHERE ${isOfUser}`
      : sql`
        UPDATE ${tables.events}
        SET user_key = NULL,
          user_id = NULL,
          details = NULL,
          ip = NULL,
          user_agent = NULL,
          request_id = NULL,
          actor = NULL
        WHERE ${isOfUser}`;
  return recordedTransaction(database, {
    events: [event],
    work: async (run) => {
      // The user's row comes first: it is the lock that every change of a set or a counter waits for.
      const user = await run(sql`
      DELETE FROM ${tables.users}
      WHERE ${isOfUser}`);
      const counters = await run(sql`
      DELETE FROM ${tables.networks}
      WHERE ${isOfUser}`);
      const codes = await run(sql`
      DELETE FROM ${tables.codes}
      WHERE ${isOfUser}`);
      if (audit === 'anonymize') await renameCountedEvents(run, { database, subject });
      const events = await run(forgetEvents);
      const removed = [user, counters, codes, events];
      if (removed.every(({ affected }) => affected === 0)) return [];
      await run(insertEvents(tables, [event]));
      return [event];
    },
  });
}

interface OfUser {
  readonly database: Database;
  readonly subject: ForgetRequest['subject'];
}

/** The id of an event that counts refusals is made from the user's key: it gets another one. */
async function renameCountedEvents(
  run: RunStatement,
  { database, subject }: OfUser,
): Promise<void> {
  const { events } = database.tables;
  const { rows } = await run(sql`
    SELECT seq
    FROM ${events}
    WHERE user_key = ${subject.key}
      AND refusals IS NOT NULL`);
  for (const { seq } of rows) {
    await run(sql`
      UPDATE ${events}
      SET event_id = ${randomUUID()}
      WHERE seq = ${seq}`);
  }
}
