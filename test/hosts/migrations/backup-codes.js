// The BackupCodes of the app, on a database of its own, with a fast hash.
import { createHash, randomBytes } from 'node:crypto';
import Database from 'libsql';
import { BackupCodes, defineFormat, formats } from 'passport-backup-code';
import { SqlStore } from 'passport-backup-code/sql';
import { codesFile, definition, key } from './data.js';

const database = new Database(codesFile);
database.exec('PRAGMA busy_timeout = 5000');
export const OLD = defineFormat(definition);
export const backupCodes = new BackupCodes({
  store: new SqlStore({ database, tables: 'create' }),
  pepper: [{ id: '2026', key: Buffer.from(key, 'hex') }],
  format: [formats.standard, OLD],
  hasher: {
    newSalt: () => `$quick$${randomBytes(16).toString('hex')}`,
    reads: (salt) => salt.startsWith('$quick$'),
    hash: async (code, salt) => createHash('sha256').update(`${salt}\0${code}`).digest(),
  },
});
