// Reads the audit trail in commit order.
//
// `seq` is assigned when a row is inserted, not when it is committed, and a page that ends at 7
// must not miss a 6 that commits later. SQLite has one writer, so there the two orders are the
// same. PostgreSQL numbers its transactions, and events of transactions that are not older than the
// oldest open one are withheld. On MySQL and MariaDB a page is read twice, first with uncommitted
// rows, and ends before the first of them; a pause covers the moment between taking a number and
// inserting. On Galera this is the node's own part of the order: galera-window.ts has the rest.
// Nothing waits for a lock.
import { sql } from 'kysely';
import type { EventsPage, EventsRequest } from '../stores/audit-contract';
import {
  cursorOf,
  isAfterCursor,
  readPosition,
  sortingColumns,
  windowCursor,
} from './cursor-position';
import type { Database, Row, Statement } from './database';
import { readEvent } from './event-rows';
import { moveForeignEvents } from './foreign-transactions';
import {
  ARRIVAL_SECONDS,
  isUnread,
  moveWindow,
  parseWindow,
  serializeWindow,
} from './galera-window';

/** @throws {BackupCodeError} `invalid_cursor`, `cursor_ahead` */
export async function readEvents(database: Database, request: EventsRequest): Promise<EventsPage> {
  const { dialect, tables } = database;
  const { namespace, order, after, limit } = request;
  if (dialect === 'postgres') await moveForeignEvents(database, namespace);
  if (dialect === 'mysql' && order === 'oldest-first') return readWindowed(database, request);
  const isNewestFirst = order === 'newest-first';
  const direction = sql.raw(isNewestFirst ? 'DESC' : 'ASC');
  const sorting = sortingColumns(database).map((name) => sql`${sql.ref(name)} ${direction}`);
  const conditions = [
    ...pageConditions(request),
    ...(after === null ? [] : [await isAfterCursor(database, { after, order })]),
    ...(dialect === 'postgres' && !isNewestFirst ? [IS_SETTLED_ON_POSTGRES] : []),
  ];
  const page = sql`
    FROM ${tables.events}
    WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY ${sql.join(sorting)}
    LIMIT ${sql.lit(limit)}`;
  const { rows } = await database.read(sql`SELECT * ${page}`);
  const last = rows.at(-1);
  return { events: rows.map(readEvent), cursor: last ? cursorOf(database, last) : after };
}

const IS_SETTLED_ON_POSTGRES = sql`tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`;

function pageConditions({ namespace, subject, types }: EventsRequest): Statement[] {
  const conditions: Statement[] = [sql`namespace = ${namespace ?? ''}`];
  if (subject !== null) conditions.push(sql`user_key = ${subject.key}`);
  if (types !== null) {
    // An empty list is not valid SQL. No event has an empty type.
    const listed = types.length === 0 ? [''] : [...types];
    conditions.push(sql`type IN (${sql.join(listed)})`);
  }
  return conditions;
}

/** On MySQL and MariaDB, oldest first. */
async function readWindowed(database: Database, request: EventsRequest): Promise<EventsPage> {
  const { after, limit } = request;
  const position =
    after === null ? null : await readPosition(database, { after, order: 'oldest-first' });
  const window = parseWindow(position?.window ?? '0');
  const conditions = [...pageConditions(request), isUnread(window)];
  const rows = await readSettled(
    database,
    sql`
    FROM ${database.tables.events}
    WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY seq
    LIMIT ${sql.lit(limit)}`,
  );
  const last = rows.at(-1);
  if (last === undefined) return { events: [], cursor: after };
  const newest = Math.max(Number(last['seq']), ...window.read.slice(-1));
  const settled = (await database.isGalera()) ? await readSettledId(database, newest) : newest;
  const moved = moveWindow(window, { rows, settled });
  return {
    events: rows.map(readEvent),
    cursor: windowCursor({ window: serializeWindow(moved), last, position }),
  };
}

/** The highest id, up to this one, below which no event arrives any more. */
async function readSettledId(database: Database, newest: number): Promise<number> {
  const { rows } = await database.read(sql`
    SELECT seq
    FROM ${database.tables.events}
    WHERE seq <= ${newest}
      AND written_at <= UTC_TIMESTAMP(3) - INTERVAL ${sql.lit(ARRIVAL_SECONDS)} SECOND
    ORDER BY seq DESC
    LIMIT 1`);
  return Number(rows[0]?.['seq'] ?? 0);
}

/**
 * On MySQL and MariaDB: the page up to the first row that is not committed, or was written just
 * now.
 */
async function readSettled(database: Database, page: Statement): Promise<readonly Row[]> {
  const { rows: inserted } = await database.readUncommitted(sql`
    SELECT seq, written_at <= UTC_TIMESTAMP(3) - INTERVAL 2 SECOND AS is_settled
    ${page}`);
  const settled = takeWhile(inserted, (row) => Number(row['is_settled']) === 1);
  if (settled.length === 0) return [];
  const { rows: committed } = await database.read(sql`
    SELECT *
    FROM ${database.tables.events}
    WHERE seq IN (${sql.join(settled.map((row) => row['seq']))})
    ORDER BY seq`);
  return takeWhile(committed, (row, n) => String(row['seq']) === String(settled[n]?.['seq']));
}

function takeWhile(
  rows: readonly Row[],
  belongs: (row: Row, index: number) => boolean,
): readonly Row[] {
  const end = rows.findIndex((row, index) => !belongs(row, index));
  return end < 0 ? rows : rows.slice(0, end);
}
