// Why a database is refused: what was given, and what to give instead. Shows no connection string.
import { BackupCodeError } from '../errors';
import { hasMethods, read } from './sql-database';

interface Hint {
  readonly matches: (given: unknown) => boolean;
  readonly was: string;
  readonly instead: string;
}

const ACCEPTED = [
  'a Kysely',
  'a Pool of pg',
  'a pool of mysql2',
  'a database of better-sqlite3, libsql or node:sqlite',
];

const CLASS_OF_NODE_SQLITE = 'an object of the class DatabaseSync';

/** What apps have instead, the most specific first. */
const HINTS: readonly Hint[] = [
  {
    matches: (given) => given === undefined,
    was: 'was not given',
    instead: 'Pass the pool of your app: { database: pool }.',
  },
  {
    matches: (given) => typeof given === 'string' || given instanceof URL,
    was: 'was a connection string',
    instead: 'Make a pool of it, such as new Pool({ connectionString }) of pg, and pass the pool.',
  },
  {
    matches: (given) => typeof given === 'function' && hasMethods(given, ['raw', 'transaction']),
    was: 'was a Knex',
    instead: 'Its pool cannot be shared as it is. Pass a Kysely on it; the README shows how.',
  },
  {
    matches: (given) => hasMethods(given, ['$connect', '$transaction']),
    was: 'was a Prisma client',
    instead: 'Make the pool yourself, and pass it both to the driver adapter and here.',
  },
  {
    matches: (given) => hasMethods(given, ['select', 'insert']) && read(given, '_') !== undefined,
    was: 'was a Drizzle database',
    instead: 'Pass its driver: { database: db.$client }.',
  },
  {
    matches: (given) => hasMethods(given, ['authenticate', 'getDialect', 'define']),
    was: 'was a Sequelize',
    instead: 'Its pool cannot be shared. Make a pool of pg or mysql2 beside it, and pass that.',
  },
  {
    matches: (given) => hasMethods(given, ['createQueryRunner', 'getRepository']),
    was: 'was a TypeORM DataSource',
    instead:
      'Pass its pool: dataSource.driver.master (PostgreSQL) or dataSource.driver.pool (MySQL).',
  },
  {
    matches: (given) => hasMethods(given, ['connect', 'query', 'escapeIdentifier']),
    was: 'was a Client of pg',
    instead: 'Transactions that run at once need connections of their own. Pass a Pool.',
  },
  {
    matches: (given) => hasMethods(given, ['query', 'execute', 'beginTransaction']),
    was: 'was a connection of mysql2',
    instead: 'Transactions that run at once need connections of their own. Pass a pool.',
  },
  {
    matches: (given) => nameOf(given) === CLASS_OF_NODE_SQLITE,
    was: 'was a database of an early node:sqlite',
    instead: 'Use Node 22.13 or later.',
  },
];

/** The error for a database that cannot be used. */
export function refusedDatabase(given: unknown): BackupCodeError {
  const hint = HINTS.find(({ matches }) => matches(given));
  const was = hint?.was ?? `was ${nameOf(given)}`;
  const message = `database must be ${ACCEPTED.join(', or ')}, but ${was}.`;
  return new BackupCodeError(
    'invalid_option',
    hint === undefined ? message : `${message} ${hint.instead}`,
  );
}

function nameOf(given: unknown): string {
  if (typeof given !== 'object' || given === null)
    return given === null ? 'null' : `a ${typeof given}`;
  const name = read(read(given, 'constructor'), 'name');
  return typeof name === 'string' && name !== '' && name !== 'Object'
    ? `an object of the class ${name}`
    : 'a plain object';
}
