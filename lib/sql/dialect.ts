// The three dialects of SQL. Imports nothing of Kysely, so that the command line needs no Kysely.

/** `mysql` is MySQL and MariaDB. */
export type Dialect = 'sqlite' | 'postgres' | 'mysql';

export const DIALECTS: readonly Dialect[] = ['sqlite', 'postgres', 'mysql'];
