// The columns and indexes of the tables. Imports nothing of Kysely.
import type { Dialect } from './dialect';
import { TABLE } from './table-names';

export interface Index {
  readonly name: string;
  readonly columns: string;
  /** Which rows it holds. MySQL indexes all rows. */
  readonly where?: string;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  readonly indexes: readonly Index[];
}

/** In the order in which to make them. */
export function tableDefinitions(dialect: Dialect): readonly Table[] {
  return [
    usersTable(dialect),
    networksTable(dialect),
    codesTable(dialect),
    eventsTable(dialect),
    approvalsTable(dialect),
    keysTable(dialect),
  ];
}

/** Keys and hex are compared byte by byte. MySQL would otherwise ignore case. */
function ascii(dialect: Dialect, length: number): string {
  return dialect === 'mysql'
    ? `varchar(${length}) CHARACTER SET ascii COLLATE ascii_bin`
    : `varchar(${length})`;
}

/**
 * Empty without a namespace. It is not NULL, because no index finds NULL in the order of the other
 * columns.
 */
function namespaceColumn(dialect: Dialect): string {
  return `namespace ${ascii(dialect, 64)} NOT NULL DEFAULT ''`;
}

/** A row for each user: the header of the set, and the attempts on the second factor. */
function usersTable(dialect: Dialect): Table {
  return {
    name: TABLE.users,
    columns: [
      `user_key ${ascii(dialect, 69)} NOT NULL PRIMARY KEY`,
      'user_id text',
      namespaceColumn(dialect),
      `set_id ${ascii(dialect, 32)}`,
      'format text',
      `salt ${ascii(dialect, 255)}`,
      `hasher ${ascii(dialect, 255)}`,
      `pepper_id ${ascii(dialect, 64)}`,
      `pepper_check ${ascii(dialect, 32)}`,
      'total integer',
      'remaining integer',
      'created_at bigint',
      'expires_at bigint',
      'last_consumed_at bigint',
      'revoked_at bigint',
      'reminded integer NOT NULL DEFAULT 0',
      `staged_set_id ${ascii(dialect, 32)}`,
      'staged_until bigint',
      'staged_header text',
      'second_factor_attempts integer NOT NULL DEFAULT 0',
      'second_factor_next_at bigint NOT NULL DEFAULT 0',
      'second_factor_generation bigint NOT NULL DEFAULT 0',
      'second_factor_locked_at bigint',
      'recovery_generation bigint NOT NULL DEFAULT 0',
    ],
    indexes: [
      { name: 'backup_code_users_reminders', columns: 'namespace, reminded, expires_at, user_key' },
    ],
  };
}

/**
 * A row for each user, or unknown user name, and network: the attempts on the recovery channel.
 * They count as none if the user's `recovery_generation` is another one, and not 0.
 */
function networksTable(dialect: Dialect): Table {
  return {
    name: TABLE.networks,
    columns: [
      `user_key ${ascii(dialect, 69)} NOT NULL`,
      `network ${ascii(dialect, 45)} NOT NULL`,
      'attempts integer NOT NULL',
      'next_at bigint NOT NULL',
      'generation bigint NOT NULL',
      'forget_at bigint NOT NULL',
      'PRIMARY KEY (user_key, network)',
    ],
    indexes: [{ name: 'backup_code_networks_forgotten', columns: 'forget_at' }],
  };
}

/** A row for each code. Only the times stay when its set has ended. */
function codesTable(dialect: Dialect): Table {
  return {
    name: TABLE.codes,
    columns: [
      `code_id ${ascii(dialect, 32)} NOT NULL PRIMARY KEY`,
      `user_key ${ascii(dialect, 69)} NOT NULL`,
      `set_id ${ascii(dialect, 32)} NOT NULL`,
      `salt ${ascii(dialect, 32)}`,
      `digest ${ascii(dialect, 64)}`,
      'created_at bigint NOT NULL',
      'consumed_at bigint',
      `consumption_id ${ascii(dialect, 36)}`,
      'ended_at bigint',
    ],
    indexes: [
      { name: 'backup_codes_set', columns: 'user_key, set_id' },
      { name: 'backup_codes_ended', columns: 'ended_at', where: 'ended_at IS NOT NULL' },
    ],
  };
}

/** The audit trail. */
function eventsTable(dialect: Dialect): Table {
  const sequence = {
    sqlite: 'integer PRIMARY KEY AUTOINCREMENT',
    postgres: 'bigserial PRIMARY KEY',
    mysql: 'bigint AUTO_INCREMENT PRIMARY KEY',
  }[dialect];
  const order = dialect === 'postgres' ? 'tx, seq' : 'seq';
  return {
    name: TABLE.events,
    columns: [
      `seq ${sequence}`,
      `event_id ${ascii(dialect, 36)} NOT NULL UNIQUE`,
      `type ${ascii(dialect, 32)} NOT NULL`,
      'at bigint NOT NULL',
      `user_key ${ascii(dialect, 69)}`,
      'user_id text',
      namespaceColumn(dialect),
      `set_id ${ascii(dialect, 32)}`,
      `code_id ${ascii(dialect, 32)}`,
      `reason ${ascii(dialect, 32)}`,
      'remaining integer',
      'total integer',
      'consumed_seconds_ago bigint',
      'refusals integer',
      // As JSON.
      'details text',
      'ip varchar(256)',
      'user_agent varchar(256)',
      'request_id varchar(256)',
      'actor varchar(256)',
      `channel ${ascii(dialect, 16)} NOT NULL`,
      ...commitOrderColumns(dialect),
    ],
    indexes: [
      { name: 'backup_code_events_user', columns: `user_key, ${order}` },
      { name: 'backup_code_events_order', columns: `namespace, ${order}` },
      { name: 'backup_code_events_at', columns: 'namespace, at' },
    ],
  };
}

/** What the order of commits is read from if `seq` alone does not tell it: see read-events.ts. */
function commitOrderColumns(dialect: Dialect): readonly string[] {
  if (dialect === 'sqlite') return [];
  // UTC, because a local time happens twice when summer time ends.
  if (dialect === 'mysql') return ['written_at datetime(3) NOT NULL DEFAULT (UTC_TIMESTAMP(3))'];
  // The event's own transaction, or the latest that was over when the event was written: a younger
  // one may have had the lock before it.
  const own = 'pg_current_xact_id()::text::bigint';
  const latest = 'pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1';
  return [`tx bigint NOT NULL DEFAULT GREATEST(${own}, ${latest})`];
}

/** A row for each request of two-person approval. A target has one open request at most. */
function approvalsTable(dialect: Dialect): Table {
  return {
    name: TABLE.approvals,
    columns: [
      `approval_id ${ascii(dialect, 32)} NOT NULL PRIMARY KEY`,
      `open_target_key ${ascii(dialect, 64)} UNIQUE`,
      `state ${ascii(dialect, 16)} NOT NULL`,
      'action text NOT NULL',
      'target text NOT NULL',
      'parameters text NOT NULL',
      `digest ${ascii(dialect, 64)} NOT NULL`,
      'requested_by text NOT NULL',
      `requested_in ${ascii(dialect, 64)}`,
      'requested_at bigint NOT NULL',
      'expires_at bigint NOT NULL',
      'approved_by text',
      'approved_at bigint',
      'revision integer NOT NULL',
    ],
    indexes: [{ name: 'backup_code_approvals_expiry', columns: 'expires_at' }],
  };
}

/** The key of the counters of unknown user names. */
function keysTable(dialect: Dialect): Table {
  return {
    name: TABLE.keys,
    columns: [
      `name ${ascii(dialect, 32)} NOT NULL PRIMARY KEY`,
      `value ${ascii(dialect, 64)} NOT NULL`,
    ],
    indexes: [],
  };
}
