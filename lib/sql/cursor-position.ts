// Where a page of the audit trail begins, and whether the trail ever came that far. A cursor holds
// the numbers of an event and its time: after a restore another event may have the same number.
import { sql } from 'kysely';
import type { EventsRequest } from '../stores/audit-contract';
import { cursorAhead, readCursor, writeCursor } from '../stores/cursor';
import type { Database, Row, Statement } from './database';
import type { Dialect } from './dialect';
import { confirmRefusal } from './galera';
import { GALERA_POSITION } from './galera-window';
import { readNumber, readOptionalNumber } from './rows';
import { TABLE } from './table-names';

/** The columns that the trail is sorted by. */
export function sortingColumns({ dialect }: Database): readonly string[] {
  return dialect === 'postgres' ? ['tx', 'seq'] : ['seq'];
}

/** The cursor after this event. */
export function cursorOf(database: Database, row: Row): string {
  const { dialect } = database;
  const numbers = [...sortingColumns(database), 'at'].map((column) => String(row[column]));
  return writeCursor(dialect, dialect === 'mysql' ? [String(row['seq']), ...numbers] : numbers);
}

/** Where a cursor points to. */
export interface CursorPosition {
  /** On MySQL and MariaDB: which ids were read, as galera-window.ts writes it. */
  readonly window: string;
  readonly tx: number;
  /** The number and the time of the last event. */
  readonly seq: number;
  readonly at: number;
}

interface WindowCursor {
  readonly window: string;
  /** The last event of the page. */
  readonly last: Row;
  /** Where the page began. */
  readonly position: CursorPosition | null;
}

/** A cursor on MySQL or MariaDB. A late event does not become the last one. */
export function windowCursor({ window, last, position }: WindowCursor): string {
  const isLate = position !== null && position.seq > Number(last['seq']);
  const { seq, at } = isLate ? position : last;
  return writeCursor('mysql', [window, String(seq), String(at)]);
}

/** A cursor, and in which order it is read on. */
export interface CursorRequest {
  readonly after: string;
  readonly order: EventsRequest['order'];
}

/**
 * Only in the order of the commits must the trail have come as far as the cursor: in the other
 * order every event is before it.
 *
 * @throws {BackupCodeError} `invalid_cursor`, `cursor_ahead`
 */
export async function readPosition(
  database: Database,
  { after, order }: CursorRequest,
): Promise<CursorPosition & { readonly isStored: boolean }> {
  const { dialect } = database;
  const position = parseCursor(dialect, after);
  if (order === 'newest-first') return { ...position, isStored: true };
  // A node of Galera may not have the event yet.
  const found = await confirmRefusal(database, {
    decide: (on) => findEvent(on, position),
    isRefusal: (result) => result === 'ahead',
  });
  if (found === 'ahead') throw cursorAhead();
  return { ...position, isStored: found === 'stored' };
}

/** @throws {BackupCodeError} `invalid_cursor` */
function parseCursor(store: Dialect, after: string): CursorPosition {
  const position = store === 'mysql' ? GALERA_POSITION : /^\d{1,18}$/;
  const count = store === 'sqlite' ? 2 : 3;
  const numbers = readCursor(after, { store, count, position });
  const [seq = 0, at = 0] = numbers.slice(-2).map(Number);
  const [first = ''] = numbers;
  const window = store === 'mysql' ? first : String(seq);
  return { window, tx: store === 'postgres' ? Number(first) : 0, seq, at };
}

/**
 * The condition for the events after the cursor.
 *
 * @throws {BackupCodeError} `invalid_cursor`, `cursor_ahead`
 */
export async function isAfterCursor(
  database: Database,
  request: CursorRequest,
): Promise<Statement> {
  const { isStored, tx, seq } = await readPosition(database, request);
  const comparison = sql.raw(request.order === 'newest-first' ? '<' : '>');
  const number = database.bigint(seq);
  if (database.dialect !== 'postgres') return sql`seq ${comparison} ${number}`;
  const isAfter = sql`(tx, seq) ${comparison} (${database.bigint(tx)}, ${number})`;
  // If its event was removed, all is as before. If it was lost, the transaction ids after it were
  // given again, and an event with a higher number may have a lower one. It is read again rather
  // than never.
  return isStored ? isAfter : sql`(${isAfter} OR seq > ${number})`;
}

/** Whether the event of the cursor is stored, was removed, or was never in this trail. */
async function findEvent(
  database: Database,
  { tx, seq, at }: CursorPosition,
): Promise<'stored' | 'removed' | 'ahead'> {
  const { dialect, tables } = database;
  const { rows } = await database.read(sql`
    SELECT *
    FROM ${tables.events}
    WHERE seq = ${seq}`);
  const row = rows[0];
  if (row) {
    const isSame = dialect !== 'postgres' || readNumber(row, 'tx') === tx;
    return isSame && readNumber(row, 'at') === at ? 'stored' : 'ahead';
  }
  const { rows: last } = await database.read(sql`
    SELECT MAX(seq) AS seq
    FROM ${tables.events}`);
  const lastStored = readOptionalNumber(last[0] ?? { seq: null }, 'seq') ?? 0;
  if (seq > lastStored && seq > (await lastNumber(database))) return 'ahead';
  return dialect === 'postgres' && (await isFutureTransaction(database, tx)) ? 'ahead' : 'removed';
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

async function isFutureTransaction(database: Database, tx: number): Promise<boolean> {
  const { rows } = await database.read(sql`
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next`);
  return tx >= readNumber(rows[0], 'next');
}
