// Stores sessions in Redis, in the database server through a pool of its own, or in a separate
// SQLite file, so that a busy login page never waits for the file of the users.
import { join } from 'node:path';
import { RedisStore } from 'connect-redis';
import { ConnectSessionKnexStore } from 'connect-session-knex';
import type { SessionData, Store } from 'express-session';
import knex, { type Knex } from 'knex';
import type { Config } from '../config';
import { CONNECT_TIMEOUT_MS, POOL_SIZE, READ_COMMITTED } from '../data/database';
import type { Redis } from '../data/redis-connection';
import type { DatabaseServer } from '../data/server-urls';

export interface Sessions {
  readonly store: Store;
  /** Rejects if sessions cannot be read. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export async function openSessions(
  { database, dataDir }: Pick<Config, 'database' | 'dataDir'>,
  { redis, report }: { redis: Redis | null; report: (error: unknown) => void },
): Promise<Sessions> {
  if (redis !== null) return openRedisSessions(redis);
  const settings =
    database === null ? sqliteSettings(join(dataDir, 'sessions.sqlite')) : serverSettings(database);
  return openDatabaseSessions(knex({ ...settings, log: { error: report, warn: report } }), report);
}

/** The code that opened the connection closes it. */
function openRedisSessions(client: Redis): Sessions {
  return {
    store: new RedisStore({ client, prefix: 'session:' }),
    check: async () => {
      await client.ping();
    },
    close: () => Promise.resolve(),
  };
}

async function openDatabaseSessions(
  client: Knex,
  report: (error: unknown) => void,
): Promise<Sessions> {
  const open = async (): Promise<QuietStore> => {
    const store = new QuietStore({ knex: client, onDbCleanupError: report });
    await store.ready;
    return store;
  };
  // It fails if another process creates the table at the same moment. Then the table exists, and
  // the second try succeeds.
  const store = await open().catch(open);
  return {
    store,
    check: async () => {
      await client.raw('select 1');
    },
    close: async () => {
      clearTimeout(store.nextDbCleanup);
      await client.destroy();
      // A cleanup that was running has scheduled the next one.
      clearTimeout(store.nextDbCleanup);
    },
  };
}

type Done = (error: Error | null, connection: unknown) => void;

function sqliteSettings(filename: string): Knex.Config {
  return {
    client: 'better-sqlite3',
    connection: { filename },
    useNullAsDefault: true,
    pool: {
      min: 1,
      max: 1,
      afterCreate: (connection: { pragma(text: string): unknown }, done: Done) => {
        connection.pragma('journal_mode = WAL');
        connection.pragma('busy_timeout = 5000');
        done(null, connection);
      },
    },
  };
}

function serverSettings({ kind, url }: DatabaseServer): Knex.Config {
  return {
    client: kind === 'postgres' ? 'pg' : 'mysql2',
    connection: url,
    acquireConnectionTimeout: CONNECT_TIMEOUT_MS,
    pool: {
      min: 0,
      max: POOL_SIZE,
      afterCreate: (
        connection: { query(text: string, done: (error: Error | null) => void): unknown },
        done: Done,
      ) => {
        connection.query(READ_COMMITTED[kind], (error) => done(error, connection));
      },
    },
  };
}

/**
 * On a fault the library calls the callback and also rejects the promise. express-session uses the
 * callback and ignores the promise, so the unhandled rejection would end the process. This class
 * swallows the rejection.
 */
class QuietStore extends ConnectSessionKnexStore {
  override get(
    ...[sid, callback]: Parameters<ConnectSessionKnexStore['get']>
  ): Promise<SessionData | null> {
    return super.get(sid, callback).catch(() => null);
  }

  override set(...args: Parameters<ConnectSessionKnexStore['set']>): Promise<void> {
    return super.set(...args).catch(() => undefined);
  }

  override destroy(...args: Parameters<ConnectSessionKnexStore['destroy']>): Promise<number> {
    return super.destroy(...args).catch(() => 0);
  }

  /** On a fault the original method never calls back, and the request would hang. */
  override touch(
    sid: string,
    session: SessionData,
    callback?: (error?: unknown) => void,
  ): Promise<void> {
    return super.touch(sid, session, callback).catch((error: unknown) => callback?.(error));
  }
}
