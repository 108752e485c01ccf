// The stores that a suite runs on: in memory, in a SQLite file, and on the servers of this machine.
// The servers write each commit to the disk. A server that is not installed is reported and
// skipped.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, MysqlDialect, PostgresDialect, SqliteDialect, type Dialect } from 'kysely';
import Database from 'libsql';
import { createPool } from 'mysql2';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { MemoryStore, type BackupCodeStore } from '../lib';
import { RedisStore } from '../lib/redis';
import { createTables, SqlStore } from '../lib/sql';
import { mariadb, postgres, redis } from '../test/helpers/servers';

export type BackendName = 'memory' | 'SQLite' | 'PostgreSQL' | 'MariaDB' | 'Redis';

/** The part of a Redis client that a bare write needs. */
export interface RedisClient {
  incr(key: string): Promise<number>;
  ping(): Promise<string>;
}

export interface Backend {
  readonly name: BackendName;
  /** Opens an empty store that has its tables. */
  readonly openStore: () => Promise<BackupCodeStore>;
  /** Opens an empty database without tables. Missing for memory and Redis. */
  readonly openDatabase?: () => Promise<Dialect>;
  /** Redis only. */
  readonly client?: RedisClient;
}

/** Opens one backend after the other. Each is closed before the next one opens. */
export async function* openBackends(...names: readonly BackendName[]): AsyncGenerator<Backend> {
  for (const name of names) {
    if (name === 'memory') yield { name, openStore: () => Promise.resolve(new MemoryStore()) };
    else if (name === 'SQLite') yield* openSqlite();
    else if (name === 'Redis') yield* openRedis();
    else yield* openSqlServer(name);
  }
}

/** The backend for a suite that runs on one SQL database only. */
export function mainSqlBackend(): BackendName {
  return postgres.missing() === null ? 'PostgreSQL' : 'SQLite';
}

function* openSqlite(): Generator<Backend> {
  const directory = mkdtempSync(join(tmpdir(), 'backup-codes-bench-'));
  let files = 0;
  const openDatabase = (): Promise<Dialect> => {
    files += 1;
    const database = new Database(join(directory, `${files}.db`));
    database.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL');
    return Promise.resolve(new SqliteDialect({ database }));
  };
  try {
    yield { name: 'SQLite', openDatabase, openStore: () => openSqlStore(openDatabase) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function* openSqlServer(name: 'PostgreSQL' | 'MariaDB'): AsyncGenerator<Backend> {
  const kind = name === 'PostgreSQL' ? postgres : mariadb;
  if (isMissing(kind)) return;
  const server = await kind.start({ fsync: 'on' });
  const closePools: (() => Promise<unknown>)[] = [];
  let databases = 0;
  const openDatabase = async (): Promise<Dialect> => {
    databases += 1;
    const url = await server.createDatabase(`bench_${databases}`);
    if (name === 'PostgreSQL') {
      const pool = new Pool({ connectionString: url });
      closePools.push(() => pool.end());
      return new PostgresDialect({ pool });
    }
    const pool = createPool(url);
    closePools.push(() => pool.promise().end());
    return new MysqlDialect({ pool });
  };
  try {
    yield { name, openDatabase, openStore: () => openSqlStore(openDatabase) };
  } finally {
    for (const close of closePools) await close();
    await server.stop();
  }
}

async function* openRedis(): AsyncGenerator<Backend> {
  if (isMissing(redis)) return;
  const server = await redis.start();
  const client = createClient({ url: server.url });
  await client.connect();
  let stores = 0;
  const openStore = (): Promise<BackupCodeStore> => {
    stores += 1;
    return Promise.resolve(new RedisStore({ client, prefix: `${stores}:` }));
  };
  try {
    yield { name: 'Redis', client, openStore };
  } finally {
    client.destroy();
    await server.stop();
  }
}

async function openSqlStore(openDatabase: () => Promise<Dialect>): Promise<BackupCodeStore> {
  const db = new Kysely<unknown>({ dialect: await openDatabase() });
  await createTables({ database: db });
  return new SqlStore({ database: db });
}

function isMissing({ missing }: { missing: () => string | null }): boolean {
  const reason = missing();
  if (reason !== null) process.stdout.write(`\nSkipped: ${reason}\n`);
  return reason !== null;
}
