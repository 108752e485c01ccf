// What `import 'passport-backup-code/sql'` gives: one store for SQLite, PostgreSQL and MySQL/MariaDB, on Kysely.
export { SqlStore } from './store';
export { SqlApprovalStore } from './approvals';
export { createTables } from './tables';
export type { SqlDatabase } from './dialect';
