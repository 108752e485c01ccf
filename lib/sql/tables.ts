// Makes the tables. Drops and alters nothing.
import { Database } from './database';
import type { SqlDatabase } from './dialect';
import { tableStatements } from './schema';

/** Makes the tables and indexes that are not there yet. Safe to call at every start, and by several processes at once. */
export async function createTables(kysely: SqlDatabase): Promise<void> {
  const database = new Database(kysely);
  for (const statement of tableStatements(database.dialect)) {
    // PostgreSQL fails IF NOT EXISTS where another process makes the same table at the same time; then it is there.
    await database.define(statement).catch(() => database.define(statement));
  }
}
