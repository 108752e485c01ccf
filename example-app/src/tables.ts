// The tables of this app, in each of the three dialects. Those of the backup codes belong to the library, beside them.
import { type ColumnType, type Kysely, sql } from 'kysely';

/** Milliseconds since 1970. PostgreSQL's driver gives integers of 64 bits as text: read through `Number`. */
type Time = ColumnType<number | string, number, number>;

export interface Tables {
  users: {
    id: string;
    /** As it was typed. */
    username: string;
    /** Normalised; two accounts never share one. */
    username_key: string;
    email: string;
    password_hash: string;
    created_at: Time;
  };
  /** A row per authenticator app that is in use. */
  authenticators: {
    user_id: string;
    secret: string;
    /** The newest 30-second step whose code was accepted: it and all before it are spent. */
    last_step: number;
    /** Guesses since the last right code, and the time before which no other is looked at. */
    attempts: number;
    next_attempt_at: Time;
  };
}

export type Dialect = 'sqlite' | 'postgres' | 'mysql';

/** MySQL takes `ADA` and `àda` for `ada` unless a column says otherwise, and keys there have a length. */
const TYPES = {
  sqlite: { id: 'text', key: 'text', secret: 'text', text: 'text', time: 'integer', end: 'strict' },
  postgres: { id: 'text', key: 'text', secret: 'text', text: 'text', time: 'bigint', end: '' },
  mysql: {
    id: 'varchar(36) character set ascii collate ascii_bin',
    key: 'varchar(255) character set utf8mb4 collate utf8mb4_bin',
    secret: 'varchar(64) character set ascii collate ascii_bin',
    text: 'text character set utf8mb4',
    time: 'bigint',
    end: 'engine=InnoDB',
  },
} as const satisfies Record<Dialect, object>;

/** Makes what is not there yet. Several processes may do so at once. */
export async function createAppTables(db: Kysely<Tables>, dialect: Dialect): Promise<void> {
  const { id, key, secret, text, time, end } = TYPES[dialect];
  const statements = [
    `create table if not exists users (
      id ${id} not null primary key,
      username ${text} not null,
      username_key ${key} not null unique,
      email ${text} not null,
      password_hash ${text} not null,
      created_at ${time} not null
    ) ${end}`,
    `create table if not exists authenticators (
      user_id ${id} not null primary key,
      secret ${secret} not null,
      last_step integer not null,
      attempts integer not null,
      next_attempt_at ${time} not null,
      foreign key (user_id) references users (id) on delete cascade
    ) ${end}`,
  ];
  for (const statement of statements) {
    const make = (): Promise<unknown> => sql.raw(statement).execute(db);
    // PostgreSQL fails where another process makes the same table at the same moment. By then it is there.
    await make().catch(make);
  }
}
