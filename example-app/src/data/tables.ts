// The tables of this app, in three SQL dialects. The library creates its own tables in the same
// database.
import { type ColumnType, type Generated, type Kysely, sql } from 'kysely';

/**
 * Milliseconds since 1970. PostgreSQL's driver returns 64-bit integers as strings: convert them
 * with `Number`.
 */
type Time = ColumnType<number | string, number, number>;

export interface Tables {
  users: {
    id: string;
    /** As the user typed it. */
    username: string;
    /** Normalized and unique. */
    username_key: string;
    /** The first address of the account. */
    email: string;
    password_hash: string;
    created_at: Time;
  };
  /** One row for each active authenticator app. */
  authenticators: {
    user_id: string;
    secret: string;
    /**
     * The newest 30-second step whose code was accepted. Codes of this step and earlier ones are
     * used up.
     */
    last_step: number;
    /** Attempts since the last valid code. No attempt is accepted before `next_attempt_at`. */
    attempts: number;
    next_attempt_at: Time;
  };
  /** One row for each security key. */
  security_keys: {
    /**
     * A digest of the credential's id, which is too long for a MySQL key. A key cannot belong to
     * two accounts.
     */
    id: string;
    user_id: string;
    /** The credential's id and its public key (COSE), both in base64url. */
    credential_id: string;
    public_key: string;
    /** How often the key says it was used. Always 0 for keys that do not count. */
    counter: Time;
    /** How browsers reach the key, separated by commas: `usb,nfc`. */
    transports: string;
    name: string;
    created_at: Time;
    /** When the challenge of the last use was made. This challenge and earlier ones are used up. */
    last_used_at: ColumnType<number | string | null, number | null, number | null>;
  };
  /** The additional addresses of an account. */
  more_emails: {
    user_id: string;
    /** The address in lower case. */
    email_key: string;
    email: string;
    created_at: Time;
  };
  /** Queued mail, oldest first. A row is deleted when its mail was sent. */
  mail_queue: {
    seq: Generated<number | string>;
    mail_id: string;
    recipient: string;
    subject: string;
    body: string;
    queued_at: Time;
    tries: number;
    next_try_at: Time;
    /** Set when the mail is no longer tried. The operator should look at it. */
    put_aside_at: ColumnType<number | string | null, number | null, number | null>;
  };
  /** Mail that was not sent, because no SMTP server is set. */
  outbox: {
    seq: Generated<number | string>;
    recipient: string;
    subject: string;
    body: string;
    sent_at: Time;
  };
  /** How far each reader of the audit trail has read. */
  cursors: {
    name: string;
    /** A cursor of the trail. */
    place: string;
    /** Incremented by each update, so that only one of two concurrent readers succeeds. */
    moves: number;
  };
  /** Tasks that only one process runs at a time. */
  leases: {
    name: string;
    holder: string;
    expires_at: Time;
  };
  /** The places that an account has logged in from: a digest of a network and a browser. */
  places: {
    user_id: string;
    place: string;
    known_since: Time;
  };
  /** Mailed links that confirm a place. At most one for each place. */
  place_links: {
    user_id: string;
    place: string;
    token_digest: string;
    expires_at: Time;
  };
  /** When a user was last notified of unusual attempts. */
  alarms: {
    user_id: string;
    told_at: Time;
  };
  /** The content of the vault. */
  vault: {
    name: string;
    text: string;
    put_at: Time;
  };
}

export type Dialect = 'sqlite' | 'postgres' | 'mysql';

/**
 * By default MySQL treats `ADA` and `àda` as equal to `ada`, so its columns set a binary collation.
 * Its keys also need a length.
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

/** Creates missing tables. Several processes may do this at once. */
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
      id ${secret} not null primary key,
      user_id ${id} not null,
      credential_id ${text} not null,
      public_key ${text} not null,
      counter ${time} not null,
      transports ${text} not null,
      name ${text} not null,
      created_at ${time} not null,
      last_used_at ${time},
      foreign key (user_id) references users (id) on delete cascade
    ) ${end}`,
    `create table if not exists more_emails (
      user_id ${id} not null,
      email_key ${key} not null,
      email ${text} not null,
      created_at ${time} not null,
      primary key (user_id, email_key),
      foreign key (user_id) references users (id) on delete cascade
    ) ${end}`,
    `create table if not exists mail_queue (
      seq ${seq},
      mail_id ${id} not null,
      recipient ${key} not null,
      subject ${text} not null,
      body ${text} not null,
      queued_at ${time} not null,
      tries integer not null,
      next_try_at ${time} not null,
      put_aside_at ${time}
    ) ${end}`,
    `create table if not exists outbox (
      seq ${seq},
      recipient ${key} not null,
      subject ${text} not null,
      body ${text} not null,
      sent_at ${time} not null
    ) ${end}`,
    `create table if not exists cursors (
      name ${id} not null primary key,
      place ${text} not null,
      moves integer not null
    ) ${end}`,
    `create table if not exists leases (
      name ${id} not null primary key,
      holder ${id} not null,
      expires_at ${time} not null
    ) ${end}`,
    `create table if not exists places (
      user_id ${id} not null,
      place ${secret} not null,
      known_since ${time} not null,
      primary key (user_id, place),
      foreign key (user_id) references users (id) on delete cascade
    ) ${end}`,
    `create table if not exists place_links (
      user_id ${id} not null,
      place ${secret} not null,
      token_digest ${secret} not null unique,
      expires_at ${time} not null,
      primary key (user_id, place),
      foreign key (user_id) references users (id) on delete cascade
    ) ${end}`,
    `create table if not exists vault (
      name ${id} not null primary key,
      text ${text} not null,
      put_at ${time} not null
    ) ${end}`,
    `create table if not exists alarms (
      user_id ${id} not null primary key,
      told_at ${time} not null,
      foreign key (user_id) references users (id) on delete cascade
    ) ${end}`,
  ];
  for (const statement of statements) {
    const create = (): Promise<unknown> => sql.raw(statement).execute(db);
    // PostgreSQL fails if another process creates the same table at the same moment. Then the table
    // exists, and the second try succeeds.
    await create().catch(create);
  }
}
