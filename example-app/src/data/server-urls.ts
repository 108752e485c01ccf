// Where the servers are that the service keeps its data on: DATABASE_URL and REDIS_URL. Says what
// is wrong with them, and prints nothing of them but how they begin, for there may be a password in
// the rest.
import { ConfigError } from '../config-error';

export interface DatabaseServer {
  readonly kind: 'postgres' | 'mysql';
  readonly url: string;
}

const KINDS: Readonly<Record<string, DatabaseServer['kind']>> = {
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
};
const DATABASE_MEANT =
  'postgres://user:password@host/database, or the same with postgresql, mysql or mariadb';
const REDIS_MEANT = 'redis://host:6379 or rediss://user:password@host:6379/0';

/** `null`: there is none, and SQLite files are used. */
export function readDatabaseUrl(given: string | undefined): DatabaseServer | null {
  if (given === undefined) return null;
  const { protocol, pathname } = readUrl('DATABASE_URL', given, DATABASE_MEANT);
  const kind = KINDS[protocol];
  if (kind === undefined)
    throw new ConfigError(`DATABASE_URL begins with "${protocol}", but must be ${DATABASE_MEANT}.`);
  if (pathname.length < 2)
    throw new ConfigError(`DATABASE_URL names no database, but must be ${DATABASE_MEANT}.`);
  return { kind, url: given };
}

/** `null`: there is none. */
export function readRedisUrl(given: string | undefined): string | null {
  if (given === undefined) return null;
  const { protocol, pathname } = readUrl('REDIS_URL', given, REDIS_MEANT);
  if (protocol !== 'redis:' && protocol !== 'rediss:')
    throw new ConfigError(`REDIS_URL begins with "${protocol}", but must be ${REDIS_MEANT}.`);
  if (!/^(\/\d*)?$/.test(pathname))
    throw new ConfigError(
      `REDIS_URL names a database that is no number, but must be ${REDIS_MEANT}.`,
    );
  return given;
}

/**
 * An empty value is a mistake in somebody's deployment, and no reason to put the data somewhere
 * else.
 */
export function readUrl(name: string, given: string, meant: string): URL {
  if (given === '') throw new ConfigError(`${name} is empty, but must be ${meant}, or left out.`);
  if (!URL.canParse(given))
    throw new ConfigError(
      `${name} cannot be read; it must be ${meant}. Signs such as # / @ in a password are written as %23 %2F %40.`,
    );
  return new URL(given);
}
