CREATE TABLE IF NOT EXISTS backup_code_users (
  user_key varchar(69) NOT NULL PRIMARY KEY,
  user_id text,
  namespace varchar(64) NOT NULL DEFAULT '',
  set_id varchar(32),
  format text,
  salt varchar(255),
  hasher varchar(255),
  pepper_id varchar(64),
  pepper_check varchar(32),
  total integer,
  remaining integer,
  created_at bigint,
  expires_at bigint,
  last_consumed_at bigint,
  revoked_at bigint,
  reminded integer NOT NULL DEFAULT 0,
  staged_set_id varchar(32),
  staged_until bigint,
  staged_header text,
  second_factor_attempts integer NOT NULL DEFAULT 0,
  second_factor_next_at bigint NOT NULL DEFAULT 0,
  second_factor_generation bigint NOT NULL DEFAULT 0,
  second_factor_locked_at bigint,
  recovery_generation bigint NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS backup_code_networks (
  user_key varchar(69) NOT NULL,
  network varchar(45) NOT NULL,
  attempts integer NOT NULL,
  next_at bigint NOT NULL,
  generation bigint NOT NULL,
  forget_at bigint NOT NULL,
  PRIMARY KEY (user_key, network)
);

CREATE TABLE IF NOT EXISTS backup_codes (
  code_id varchar(32) NOT NULL PRIMARY KEY,
  user_key varchar(69) NOT NULL,
  set_id varchar(32) NOT NULL,
  salt varchar(32),
  digest varchar(64),
  created_at bigint NOT NULL,
  consumed_at bigint,
  consumption_id varchar(36),
  ended_at bigint
);

CREATE TABLE IF NOT EXISTS backup_code_events (
  seq integer PRIMARY KEY AUTOINCREMENT,
  event_id varchar(36) NOT NULL UNIQUE,
  type varchar(32) NOT NULL,
  at bigint NOT NULL,
  user_key varchar(69),
  user_id text,
  namespace varchar(64) NOT NULL DEFAULT '',
  set_id varchar(32),
  code_id varchar(32),
  reason varchar(32),
  remaining integer,
  total integer,
  consumed_seconds_ago bigint,
  refusals integer,
  details text,
  ip varchar(256),
  user_agent varchar(256),
  request_id varchar(256),
  actor varchar(256),
  channel varchar(16) NOT NULL
);

CREATE TABLE IF NOT EXISTS backup_code_approvals (
  approval_id varchar(32) NOT NULL PRIMARY KEY,
  open_target_key varchar(64) UNIQUE,
  state varchar(16) NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  parameters text NOT NULL,
  digest varchar(64) NOT NULL,
  requested_by text NOT NULL,
  requested_in varchar(64),
  requested_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  approved_by text,
  approved_at bigint,
  revision integer NOT NULL
);

CREATE TABLE IF NOT EXISTS backup_code_keys (
  name varchar(32) NOT NULL PRIMARY KEY,
  value varchar(64) NOT NULL
);

CREATE INDEX IF NOT EXISTS backup_code_users_reminders ON backup_code_users (namespace, reminded, expires_at, user_key);

CREATE INDEX IF NOT EXISTS backup_code_networks_forgotten ON backup_code_networks (forget_at);

CREATE INDEX IF NOT EXISTS backup_codes_set ON backup_codes (user_key, set_id);

CREATE INDEX IF NOT EXISTS backup_codes_ended ON backup_codes (ended_at) WHERE ended_at IS NOT NULL;

CREATE INDEX IF NOT EXISTS backup_code_events_user ON backup_code_events (user_key, seq);

CREATE INDEX IF NOT EXISTS backup_code_events_order ON backup_code_events (namespace, seq);

CREATE INDEX IF NOT EXISTS backup_code_events_at ON backup_code_events (namespace, at);

CREATE INDEX IF NOT EXISTS backup_code_approvals_expiry ON backup_code_approvals (expires_at);
