// What the service is told from outside. Reads the environment once, and refuses what makes no
// sense before anything is opened.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError } from './config-error';
import { readOrCreateSecret, createPepper, createSessionSecret } from './data/generated-secrets';
import { type DatabaseServer, readDatabaseUrl, readRedisUrl } from './data/server-urls';
import { usernameKey } from './login/users';
import { type MailSettings, readMailSettings } from './notices/mail-settings';

export interface Config {
  /** 0: any free port. */
  readonly port: number;
  /**
   * Absolute; exists. Holds the SQLite files, where there is no server for what is in them, and,
   * outside production, the secrets.
   */
  readonly dataDir: string;
  /** Holds users, authenticators, codes and sessions. `null`: SQLite files. */
  readonly database: DatabaseServer | null;
  /**
   * Holds sessions and the counts of the rate limiter. `null`: the database holds the sessions,
   * each process its counts.
   */
  readonly redisUrl: string | null;
  /** Where backup codes and their audit trail are kept. */
  readonly codesIn: 'sql' | 'redis';
  /** How many processes serve. */
  readonly workers: number;
  readonly isProduction: boolean;
  /** What Express calls `trust proxy`: how many proxies stand in front, or their addresses. */
  readonly trustProxy: false | number | readonly string[];
  readonly sessionSecret: string;
  /** Newest first: the first signs new sets, all are read. */
  readonly pepper: readonly { readonly id: string; readonly key: Buffer }[];
  /** Posts to the sign-in and sign-up forms, from one address, in 15 minutes. */
  readonly signInLimit: number;
  /** User names of administrators, normalised. */
  readonly admins: readonly string[];
  readonly mail: MailSettings;
  /** How long audit events are kept. */
  readonly auditDays: number;
}

/** In titles, in authenticator apps and in mail. */
export const SERVICE_NAME = 'Backup code example';

const MODES = ['production', 'development', 'test'];
const MAX_WORKERS = 64;
const MIN_SECRET_LENGTH = 32;
const MIN_PEPPER_BYTES = 32;

/** @throws {ConfigError} */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const mode = env.NODE_ENV ?? 'development';
  if (!MODES.includes(mode))
    throw new ConfigError(`NODE_ENV is "${mode}", but must be ${MODES.join(', ')} or left out.`);
  const isProduction = mode === 'production';
  const port = wholeNumber('PORT', env.PORT, { min: 0, max: 65535, fallback: 3000 });
  const trustProxy = readTrustProxy(env.TRUST_PROXY);
  const signInLimit = wholeNumber('SIGN_IN_LIMIT', env.SIGN_IN_LIMIT, {
    min: 1,
    max: 1_000_000,
    fallback: 1000,
  });
  const auditDays = wholeNumber('AUDIT_DAYS', env.AUDIT_DAYS, {
    min: 1,
    max: 36_500,
    fallback: 365,
  });
  const mail = readMailSettings(env, { isProduction, port });
  const database = readDatabaseUrl(env.DATABASE_URL);
  const redisUrl = readRedisUrl(env.REDIS_URL);
  const codesIn = readCodesIn(env.BACKUP_CODE_STORE, redisUrl);
  const workers = readWorkers(env.WEB_CONCURRENCY, database);
  requireSecrets(env, isProduction);
  const dataDir = openDataDir(env.DATA_DIR);
  return {
    port,
    dataDir,
    database,
    redisUrl,
    codesIn,
    workers,
    isProduction,
    trustProxy,
    signInLimit,
    mail,
    auditDays,
    admins: (env.ADMINS ?? (isProduction ? '' : 'admin'))
      .split(',')
      .map(usernameKey)
      .filter((name) => name !== ''),
    sessionSecret: readSessionSecret(
      env.SESSION_SECRET ??
        readOrCreateSecret(join(dataDir, 'session-secret'), createSessionSecret),
    ),
    pepper: readPepper(
      env.BACKUP_CODE_PEPPER ??
        readOrCreateSecret(join(dataDir, 'backup-code-pepper'), createPepper),
    ),
  };
}

/**
 * A secret made on the fly would be another one on the next machine, and a pepper beside the
 * database protects nothing.
 */
function requireSecrets(env: NodeJS.ProcessEnv, isProduction: boolean): void {
  if (!isProduction) return;
  const missing = ['SESSION_SECRET', 'BACKUP_CODE_PEPPER'].filter(
    (name) => env[name] === undefined || env[name] === '',
  );
  if (missing.length > 0)
    throw new ConfigError(
      `In production ${missing.join(' and ')} must be set; example-app/README.md shows how to make them.`,
    );
}

function readCodesIn(given: string | undefined, redisUrl: string | null): Config['codesIn'] {
  if (given === undefined || given === 'sql') return 'sql';
  if (given !== 'redis')
    throw new ConfigError(`BACKUP_CODE_STORE is "${given}", but must be sql, redis or left out.`);
  if (redisUrl === null)
    throw new ConfigError('BACKUP_CODE_STORE is redis, but REDIS_URL is not set.');
  return 'redis';
}

/**
 * A SQLite file lets one process write at a time, and a connection that waited too long for its
 * turn is of no use afterwards.
 */
function readWorkers(given: string | undefined, database: DatabaseServer | null): number {
  const workers = wholeNumber('WEB_CONCURRENCY', given, { min: 1, max: MAX_WORKERS, fallback: 1 });
  if (workers > 1 && database === null)
    throw new ConfigError(
      `WEB_CONCURRENCY is ${workers}, but SQLite files serve one process: set DATABASE_URL, or leave WEB_CONCURRENCY out.`,
    );
  return workers;
}

function openDataDir(given: string | undefined): string {
  if (given === '')
    throw new ConfigError('DATA_DIR is empty, but must be a directory or left out.');
  const dataDir = given === undefined ? join(__dirname, '..', 'data') : resolve(given);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ConfigError(`DATA_DIR is "${dataDir}", which cannot be made or is no directory.`, {
      cause: error,
    });
  }
  return dataDir;
}

function readSessionSecret(given: string): string {
  if (given.length < MIN_SECRET_LENGTH) {
    throw new ConfigError(
      `SESSION_SECRET has ${given.length} characters, but must be a random text of at least ${MIN_SECRET_LENGTH}.`,
    );
  }
  return given;
}

/**
 * `id:base64`, or several of them with commas between, newest first. The key itself is never part
 * of a message.
 */
function readPepper(given: string): Config['pepper'] {
  const peppers = given.split(',').map((part, index) => {
    const [, id, base64] = /^([\w.-]{1,64}):([A-Za-z0-9+/]+={0,2})$/.exec(part.trim()) ?? [];
    if (id === undefined || base64 === undefined || id === 'none') {
      throw new ConfigError(
        `BACKUP_CODE_PEPPER, part ${index + 1}, is not of the form id:base64, as in 2026:3q2+7w... (32 bytes).`,
      );
    }
    const key = Buffer.from(base64, 'base64');
    if (key.length < MIN_PEPPER_BYTES) {
      throw new ConfigError(
        `BACKUP_CODE_PEPPER "${id}" has ${key.length} bytes, but must have at least ${MIN_PEPPER_BYTES} random ones.`,
      );
    }
    return { id, key };
  });
  const twice = peppers.find(
    ({ id }, index) => peppers.findIndex((other) => other.id === id) !== index,
  );
  if (twice !== undefined)
    throw new ConfigError(`BACKUP_CODE_PEPPER has two keys with the id "${twice.id}".`);
  return peppers;
}

/** `true` is refused: it would believe every client's own X-Forwarded-For. */
function readTrustProxy(given: string | undefined): Config['trustProxy'] {
  if (given === undefined || given === '' || given === 'false' || given === '0') return false;
  if (/^[1-9]$/.test(given)) return Number(given);
  const addresses = given.split(',').map((address) => address.trim());
  if (
    addresses.every((address) =>
      /^(loopback|linklocal|uniquelocal|[0-9a-f:.]*[:.][0-9a-f:.]*(\/\d{1,3})?)$/i.test(address),
    )
  )
    return addresses;
  throw new ConfigError(
    `TRUST_PROXY is "${given}", but must be the number of proxies in front (1 to 9), or their addresses with commas between, as in "loopback, 10.0.0.0/8".`,
  );
}

function wholeNumber(
  name: string,
  given: string | undefined,
  { min, max, fallback }: { min: number; max: number; fallback: number },
): number {
  if (given === undefined || given === '') return fallback;
  if (!/^\d+$/.test(given) || Number(given) < min || Number(given) > max) {
    throw new ConfigError(
      `${name} is "${given}", but must be a whole number from ${min} to ${max}.`,
    );
  }
  return Number(given);
}
