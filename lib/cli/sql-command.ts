// The command `sql`: prints the statements that create the tables. It opens no database.
import { DIALECTS, type Dialect } from '../sql/dialect';
import { schemaSql } from '../sql/schema-sql';
import type { Command, CommandHost, ExitCode } from './command';

export const sqlCommand: Command = {
  name: 'sql',
  synopsis: 'DIALECT',
  description: ['Prints the SQL that creates the tables. DIALECT is sqlite, postgres or mysql.'],
  run: printSchema,
};

function printSchema(args: readonly string[], { stdout }: CommandHost): ExitCode {
  const [dialect, ...excess] = args;
  if (dialect === undefined || excess.length > 0 || !isDialect(dialect)) return 2;
  stdout(schemaSql(dialect));
  return 0;
}

function isDialect(given: string): given is Dialect {
  return DIALECTS.some((dialect) => dialect === given);
}
