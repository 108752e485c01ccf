// Cursors: positions in a store's audit trail as one opaque text. Believes nothing of what it is given.
import { BackupCodeError } from '../errors';

/** Up to 64 positions of up to 40 digits. */
const MAX_LENGTH = 8192;

/** @param store so that the cursor of one store is refused by another */
export function writeCursor(store: string, positions: readonly string[]): string {
  return Buffer.from(JSON.stringify([store, ...positions])).toString('base64url');
}

/** @throws {BackupCodeError} `invalid_cursor` */
export function readCursor(
  cursor: string,
  { store, count, position }: { store: string; count: number; position: RegExp },
): string[] {
  try {
    if (cursor.length > MAX_LENGTH) throw new RangeError();
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (!Array.isArray(parsed) || parsed.length !== count + 1 || parsed[0] !== store)
      throw new TypeError();
    return parsed.slice(1).map((given: unknown) => {
      if (typeof given !== 'string' || !position.test(given)) throw new TypeError();
      return given;
    });
  } catch {
    throw new BackupCodeError(
      'invalid_cursor',
      'after must be a cursor that events() of the same store returned.',
    );
  }
}
