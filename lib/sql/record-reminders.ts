// Marks the sets for which a reminder is due, and writes its event in the same transaction.
import { sql } from 'kysely';
import type { AuditEvent } from '../audit/events';
import { remindersPassed, type DueSet, type RemindersRequest } from '../stores/audit-contract';
import type { Database, Row, RunStatement } from './database';
import { insertEvents } from './event-rows';
import { readNumber, readText } from './rows';
import type { Tables } from './database';

/** Sets that one transaction marks. A login of their users waits for it. */
const MARKED_AT_ONCE = 100;

export async function recordReminders(
  database: Database,
  request: RemindersRequest,
): Promise<readonly AuditEvent[]> {
  const events: AuditEvent[] = [];
  try {
    for await (const batch of recordBatches(database, request)) events.push(...batch);
  } catch (error) {
    // What is recorded is never returned again, so it is returned now. The next call meets the
    // fault.
    if (events.length === 0) throw error;
  }
  return events;
}

/** One transaction for each batch. */
async function* recordBatches(
  database: Database,
  request: RemindersRequest,
): AsyncGenerator<readonly AuditEvent[]> {
  const { tables } = database;
  const { namespace, now, leadsMs } = request;
  const isDue = leadsMs.map(
    (leadMs) => sql`
      expires_at <= ${now + leadMs} AND created_at < expires_at - ${database.bigint(leadMs)}`,
  );
  for (const [reminded, leadMs] of leadsMs.entries()) {
    // The sets with this many reminders recorded, in the order of the index.
    let page = sql`expires_at <= ${now + leadMs}`;
    for (;;) {
      const { rows } = await database.read(sql`
        SELECT user_key, user_id, set_id, created_at, expires_at
        FROM ${tables.users}
        WHERE namespace = ${namespace ?? ''}
          AND reminded = ${reminded}
          AND ${page}
          AND revoked_at IS NULL
          AND set_id IS NOT NULL
          AND (${sql.join(isDue.slice(reminded), sql` OR `)})
        ORDER BY expires_at, user_key
        LIMIT ${sql.lit(MARKED_AT_ONCE)}`);
      const last = rows.at(-1);
      if (!last) break;
      const lastExpiresAt = database.bigint(readNumber(last, 'expires_at'));
      page = sql`expires_at <= ${now + leadMs}
          AND (expires_at, user_key) > (${lastExpiresAt}, ${last['user_key']})`;
      yield database.transaction((run) => recordBatch(run, { tables, rows, request }));
    }
  }
}

interface Batch {
  readonly tables: Tables;
  readonly rows: readonly Row[];
  readonly request: RemindersRequest;
}

/** In the order in which the rows were read, so that two callers cannot deadlock. */
async function recordBatch(
  run: RunStatement,
  { tables, rows, request }: Batch,
): Promise<readonly AuditEvent[]> {
  const { now, leadsMs, toEvent } = request;
  const marked = new Map<unknown, Omit<DueSet, 'remaining' | 'total'>>();
  for (const row of rows) {
    const setId = String(row['set_id']);
    const createdAt = readNumber(row, 'created_at');
    const expiresAt = readNumber(row, 'expires_at');
    const passed = remindersPassed({ createdAt, expiresAt, now, leadsMs });
    const { affected } = await run(sql`
      UPDATE ${tables.users}
      SET reminded = ${passed}
      WHERE user_key = ${row['user_key']}
        AND set_id = ${setId}
        AND revoked_at IS NULL
        AND reminded < ${passed}`);
    if (affected !== 1) continue;
    const type = passed === leadsMs.length ? 'expired' : 'expiring';
    marked.set(row['user_key'], { type, userId: readText(row, 'user_id') ?? '', setId });
  }
  if (marked.size === 0) return [];
  const { rows: counts } = await run(sql`
    SELECT user_key, remaining, total
    FROM ${tables.users}
    WHERE user_key IN (${sql.join([...marked.keys()])})`);
  const countsByUser = new Map(counts.map((row) => [row['user_key'], row]));
  const events = [...marked].map(([user, set]) => {
    const row = countsByUser.get(user);
    const remaining = readNumber(row, 'remaining');
    const total = readNumber(row, 'total');
    return toEvent({ ...set, remaining, total });
  });
  await run(insertEvents(tables, events));
  return events;
}
