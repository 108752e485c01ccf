// Where a page of the audit trail begins, and whether the trail ever came that far. A cursor holds
// the numbers of an event and its time: after a restore another event may have the same number.
import { sql } from 'kysely';
import type { EventsRequest } from '../stores/audit-contract';
import { cursorAhead, readCursor, writeCursor, type CursorShape } from '../stores/cursor';
import type { Database, Row, Statement } from './database';
import { readNumber, readOptionalNumber } from './rows';
import { TABLE } from './table-names';

/** The columns that the trail is sorted by. */
export function sortingColumns({ dialect }: Database): readonly string[] {
  return dialect === 'postgres' ? ['tx', 'seq'] : ['seq'];
}

export function cursorOf(database: Database, row: Row): string {
  const columns = cursorColumns(database);
  return writeCursor(
    database.dialect,
    columns.map((column) => String(row[column])),
  );
}

/**
 * The condition for the events after the cursor. Only in the order of the commits must the trail
 * have come as far as the cursor: in the other order every event is before it.
 *
 * @throws {BackupCodeError} `invalid_cursor`, `cursor_ahead`
 */
export async function isAfterCursor(
  database: Database,
  { after, order }: { readonly after: string; readonly order: EventsRequest['order'] },
): Promise<Statement> {
  const names = cursorColumns(database);
  const shape: CursorShape = {
    store: database.dialect,
    count: names.length,
    position: /^\d{1,18}$/,
  };
  const values = readCursor(after, shape).map(Number);
  const position = new Map(names.map((name, n) => [name, values[n] ?? 0]));
  const isNewestFirst = order === 'newest-first';
  const columns = sortingColumns(database);
  const sorted = columns.map((name) => database.bigint(position.get(name) ?? 0));
  const comparison = sql.raw(isNewestFirst ? '<' : '>');
  const isAfter = sql`
    (${sql.join(columns.map((name) => sql.ref(name)))}) ${comparison} (${sql.join(sorted)})`;
  if (isNewestFirst || (await hasEvent(database, position))) return isAfter;
  // Its event was removed; or it was lost, and the transaction ids after it were given again. An
  // event with a higher number may then have a lower transaction id. It is read again rather than
  // never.
  return database.dialect === 'postgres'
    ? sql`(${isAfter} OR seq > ${database.bigint(position.get('seq') ?? 0)})`
    : isAfter;
}

function cursorColumns(database: Database): readonly string[] {
  return [...sortingColumns(database), 'at'];
}

/** By column. */
type Position = ReadonlyMap<string, number>;

/**
 * @returns whether the event of the cursor is stored
 * @throws {BackupCodeError} `cursor_ahead` if it was never stored
 */
async function hasEvent(database: Database, position: Position): Promise<boolean> {
  const { events } = database.tables;
  const seq = position.get('seq') ?? 0;
  const { rows } = await database.read(sql`
    SELECT *
    FROM ${events}
    WHERE seq = ${seq}`);
  const row = rows[0];
  if (row) {
    for (const [name, value] of position) {
      if (readNumber(row, name) !== value) throw cursorAhead();
    }
    return true;
  }
  const { rows: last } = await database.read(sql`
    SELECT MAX(seq) AS seq
    FROM ${events}`);
  const lastStored = readOptionalNumber(last[0] ?? { seq: null }, 'seq') ?? 0;
  const isAhead = seq > lastStored && seq > (await lastNumber(database));
  if (isAhead || (await isFutureTransaction(database, position.get('tx')))) throw cursorAhead();
  return false;
}

/** The last number that an event got, even if the event was removed. */
async function lastNumber(database: Database): Promise<number> {
  const { dialect, tables, names } = database;
  const name = `${names.prefix}${TABLE.events}`;
  if (dialect === 'mysql') {
    // MySQL caches what information_schema says for a day.
    const { rows } = await database.read(sql`SHOW CREATE TABLE ${tables.events}`);
    const definition = String(rows[0]?.['Create Table']);
    return Number(/\) .*\bAUTO_INCREMENT=(\d+)/.exec(definition)?.[1] ?? 1) - 1;
  }
  const qualified = names.schema === null ? name : `"${names.schema}".${name}`;
  const { rows } = await database.read(
    dialect === 'sqlite'
      ? sql`
        SELECT seq
        FROM sqlite_sequence
        WHERE name = ${name}`
      : sql`
        SELECT pg_sequence_last_value(pg_get_serial_sequence(${qualified}, 'seq')) AS seq`,
  );
  return readOptionalNumber(rows[0] ?? { seq: null }, 'seq') ?? 0;
}

/** Only PostgreSQL sorts by transactions. */
async function isFutureTransaction(database: Database, tx: number | undefined): Promise<boolean> {
  if (tx === undefined) return false;
  const { rows } = await database.read(sql`
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next`);
  return tx >= readNumber(rows[0], 'next');
}
