import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { createTables, SqlStore } from '../../lib/sql';
import { storeContract } from '../../lib/testing';
import { readSqlEvents } from '../helpers/read-events';
import { expectSameAsMemory } from '../helpers/same-as-memory';

describe('SqlStore on SQLite', () => {
  const dir = mkdtempSync(join(tmpdir(), 'backup-codes-'));
  // One connection per process: a second one would block the event loop while it waits for the
  // first.
  const file = new Database(join(dir, 'codes.db'));
  // The tests check the order of writes, not the disk.
  file.exec('PRAGMA synchronous = OFF');
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: file }) });

  beforeAll(() => createTables({ database: db }));
  afterAll(async () => {
    await db.destroy();
    rmSync(dir, { recursive: true });
  });

  storeContract(
    { describe, it },
    {
      connect: () => Promise.resolve({ store: new SqlStore({ database: db }) }),
      readEvents: (userId) => readSqlEvents(db, userId),
    },
  );

  it('Any sequence of calls gives the same results as on MemoryStore', () =>
    expectSameAsMemory(new SqlStore({ database: db }), (userId) => readSqlEvents(db, userId)));
});
