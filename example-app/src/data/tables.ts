// The tables of this app, in each of the three dialects. Those of the backup codes belong to the
// library, beside them.
import { type ColumnType, type Generated, type Kysely, sql } from 'kysely';

/**
 * Milliseconds since 1970. PostgreSQL's driver gives integers of 64 bits as text: read through
 * `Number`.
 */
type Time = ColumnType<number | string, number, number>;

export interface Tables {
  users: {
    id: string;
    /** As it was typed. */
    username: string;
    /** Normalised; two accounts never share one. */
    username_key: string;
    /** The first of their addresses. */
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
  /** A row per security key. */
  security_keys: {
    /**
     * A digest of the credential's id, which is too long for a key of MySQL. No key belongs to two
     * accounts.
     */
    id: string;
    user_id: string;
    /** The credential's id and its public key (COSE), both in base64url. */
    credential_id: string;
    public_key: string;
    /** How often the key says it was used; for ever 0 with those that do not count. */
    counter: Time;
    /** How browsers reach it, with commas between: `usb,nfc`. */
    transports: string;
    name: string;
    created_at: Time;
    /** When the challenge of its last use was made: it and all before it are spent. */
    last_used_at: ColumnType<number | string | null, number | null, number | null>;
  };
  /** The other addresses of an account. */
  more_emails: {
    user_id: string;
    /** Without regard to case. */
    email_key: string;
    email: string;
    created_at: Time;
  };
  /** Mail on its way, oldest first; a row that is gone was sent. */
  mail_queue: {
    seq: Generated<number | string>;
    mail_id: string;
    recipient: string;
    subject: string;
    body: string;
    queued_at: Time;
    tries: number;
    next_try_at: Time;
    /** Not tried any more: for whoever runs this to look at. */
    put_aside_at: ColumnType<number | string | null, number | null, number | null>;
  };
  /** Mail that went nowhere, as no SMTP server is set. */
  outbox: {
    seq: Generated<number | string>;
    recipient: string;
    subject: string;
    body: string;
    sent_at: Time;
  };
  /** How far a reader of the audit trail has come. */
  cursors: {
    name: string;
    /** A cursor of the trail. */
    place: string;
    /** Counted up with each move: of two readers at one place one moves on. */
    moves: number;
  };
  /** What one process at a time does. */
  leases: {
    name: string;
    holder: string;
    expires_at: Time;
  };
  /** From where an account has logged in before: a digest of a network and a browser. */
  places: {
    user_id: string;
    place: string;
    known_since: Time;
  };
  /** Mailed links that make a place known. One at a time for each. */
  place_links: {
    user_id: string;
    place: string;
    token_digest: string;
    expires_at: Time;
  };
  /** When somebody was last told that their codes are being tried. */
  alarms: {
    user_id: string;
    told_at: Time;
  };
  /** What takes two to read. */
  vault: {
    name: string;
    text: string;
    put_at: Time;
  };
}

export type Dialect = 'sqlite' | 'postgres' | 'mysql';

/**
 * MySQL takes `ADA` and `àda` for `ada` unless a column says otherwise, and keys there have a
 * length.
 */
const TYPES = {
  sqlite: {
    id: 'text',
    key: 'text',
    secret: 'text',
    text: 'text',
    time: 'integer',
    seq: 'integer primary key autoincrement',
    end: 'strict',
  },
  postgres: {
    id: 'text',
    key: 'text',
    secret: 'text',
    text: 'text',
    time: 'bigint',
    seq: 'bigserial primary key',
    end: '',
  },
  mysql: {
    id: 'varchar(36) character set ascii collate ascii_bin',
    key: 'varchar(255) character set utf8mb4 collate utf8mb4_bin',
    secret: 'varchar(64) character set ascii collate ascii_bin',
    text: 'text character set utf8mb4',
    time: 'bigint',
    seq: 'bigint auto_increment primary key',
    end: 'engine=InnoDB',
  },
} as const satisfies Record<Dialect, object>;

/** Makes what is not there yet. Several processes may do so at once. */
export async function createAppTables(db: Kysely<Tables>, dialect: Dialect): Promise<void> {
  const { id, key, secret, text, time, seq, end } = TYPES[dialect];
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
    `create table if not exists security_keys (
      id ${secret} not null primary key, user_id ${id} not null, credential_id ${text} not null, public_key ${text} not null,
      counter ${time} not null, transports ${text} not null, name ${text} not null, created_at ${time} not null, last_used_at ${time},
      foreign key (user_id) references users (id) on delete cascade
    ) ${end}`,
    `create table if not exists more_emails (
      user_id ${id} not null, email_key ${key} not null, email ${text} not null, created_at ${time} not null,
      primary key (user_id, email_key), foreign key (user_id) references users (id) on delete cascade
    ) ${end}`,
    `create table if not exists mail_queue (
      seq ${seq}, mail_id ${id} not null, recipient ${key} not null, subject ${text} not null, body ${text} not null,
      queued_at ${time} not null, tries integer not null, next_try_at ${time} not null, put_aside_at ${time}
    ) ${end}`,
    `create table if not exists outbox (seq ${seq}, recipient ${key} not null, subject ${text} not null, body ${text} not null, sent_at ${time} not null) ${end}`,
    `create table if not exists cursors (name ${id} not null primary key, place ${text} not null, moves integer not null) ${end}`,
    `create table if not exists leases (name ${id} not null primary key, holder ${id} not null, expires_at ${time} not null) ${end}`,
    `create table if not exists places (
      user_id ${id} not null, place ${secret} not null, known_since ${time} not null,
      primary key (user_id, place), foreign key (user_id) references users (id) on delete cascade
    ) ${end}`,
    `create table if not exists place_links (
      user_id ${id} not null, place ${secret} not null, token_digest ${secret} not null unique, expires_at ${time} not null,
      primary key (user_id, place), foreign key (user_id) references users (id) on delete cascade
    ) ${end}`,
    `create table if not exists vault (name ${id} not null primary key, text ${text} not null, put_at ${time} not null) ${end}`,
    `create table if not exists alarms (
      user_id ${id} not null primary key, told_at ${time} not null, foreign key (user_id) references users (id) on delete cascade
    ) ${end}`,
  ];
  for (const statement of statements) {
    const make = (): Promise<unknown> => sql.raw(statement).execute(db);
    // PostgreSQL fails where another process makes the same table at the same moment. By then it is
    // there.
    await make().catch(make);
  }
}
