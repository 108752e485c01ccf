// The tables in each dialect, as SQL. The files in schema/ hold the same for the default names.
// Runs nothing, and needs no Kysely.
import { BackupCodeError } from '../errors';
import { assertOptions } from '../internal/validate';
import { DIALECTS, type Dialect } from './dialect';
import { tableDefinitions, type Index, type Table } from './table-definitions';
import { readTableNames, type TableNames, type TableOptions } from './table-names';

/**
 * The SQL that makes the tables and indexes, for your migrations: several statements, each ended by
 * a semicolon. `mysql` is for MariaDB too. With `mysql2` run it on a connection that has
 * `multipleStatements`, with better-sqlite3 use `exec`.
 *
 * @example
 * await queryRunner.query(schemaSql('postgres', { schema: 'auth' }));
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function schemaSql(dialect: Dialect, options: TableOptions = {}): string {
  if (!DIALECTS.includes(dialect)) {
    throw new BackupCodeError(
      'invalid_option',
      `schemaSql takes one of ${DIALECTS.map((name) => `'${name}'`).join(', ')}.`,
    );
  }
  assertOptions('schemaSql', options, ['schema', 'tablePrefix']);
  const statements = tableStatements(dialect, readTableNames(dialect, options));
  return statements.map((statement) => `${statement};\n`).join('\n');
}

/** In the order in which to run them. */
export function tableStatements(dialect: Dialect, names: TableNames): readonly string[] {
  const tables = tableDefinitions(dialect);
  const statements = tables.map((table) => createTable(dialect, { table, names }));
  if (dialect === 'mysql') return statements;
  for (const table of tables) {
    for (const index of table.indexes) {
      statements.push(createIndex(dialect, { table, index, names }));
    }
  }
  return statements;
}

interface NamedTable {
  readonly table: Table;
  readonly names: TableNames;
}

function createTable(dialect: Dialect, { table, names }: NamedTable): string {
  // MySQL has no CREATE INDEX IF NOT EXISTS, so its indexes are made with the table.
  const keys = table.indexes.map(({ name, columns }) => `KEY ${names.prefix}${name} (${columns})`);
  const lines = dialect === 'mysql' ? [...table.columns, ...keys] : table.columns;
  const options = dialect === 'mysql' ? ' ENGINE=InnoDB DEFAULT CHARSET=utf8mb4' : '';
  const name = qualifiedName(dialect, { table, names });
  return `CREATE TABLE IF NOT EXISTS ${name} (\n  ${lines.join(',\n  ')}\n)${options}`;
}

function createIndex(
  dialect: Dialect,
  { table, index, names }: NamedTable & { readonly index: Index },
): string {
  const name = `${names.prefix}${index.name}`;
  const on = qualifiedName(dialect, { table, names });
  const where = index.where === undefined ? '' : ` WHERE ${index.where}`;
  // An index is in the schema of its table.
  return `CREATE INDEX IF NOT EXISTS ${name} ON ${on} (${index.columns})${where}`;
}

/** The schema keeps its case. A table name is lower-case, and needs no quotes. */
function qualifiedName(dialect: Dialect, { table, names }: NamedTable): string {
  const name = `${names.prefix}${table.name}`;
  if (names.schema === null) return name;
  return dialect === 'mysql' ? `\`${names.schema}\`.${name}` : `"${names.schema}".${name}`;
}
