// Makes the tables. Drops and alters nothing.
import { Database } from './database';
import { readCreateTablesOptions, type CreateTablesOptions } from './options';

/**
 * Makes the tables and indexes that are missing. Safe to call at every start, and by several
 * processes at once. For migrations use {@link schemaSql} instead.
 *
 * @example
 * await createTables({ database: pool });
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export async function createTables(options: CreateTablesOptions): Promise<void> {
  await new Database(readCreateTablesOptions(options)).createTables();
}
