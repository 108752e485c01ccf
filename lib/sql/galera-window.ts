// Where a reader of events is on Galera. A node does not see what is open on another one, so an
// event can arrive after later ones were read. A cursor therefore remembers which of the last ids
// were read, and a page begins with those that have arrived since.
import { sql } from 'kysely';
import type { Row, Statement } from './database';

/**
 * Events older than this have all arrived: a commit takes seconds at most, even if the cluster
 * decides about a node that does not answer.
 */
export const ARRIVAL_SECONDS = 60;
/** Keeps a cursor short enough for an address. At 300 events a second it is a minute. */
const MAX_IDS = 36_000;
/** One number; on Galera, if events were read after it, a point and a bit for each of the ids. */
export const GALERA_POSITION = /^\d{1,18}(?:\.[\w-]{1,6000})?$/;

export interface ReadWindow {
  /** All ids up to here were read, or are unused. */
  readonly floor: number;
  /** The ids above it that were read. */
  readonly read: readonly number[];
}

export function parseWindow(position: string): ReadWindow {
  const [floor = '0', bits = ''] = position.split('.');
  const first = Number(floor) + 1;
  const read: number[] = [];
  for (const [index, byte] of Buffer.from(bits, 'base64url').entries()) {
    for (let bit = 0; bit < 8; bit += 1) {
      if ((byte & (1 << bit)) !== 0) read.push(first + index * 8 + bit);
    }
  }
  return { floor: Number(floor), read };
}

export function serializeWindow({ floor, read }: ReadWindow): string {
  const newest = Math.max(floor, ...read.slice(-1));
  const first = Math.max(floor, newest - MAX_IDS) + 1;
  const bits = Buffer.alloc(Math.ceil((newest - first + 1) / 8));
  for (const id of read) {
    if (id < first) continue;
    const index = (id - first) >> 3;
    bits[index] = (bits[index] ?? 0) | (1 << ((id - first) & 7));
  }
  const position = String(first - 1);
  return bits.length === 0 ? position : `${position}.${bits.toString('base64url')}`;
}

/** The condition of the ids that were not read yet. */
export function isUnread({ floor, read }: ReadWindow): Statement {
  const isAbove = sql`seq > ${floor}`;
  if (read.length === 0) return isAbove;
  return sql`${isAbove} AND seq NOT IN (${sql.join(read.map((id) => sql.lit(id)))})`;
}

/** The window after a page of rows. Everything up to `settled` has arrived. */
export function moveWindow(
  { floor, read }: ReadWindow,
  { rows, settled }: { readonly rows: readonly Row[]; readonly settled: number },
): ReadWindow {
  const next = Math.max(floor, settled);
  const ids = [...read, ...rows.map(({ seq }) => Number(seq))].filter((id) => id > next);
  return { floor: next, read: ids.sort((a, b) => a - b) };
}
