// Where codes are kept, each for as long as a suite needs it: memory, SQLite, and the servers that are there, which wait for the disk
// at each commit. What is missing says so.
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

export type PlaceName = 'memory' | 'SQLite' | 'PostgreSQL' | 'MariaDB' | 'Redis';

/** As much of Redis's client as a bare write needs. */
export interface RedisClient {
  incr(key: string): Promise<number>;
  ping(): Promise<string>;
}

export interface Place {
  readonly name: PlaceName;
  /** Empty, with its tables. */
  readonly store: () => Promise<BackupCodeStore>;
  /** An empty database of its own, for those who bring their tables; not in memory and Redis. */
  readonly dialect?: () => Promise<Dialect>;
  readonly client?: RedisClient;
}

/** One after the other; each is gone when the next is asked for. */
export async function* places(...names: readonly PlaceName[]): AsyncGenerator<Place> {
  for (const name of names) {
    if (name === 'memory') yield { name, store: () => Promise.resolve(new MemoryStore()) };
    else if (name === 'SQLite') yield* sqlite();
    else if (name === 'Redis') yield* onRedis();
    else yield* onServer(name);
  }
}

/** What a suite on one SQL server is run on. */
export function sqlPlace(): PlaceName {
  return postgres.missing() === null ? 'PostgreSQL' : 'SQLite';
}

function* sqlite(): Generator<Place> {
  const dir = mkdtempSync(join(tmpdir(), 'backup-codes-bench-'));
  let files = 0;
  const dialect = (): Promise<Dialect> => {
    const database = new Database(join(dir, `${(files += 1)}.db`));
    database.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL');
    return Promise.resolve(new SqliteDialect({ database }));
  };
  try {
    yield { name: 'SQLite', dialect, store: () => sqlStore(dialect) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function* onServer(name: 'PostgreSQL' | 'MariaDB'): AsyncGenerator<Place> {
  const kind = name === 'PostgreSQL' ? postgres : mariadb;
  if (isMissing(kind)) return;
  const server = await kind.start({ fsync: 'on' });
  const close: (() => Promise<unknown>)[] = [];
  let databases = 0;
  const dialect = async (): Promise<Dialect> => {
    const url = await server.createDatabase(`bench_${(databases += 1)}`);
    if (name === 'PostgreSQL') {
      const pool = new Pool({ connectionString: url });
      close.push(() => pool.end());
      return new PostgresDialect({ pool });
    }
    const pool = createPool(url);
    close.push(() => pool.promise().end());
    return new MysqlDialect({ pool });
  };
  try {
    yield { name, dialect, store: () => sqlStore(dialect) };
  } finally {
    for (const end of close) await end();
    await server.stop();
  }
}

async function* onRedis(): AsyncGenerator<Place> {
  if (isMissing(redis)) return;
  const server = await redis.start();
  const client = createClient({ url: server.url });
  await client.connect();
  let stores = 0;
  try {
    yield {
      name: 'Redis',
      client,
      store: () => Promise.resolve(new RedisStore({ client, prefix: `${(stores += 1)}:` })),
    };
  } finally {
    client.destroy();
    await server.stop();
  }
}

async function sqlStore(dialect: () => Promise<Dialect>): Promise<BackupCodeStore> {
  const db = new Kysely<unknown>({ dialect: await dialect() });
  await createTables({ database: db });
  return new SqlStore({ database: db });
}

function isMissing({ missing }: { missing: () => string | null }): boolean {
  const reason = missing();
  if (reason !== null) process.stdout.write(`\nSkipped: ${reason}\n`);
  return reason !== null;
}
