// The key of the counters of unknown user names.
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { BackupCodeError } from '../errors';
import type { Database } from './database';

const KEY_BYTES = 32;

/**
 * Makes the key once; all processes read the same one.
 *
 * @throws {BackupCodeError} `unreadable_set` if the stored key is damaged
 */
export async function readNameKey(database: Database): Promise<Uint8Array> {
  const { keys } = database.tables;
  const newKey = randomBytes(KEY_BYTES).toString('hex');
  await database.transaction((run) =>
    run(sql`
      INSERT INTO ${keys} (name, value)
      VALUES ('names', ${newKey})
      ${database.keepExisting('name')}`),
  );
  const { rows } = await database.read(sql`
    SELECT value
    FROM ${keys}
    WHERE name = 'names'`);
  const key = Buffer.from(String(rows[0]?.['value']), 'hex');
  if (key.length === KEY_BYTES) return key;
  throw new BackupCodeError('unreadable_set', 'The key that counts unknown user names is damaged.');
}
