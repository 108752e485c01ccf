// Where sessions are kept: a SQLite file of their own, so that a busy sign-in page never waits for the users' file.
import { join } from 'node:path';
import { ConnectSessionKnexStore } from 'connect-session-knex';
import type { SessionData } from 'express-session';
import knex from 'knex';

export interface SessionFile {
  readonly store: ConnectSessionKnexStore;
  /** Rejects where the file cannot be read. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export async function openSessionFile(dataDir: string, report: (error: unknown) => void): Promise<SessionFile> {
  const client = knex({
    client: 'better-sqlite3',
    connection: { filename: join(dataDir, 'sessions.sqlite') },
    useNullAsDefault: true,
    log: { error: report, warn: report },
    pool: { min: 1, max: 1, afterCreate: prepareConnection },
  });
  const store = new QuietStore({ knex: client, onDbCleanupError: report });
  await store.ready;
  return {
    store,
    check: async () => {
      await client.raw('select 1');
    },
    close: async () => {
      clearTimeout(store.nextDbCleanup);
      await client.destroy();
    },
  };
}

function prepareConnection(connection: { pragma(text: string): unknown }, done: (error: Error | null, connection: unknown) => void): void {
  connection.pragma('journal_mode = WAL');
  connection.pragma('busy_timeout = 5000');
  done(null, connection);
}

/**
 * The store tells a fault to its callback *and* rejects. express-session takes the callback and drops the promise,
 * which would end the process. Here the callback alone decides.
 */
class QuietStore extends ConnectSessionKnexStore {
  override get(...[sid, callback]: Parameters<ConnectSessionKnexStore['get']>): Promise<SessionData | null> {
    return super.get(sid, callback).catch(() => null);
  }

  override set(...args: Parameters<ConnectSessionKnexStore['set']>): Promise<void> {
    return super.set(...args).catch(() => undefined);
  }

  override destroy(...args: Parameters<ConnectSessionKnexStore['destroy']>): Promise<number> {
    return super.destroy(...args).catch(() => 0);
  }

  /** Its original never calls back where it fails, and the answer would hang. */
  override touch(sid: string, session: SessionData, callback?: (error?: unknown) => void): Promise<void> {
    return super.touch(sid, session, callback).catch((error: unknown) => callback?.(error));
  }
}

