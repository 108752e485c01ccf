// The contract of an approval store, in memory and on SQLite.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { MemoryStore } from '../../lib';
import { MemoryApprovalStore } from '../../lib/approval';
import { createTables, SqlApprovalStore, SqlStore } from '../../lib/sql';
import { approvalTests, newRecord } from '../helpers/approval-tests';
import { failure } from '../helpers/errors';

describe('MemoryApprovalStore', () => {
  approvalTests(() => {
    const stores = { backup: new MemoryStore(), approvals: new MemoryApprovalStore() };
    return Promise.resolve({ ...stores, another: stores });
  });
});

// The quick run uses memory only.
if (!('QUICK' in globalThis))
  describe('SqlApprovalStore on SQLite', () => {
    const opened: (() => Promise<void>)[] = [];
    const open = async (): Promise<Kysely<unknown>> => {
      const directory = mkdtempSync(join(tmpdir(), 'backup-code-approvals-'));
      const database = new Database(join(directory, 'codes.db'));
      database.exec('PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;');
      const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
      opened.push(async () => {
        await kysely.destroy();
        rmSync(directory, { recursive: true });
      });
      await createTables({ database: kysely });
      return kysely;
    };
    afterEach(async () => {
      for (const close of opened.splice(0)) await close();
    });

    approvalTests(async () => {
      const kysely = await open();
      const options = { database: kysely };
      const stores = { backup: new SqlStore(options), approvals: new SqlApprovalStore(options) };
      return {
        ...stores,
        another: { backup: stores.backup, approvals: new SqlApprovalStore(options) },
      };
    });

    it('SqlApprovalStore removes a record thirty days after expiresAt', async () => {
      const store = new SqlApprovalStore({ database: await open() });
      const record = newRecord();
      await store.create(record);
      await store.create(
        newRecord({
          requestedAt: record.expiresAt + 30 * 86_400_000,
          expiresAt: record.expiresAt + 31 * 86_400_000,
        }),
      );
      expect(await store.update(record.id, () => null)).toBeNull();
    });

    it('SqlApprovalStore prints no connection, and refuses other objects', async () => {
      const store = new SqlApprovalStore({ database: await open() });
      expect([inspect(store), JSON.stringify(store)]).toEqual(['SqlApprovalStore {}', '{}']);
      expect(() => new SqlApprovalStore({ database: {} as never })).toThrow(
        failure('invalid_option'),
      );
    });
  });
