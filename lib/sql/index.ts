// What `import 'passport-backup-code/sql'` gives: the stores for SQLite, PostgreSQL, MySQL and
// MariaDB, and their tables.
export { SqlStore } from './sql-store';
export { SqlApprovalStore } from './sql-approval-store';
export { createTables } from './create-tables';
export { schemaSql } from './schema-sql';
export { nodeSqliteDialect } from './node-sqlite';
export type { CreateTablesOptions, SqlStoreOptions } from './options';
export type { NodeSqliteAdapter, NodeSqliteDialect } from './node-sqlite';
export type { TableOptions } from './table-names';
export type { Dialect } from './dialect';
export type {
  KyselyDatabase,
  Mysql2Pool,
  Mysql2PromisePool,
  NodeSqliteDatabase,
  PgPool,
  SqlDatabase,
  SqliteDatabase,
} from './sql-database';
