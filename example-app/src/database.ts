// The file that holds users, authenticators, backup codes and their audit trail: one connection, and the tables.
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect, sql } from 'kysely';
import { createTables } from 'passport-backup-code/sql';

/** The tables of this app. Those of the backup codes belong to the library, in the same file. */
export interface Tables {
  users: {
    id: string;
    /** As it was typed. */
    username: string;
    /** Normalised; two accounts never share one. */
    username_key: string;
    email: string;
    password_hash: string;
    created_at: number;
  };
  /** A row per authenticator app that is in use. */
  authenticators: {
    user_id: string;
    secret: string;
    /** The newest 30-second step whose code was accepted: it and all before it are spent. */
    last_step: number;
    /** Guesses since the last right code, and the time before which no other is looked at. */
    attempts: number;
    next_attempt_at: number;
  };
}

export type Database = Kysely<Tables>;

export async function openDatabase(dataDir: string): Promise<Database> {
  const file = new Sqlite(join(dataDir, 'app.sqlite'));
  file.pragma('journal_mode = WAL');
  // libsql waits for nobody unless told to, and a writer in another process is no reason to fail.
  file.pragma('busy_timeout = 5000');
  file.pragma('foreign_keys = ON');
  const db: Database = new Kysely<Tables>({ dialect: new SqliteDialect({ database: file }) });
  await createAppTables(db);
  await createTables(db);
  return db;
}

async function createAppTables(db: Database): Promise<void> {
  await sql`create table if not exists users (
    id text primary key,
    username text not null,
    username_key text not null unique,
    email text not null,
    password_hash text not null,
    created_at integer not null
  ) strict`.execute(db);
  await sql`create table if not exists authenticators (
    user_id text primary key references users (id) on delete cascade,
    secret text not null,
    last_step integer not null,
    attempts integer not null,
    next_attempt_at integer not null
  ) strict`.execute(db);
}
