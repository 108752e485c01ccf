// The stores that the tests of the service run on: MemoryStore, and SqlStore on a fresh SQLite
// file.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Kysely, SqliteDialect, type SqliteDatabase } from 'kysely';
import Database from 'libsql';
import {
  MemoryStore,
  type AuditEvent,
  type BackupCodeStore,
  type Channel,
  type EventType,
  type Reason,
} from '../../lib';
import { createTables, SqlStore } from '../../lib/sql';
import { privateFieldsOf } from './private-fields';

export interface OpenStore {
  readonly store: BackupCodeStore;
  /** The audit trail, oldest first. */
  events(): Promise<AuditEvent[]>;
  /** All stored data, as it is stored. */
  dump(): string;
  close(): Promise<void>;
}

export interface StoreKind {
  readonly name: string;
  open(): Promise<OpenStore>;
}

interface EventRow {
  readonly event_id: string;
  readonly type: EventType;
  readonly at: number;
  readonly user_id: string | null;
  readonly namespace: string;
  readonly set_id: string | null;
  readonly code_id: string | null;
  readonly reason: Reason | null;
  readonly remaining: number | null;
  readonly total: number | null;
  readonly consumed_seconds_ago: number | null;
  readonly refusals: number | null;
  readonly details: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  readonly actor: string | null;
  readonly channel: Channel;
}

export const memory: StoreKind = {
  name: 'MemoryStore',
  open: () => {
    const store = new MemoryStore();
    return Promise.resolve({
      store,
      events: () => Promise.resolve([...store.auditTrail]),
      dump: () =>
        inspect(privateFieldsOf(store), {
          depth: 20,
          maxArrayLength: null,
          maxStringLength: null,
        }) + inspect(store.auditTrail, { depth: 20, maxArrayLength: null, maxStringLength: null }),
      close: () => Promise.resolve(),
    });
  },
};

export const sqlite: StoreKind = { name: 'SqlStore on SQLite', open: () => openSqlite() };

/** The quick run, for which jest.config.js sets QUICK, uses MemoryStore only. */
export const storeKinds: readonly StoreKind[] = 'QUICK' in globalThis ? [memory] : [memory, sqlite];

/**
 * Returns the rows of every table too.
 *
 * @param before is called before each statement of the store, except those that begin and end
 * transactions, and may throw
 */
export async function openSqlite(
  before: () => void = () => undefined,
): Promise<OpenStore & { rows(): unknown[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'backup-codes-'));
  const file = join(directory, 'codes.db');
  const database = new Database(file);
  // Power failures are not tested here, and without syncs the file is thirty times as fast.
  database.exec(
    'PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA busy_timeout = 5000',
  );
  await createTables({ database });
  const kysely = new Kysely<unknown>({
    dialect: new SqliteDialect({ database: watched(database, before) }),
  });
  return {
    store: new SqlStore({ database: kysely }),
    events: async () => {
      const rows = database.prepare('SELECT * FROM backup_code_events ORDER BY seq').all();
      return (rows as EventRow[]).map(readEventRow);
    },
    dump: () => {
      database.exec('VACUUM');
      return readFileSync(file, 'latin1');
    },
    rows: () =>
      ['users', 'codes', 'events', 'keys'].map((table) =>
        database.prepare(`SELECT * FROM backup_${table === 'codes' ? '' : 'code_'}${table}`).all(),
      ),
    close: async () => {
      await kysely.destroy();
      database.close();
      rmSync(directory, { recursive: true });
    },
  };
}

function readEventRow(row: EventRow): AuditEvent {
  return {
    id: row.event_id,
    type: row.type,
    at: row.at,
    userId: row.user_id,
    namespace: row.namespace === '' ? null : row.namespace,
    setId: row.set_id,
    codeId: row.code_id,
    reason: row.reason,
    remaining: row.remaining,
    total: row.total,
    consumedSecondsAgo: row.consumed_seconds_ago,
    refusals: row.refusals,
    details: row.details === null ? null : (JSON.parse(row.details) as AuditEvent['details']),
    context: {
      ip: row.ip,
      userAgent: row.user_agent,
      requestId: row.request_id,
      actor: row.actor,
      channel: row.channel,
    },
  };
}

/** Declares the tests for each store. A store from `open` is closed after the test. */
export function onEachStore(
  title: string,
  declare: (open: () => Promise<OpenStore>) => void,
): void {
  describe.each(storeKinds)(`${title}, on $name`, (kind) => {
    const opened: OpenStore[] = [];
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });
    declare(async () => {
      const store = await kind.open();
      opened.push(store);
      return store;
    });
  });
}

function watched(database: Database.Database, before: () => void): SqliteDatabase {
  return {
    close: () => undefined,
    prepare: (statement) => {
      if (!/^(?:begin|commit|rollback|PRAGMA)\b/.test(statement)) before();
      return database.prepare(statement);
    },
  };
}
