// Cursors: positions in a store's audit trail as one opaque string. Comes back from clients, so it
// is not trusted.
import { BackupCodeError } from '../errors';

/** Enough for 64 positions of up to 40 digits. */
const MAX_LENGTH = 8192;

/** What a cursor of a store looks like. */
export interface CursorShape {
  /** The name of the store. A cursor of another store is refused. */
  readonly store: string;
  /** How many positions it has. */
  readonly count: number;
  readonly position: RegExp;
}

export function writeCursor(store: string, positions: readonly string[]): string {
  return Buffer.from(JSON.stringify([store, ...positions])).toString('base64url');
}

/** @throws {BackupCodeError} `invalid_cursor` */
export function readCursor(cursor: string, { store, count, position }: CursorShape): string[] {
  const [name, ...positions] = cursor.length > MAX_LENGTH ? [] : parseList(cursor);
  const isPosition = (given: unknown): given is string =>
    typeof given === 'string' && position.test(given);
  if (name === store && positions.length === count && positions.every(isPosition)) {
    return positions;
  }
  throw new BackupCodeError(
    'invalid_cursor',
    'after must be a cursor that audit.events() returned for the same store.',
  );
}

/** What a store throws if the position of a cursor is not in its trail, and never was. */
export function cursorAhead(): BackupCodeError {
  return new BackupCodeError(
    'cursor_ahead',
    'after points to an event that this store does not have. It was restored from an older copy, ' +
      'or lost its last writes; or this connection is to a replica that lags behind. Apply the ' +
      'exported events with audit.replay, then read from the beginning (after: null) and skip ' +
      'the ids that you have handled. See docs/operations.md, "Restore drill".',
  );
}

function parseList(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}
