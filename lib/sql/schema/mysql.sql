CREATE TABLE IF NOT EXISTS backup_code_users (
  user_key varchar(69) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  user_id text,
  namespace varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  set_id varchar(32) CHARACTER SET ascii COLLATE ascii_bin,
  format text,
  salt varchar(255) CHARACTER SET ascii COLLATE ascii_bin,
  hasher varchar(255) CHARACTER SET ascii COLLATE ascii_bin,
  pepper_id varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  pepper_check varchar(32) CHARACTER SET ascii COLLATE ascii_bin,
  total integer,
  remaining integer,
  created_at bigint,
  expires_at bigint,
  last_consumed_at bigint,
  revoked_at bigint,
  reminded integer NOT NULL DEFAULT 0,
  staged_set_id varchar(32) CHARACTER SET ascii COLLATE ascii_bin,
  staged_until bigint,
  staged_header text,
  second_factor_attempts integer NOT NULL DEFAULT 0,
  second_factor_next_at bigint NOT NULL DEFAULT 0,
  second_factor_generation bigint NOT NULL DEFAULT 0,
  second_factor_locked_at bigint,
  recovery_generation bigint NOT NULL DEFAULT 0,
  KEY backup_code_users_reminders (namespace, reminded, expires_at, user_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS backup_code_networks (
  user_key varchar(69) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  network varchar(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  attempts integer NOT NULL,
  next_at bigint NOT NULL,
  generation bigint NOT NULL,
  forget_at bigint NOT NULL,
  PRIMARY KEY (user_key, network),
  KEY backup_code_networks_forgotten (forget_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS backup_codes (
  code_id varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  user_key varchar(69) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  set_id varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  salt varchar(32) CHARACTER SET ascii COLLATE ascii_bin,
  digest varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  created_at bigint NOT NULL,
  consumed_at bigint,
  consumption_id varchar(36) CHARACTER SET ascii COLLATE ascii_bin,
  ended_at bigint,
  KEY backup_codes_set (user_key, set_id),
  KEY backup_codes_ended (ended_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS backup_code_events (
  seq bigint AUTO_INCREMENT PRIMARY KEY,
  event_id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
  type varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  at bigint NOT NULL,
  user_key varchar(69) CHARACTER SET ascii COLLATE ascii_bin,
  user_id text,
  namespace varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  set_id varchar(32) CHARACTER SET ascii COLLATE ascii_bin,
  code_id varchar(32) CHARACTER SET ascii COLLATE ascii_bin,
  reason varchar(32) CHARACTER SET ascii COLLATE ascii_bin,
  remaining integer,
  total integer,
  consumed_seconds_ago bigint,
  refusals integer,
  details text,
  ip varchar(256),
  user_agent varchar(256),
  request_id varchar(256),
  actor varchar(256),
  channel varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  written_at datetime(3) NOT NULL DEFAULT (UTC_TIMESTAMP(3)),
  KEY backup_code_events_user (user_key, seq),
  KEY backup_code_events_order (namespace, seq),
  KEY backup_code_events_at (namespace, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS backup_code_approvals (
  approval_id varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  open_target_key varchar(64) CHARACTER SET ascii COLLATE ascii_bin UNIQUE,
  state varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  parameters text NOT NULL,
  digest varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  requested_by text NOT NULL,
  requested_in varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  requested_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  approved_by text,
  approved_at bigint,
  revision integer NOT NULL,
  KEY backup_code_approvals_expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS backup_code_keys (
  name varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  value varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
