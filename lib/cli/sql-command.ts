// The command `sql`: prints the statements that create the tables. It opens no database.
import type { Dialect } from '../sql/dialect';
import { schemaScript } from '../sql/schema';
import type { Command, CommandHost, ExitCode } from './command';

const DIALECTS: readonly string[] = ['sqlite', 'postgres', 'mysql'] satisfies Dialect[];

export const sqlCommand: Command = {
  name: 'sql',
  synopsis: 'DIALECT',
  description: ['Prints the SQL that creates the tables. DIALECT is sqlite, postgres or mysql.'],
  run: printSchema,
};

function printSchema(args: readonly string[], { stdout }: CommandHost): ExitCode {
  const [dialect, ...excess] = args;
  if (dialect === undefined || excess.length > 0 || !DIALECTS.includes(dialect)) return 2;
  stdout(schemaScript(dialect as Dialect));
  return 0;
}
