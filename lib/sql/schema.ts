// The tables, in each dialect, as a DBA reads them; schema/*.sql is the same. Runs nothing, and needs no Kysely.
import type { Dialect } from './dialect';

/** As a script for a migration tool or a DBA. */
export function schemaScript(dialect: Dialect): string {
  return tableStatements(dialect)
    .map((statement) => `${statement};\n`)
    .join('\n');
}

/** In the order in which to run them. */
export function tableStatements(dialect: Dialect): readonly string[] {
  // Keys and hex are compared byte by byte; MySQL would otherwise fold case.
  const ascii = (length: number): string =>
    dialect === 'mysql'
      ? `varchar(${length}) CHARACTER SET ascii COLLATE ascii_bin`
      : `varchar(${length})`;
  const sequence = {
    sqlite: 'integer PRIMARY KEY AUTOINCREMENT',
    postgres: 'bigserial PRIMARY KEY',
    mysql: 'bigint AUTO_INCREMENT PRIMARY KEY',
  }[dialect];
  const options = dialect === 'mysql' ? ' ENGINE=InnoDB DEFAULT CHARSET=utf8mb4' : '';
  const indexes: readonly { table: string; name: string; columns: string; where?: string }[] = [
    { table: 'backup_code_users', name: 'backup_code_users_forgotten', columns: 'forget_at' },
    {
      table: 'backup_code_users',
      name: 'backup_code_users_reminders',
      columns: 'reminded, expires_at, user_key',
    },
    { table: 'backup_codes', name: 'backup_codes_set', columns: 'user_key, set_id' },
    {
      table: 'backup_codes',
      name: 'backup_codes_ended',
      columns: 'ended_at',
      where: 'ended_at IS NOT NULL',
    },
    {
      table: 'backup_code_events',
      name: 'backup_code_events_user',
      columns: dialect === 'postgres' ? 'user_key, tx, seq' : 'user_key, seq',
    },
    ...(dialect === 'postgres'
      ? [{ table: 'backup_code_events', name: 'backup_code_events_order', columns: 'tx, seq' }]
      : []),
    { table: 'backup_code_events', name: 'backup_code_events_at', columns: 'at' },
    { table: 'backup_code_approvals', name: 'backup_code_approvals_expiry', columns: 'expires_at' },
  ];
  const create = (table: string, columns: readonly string[]): string => {
    // MySQL has no CREATE INDEX IF NOT EXISTS, and no index of some rows only.
    const keys =
      dialect === 'mysql'
        ? indexes
            .filter((index) => index.table === table)
            .map(({ name, columns: on }) => `KEY ${name} (${on})`)
        : [];
    return `CREATE TABLE IF NOT EXISTS ${table} (\n  ${[...columns, ...keys].join(',\n  ')}\n)${options}`;
  };
  return [
    // A row per user, or per name that belongs to nobody (user_id is null): the set's header and both channels' counts.
    create('backup_code_users', [
      `user_key ${ascii(69)} NOT NULL PRIMARY KEY`,
      'user_id text',
      `set_id ${ascii(32)}`,
      'format text',
      `salt ${ascii(255)}`,
      `hasher ${ascii(255)}`,
      `pepper_id ${ascii(64)}`,
      `pepper_check ${ascii(32)}`,
      'total integer',
      'remaining integer',
      'created_at bigint',
      'expires_at bigint',
      'last_consumed_at bigint',
      'revoked_at bigint',
      'reminded integer NOT NULL DEFAULT 0',
      `staged_set_id ${ascii(32)}`,
      'staged_until bigint',
      'staged_header text',
      ...['second_factor', 'recovery'].flatMap((channel) => [
        `${channel}_attempts integer NOT NULL DEFAULT 0`,
        `${channel}_next_at bigint NOT NULL DEFAULT 0`,
        `${channel}_generation integer NOT NULL DEFAULT 0`,
        `${channel}_locked_at bigint`,
        `${channel}_refusals integer NOT NULL DEFAULT 0`,
        `${channel}_refusal_id ${ascii(36)}`,
        `${channel}_refused_at bigint`,
      ]),
      'forget_at bigint',
    ]),
    // A row per code. Of a set that has ended only the times stay.
    create('backup_codes', [
      `code_id ${ascii(32)} NOT NULL PRIMARY KEY`,
      `user_key ${ascii(69)} NOT NULL`,
      `set_id ${ascii(32)} NOT NULL`,
      `salt ${ascii(32)}`,
      `digest ${ascii(64)}`,
      'created_at bigint NOT NULL',
      'consumed_at bigint',
      'ended_at bigint',
    ]),
    create('backup_code_events', [
      `seq ${sequence}`,
      `event_id ${ascii(36)} NOT NULL UNIQUE`,
      `type ${ascii(32)} NOT NULL`,
      'at bigint NOT NULL',
      `user_key ${ascii(69)}`,
      'user_id text',
      `set_id ${ascii(32)}`,
      `code_id ${ascii(32)}`,
      `reason ${ascii(32)}`,
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
      `channel ${ascii(16)} NOT NULL`,
      // What the order of the commits is told by, where seq alone does not: see reports.ts.
      ...{
        sqlite: [],
        // Its transaction, or the latest that was over when it was written: a younger one may have had the lock before it.
        postgres: [
          'tx bigint NOT NULL DEFAULT GREATEST(pg_current_xact_id()::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)',
        ],
        // UTC, for a local time happens twice when summer ends.
        mysql: ['written_at datetime(3) NOT NULL DEFAULT (UTC_TIMESTAMP(3))'],
      }[dialect],
    ]),
    // What two people decide: a row per request. A target has one that is open.
    create('backup_code_approvals', [
      `approval_id ${ascii(32)} NOT NULL PRIMARY KEY`,
      `open_target_key ${ascii(64)} UNIQUE`,
      `state ${ascii(16)} NOT NULL`,
      'action text NOT NULL',
      'target text NOT NULL',
      'parameters text NOT NULL',
      `digest ${ascii(64)} NOT NULL`,
      'requested_by text NOT NULL',
      `requested_in ${ascii(64)}`,
      'requested_at bigint NOT NULL',
      'expires_at bigint NOT NULL',
      'approved_by text',
      'approved_at bigint',
      'revision integer NOT NULL',
    ]),
    // The key under which names that belong to nobody are counted.
    create('backup_code_keys', [
      `name ${ascii(32)} NOT NULL PRIMARY KEY`,
      `value ${ascii(64)} NOT NULL`,
    ]),
    ...(dialect === 'mysql'
      ? []
      : indexes.map(
          ({ table, name, columns, where }) =>
            `CREATE INDEX IF NOT EXISTS ${name} ON ${table} (${columns})${where === undefined ? '' : ` WHERE ${where}`}`,
        )),
  ];
}
