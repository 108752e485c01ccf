// Reads DATABASE_URL and REDIS_URL. An error says what is wrong, but repeats only the scheme,
// because the rest may contain a password.
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

/** `null` if it is not set. The app then uses SQLite files. */
export function readDatabaseUrl(given: string | undefined): DatabaseServer | null {
  if (given === undefined) return null;
  const { protocol, pathname } = readUrl('DATABASE_URL', given, DATABASE_MEANT);
  const kind = KINDS[protocol];
  if (kind === undefined)
    throw new ConfigError(`DATABASE_URL begins with "${protocol}", but must be ${DATABASE_MEANT}.`);
  if (pathname.length < 2)
    throw new ConfigError(`DATABASE_URL has no database name, but must be ${DATABASE_MEANT}.`);
  return { kind, url: given };
}

/** `null` if it is not set. */
export function readRedisUrl(given: string | undefined): string | null {
  if (given === undefined) return null;
  const { protocol, pathname } = readUrl('REDIS_URL', given, REDIS_MEANT);
  if (protocol !== 'redis:' && protocol !== 'rediss:')
    throw new ConfigError(`REDIS_URL begins with "${protocol}", but must be ${REDIS_MEANT}.`);
  if (!/^(\/\d*)?$/.test(pathname))
    throw new ConfigError(
      `REDIS_URL has a database that is not a number, but must be ${REDIS_MEANT}.`,
    );
  return given;
}

/**
 * An empty value is a mistake in the deployment. Treating it as missing would store the data in
 * another place.
 */
export function readUrl(name: string, given: string, meant: string): URL {
  if (given === '') throw new ConfigError(`${name} is empty, but must be ${meant}, or left out.`);
  if (!URL.canParse(given))
    throw new ConfigError(
      `${name} is not a valid URL; it must be ${meant}. ` +
        'In a password, write # as %23, / as %2F and @ as %40.',
    );
  return new URL(given);
}
