// Consumes a code on PostgreSQL in one statement, with its events: all of it is done, or nothing.
import { sql } from 'kysely';
import type { ConsumeRequest } from '../stores/requests';
import { countConsumed, isUsableSet, markConsumed } from './consumable';
import type { Database, Statement, Tables } from './database';
import { eventRow } from './event-rows';
import { readNumber, type NewRow } from './rows';
import { codeRow } from './set-rows';
import { isUnchanged } from './unchanged-user';

/** Of the set, after the code was consumed. */
export interface SetCounts {
  readonly remaining: number;
  readonly total: number;
}

/** @returns `null` if the statement changed nothing, and a transaction must decide */
export async function consumeOnPostgres(
  database: Database,
  request: ConsumeRequest,
): Promise<SetCounts | null> {
  const { rows } = await database.write(consumeAndRecord(database.tables, request));
  const row = rows[0];
  return row ? { remaining: readNumber(row, 'remaining'), total: readNumber(row, 'total') } : null;
}

/**
 * Each step runs only if the one before it found its row. The first one takes the lock, as the
 * first statement of the transaction does.
 */
function consumeAndRecord(tables: Tables, request: ConsumeRequest): Statement {
  return sql`
    WITH locked AS (
      SELECT user_key
      FROM ${tables.users}
      WHERE ${isUsableSet(request)}
        AND ${isUnchanged(tables, request.subject)}
      FOR UPDATE
    ),
    marked AS (
      ${markConsumed(tables, request)}
        AND EXISTS (SELECT FROM locked)
      RETURNING code_id
    ),
    counted AS (
      ${countConsumed(tables, request)}
      WHERE user_key = ${request.subject.key}
        AND EXISTS (SELECT FROM marked)
      RETURNING remaining, total
    ),
    ${addReplacement(tables, request)}
    recorded AS (
      ${recordEvents(tables, request)}
    )
    SELECT remaining, total
    FROM counted`;
}

function addReplacement(
  tables: Tables,
  { subject, setId, now, replacement }: ConsumeRequest,
): Statement {
  if (!replacement) return sql``;
  const row = codeRow(replacement, { subject, setId, createdAt: now });
  return sql`
    added AS (
      INSERT INTO ${tables.codes} (${columnsOf(row)})
      SELECT ${sql.join(Object.values(row))}
      FROM counted
    ),`;
}

/**
 * The rows come as JSON, because the columns give its fields their types. A milestone has the
 * `remaining` at which it is reached.
 */
function recordEvents({ events }: Tables, request: ConsumeRequest): Statement {
  const rows = [
    ...request.events.map((event) => eventRow({ ...event, remaining: null })),
    ...request.milestones.map(({ event, remaining }) => eventRow({ ...event, remaining })),
  ];
  const columns = Object.keys(rows[0] ?? {});
  const sources = columns.map((name) =>
    sql.ref(name === 'remaining' || name === 'total' ? `counted.${name}` : `event.${name}`),
  );
  return sql`
      INSERT INTO ${events} (${sql.join(columns.map((name) => sql.ref(name)))})
      SELECT ${sql.join(sources)}
      FROM counted
      CROSS JOIN json_populate_recordset(
        CAST(NULL AS ${events}),
        CAST(${JSON.stringify(rows)} AS json)
      ) AS event
      WHERE COALESCE(event.remaining, counted.remaining) = counted.remaining`;
}

function columnsOf(row: NewRow): Statement {
  return sql.join(Object.keys(row).map((name) => sql.ref(name)));
}
