// Reads the configuration from the environment once, and refuses invalid values before anything is
// opened.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError } from './config-error';
import { readOrCreateSecret, createPepper, createSessionSecret } from './data/generated-secrets';
import { type DatabaseServer, readDatabaseUrl, readRedisUrl } from './data/server-urls';
import { usernameKey } from './login/users';
import { type MailSettings, readMailSettings } from './notices/mail-settings';

export interface Config {
  /** 0 means any free port. */
  readonly port: number;
  /**
   * An absolute path to an existing directory. It contains the SQLite files if no server is
   * configured and, outside production, the secrets.
   */
  readonly dataDir: string;
  /** The server for users, authenticators, codes and sessions. `null`: SQLite files. */
  readonly database: DatabaseServer | null;
  /**
   * The server for sessions and the counters of the rate limiter. `null`: sessions are stored in
   * the database, and each process has its own counters.
   */
  readonly redisUrl: string | null;
  /** The store for backup codes and their audit trail. */
  readonly codesIn: 'sql' | 'redis';
  /** The number of processes. */
  readonly workers: number;
  readonly isProduction: boolean;
  /** Express's `trust proxy`: the number of proxies in front of the service, or their addresses. */
  readonly trustProxy: false | number | readonly string[];
  readonly sessionSecret: string;
  /** Newest first. The first one is used for new sets; all of them can be read. */
  readonly pepper: readonly { readonly id: string; readonly key: Buffer }[];
  /** How many posts to the login and sign-up forms one address may send in 15 minutes. */
  readonly signInLimit: number;
  /** User names of administrators, normalized. */
  readonly admins: readonly string[];
  readonly mail: MailSettings;
  /** How many days audit events are kept. */
  readonly auditDays: number;
}

/** Shown in titles, in authenticator apps and in mail. */
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
  const port = readWholeNumber('PORT', env.PORT, { min: 0, max: 65535, fallback: 3000 });
  const trustProxy = readTrustProxy(env.TRUST_PROXY);
  const signInLimit = readWholeNumber('SIGN_IN_LIMIT', env.SIGN_IN_LIMIT, {
    min: 1,
    max: 1_000_000,
    fallback: 1000,
  });
  const auditDays = readWholeNumber('AUDIT_DAYS', env.AUDIT_DAYS, {
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
 * A secret that is generated at the start would differ on the next machine, and a pepper stored
 * beside the database protects nothing.
 */
function requireSecrets(env: NodeJS.ProcessEnv, isProduction: boolean): void {
  if (!isProduction) return;
  const missing = ['SESSION_SECRET', 'BACKUP_CODE_PEPPER'].filter(
    (name) => env[name] === undefined || env[name] === '',
  );
  if (missing.length > 0)
    throw new ConfigError(
      `In production ${missing.join(' and ')} must be set. ` +
        'example-app/README.md shows how to generate them.',
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
 * Only one process at a time can write to a SQLite file. A connection that timed out while it
 * waited cannot be used afterwards.
 */
function readWorkers(given: string | undefined, database: DatabaseServer | null): number {
  const workers = readWholeNumber('WEB_CONCURRENCY', given, {
    min: 1,
    max: MAX_WORKERS,
    fallback: 1,
  });
  if (workers > 1 && database === null)
    throw new ConfigError(
      `WEB_CONCURRENCY is ${workers}, but SQLite files support only one process: ` +
        'set DATABASE_URL, or leave WEB_CONCURRENCY out.',
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
    throw new ConfigError(
      `DATA_DIR is "${dataDir}", which is not a directory and cannot be created.`,
      { cause: error },
    );
  }
  return dataDir;
}

function readSessionSecret(given: string): string {
  if (given.length < MIN_SECRET_LENGTH) {
    throw new ConfigError(
      `SESSION_SECRET has ${given.length} characters, ` +
        `but must have at least ${MIN_SECRET_LENGTH} random ones.`,
    );
  }
  return given;
}

/**
 * `id:base64`, or several of them separated by commas, newest first. No message contains the key.
 */
function readPepper(given: string): Config['pepper'] {
  const peppers = given.split(',').map((part, index) => {
    const [, id, base64] = /^([\w.-]{1,64}):([A-Za-z0-9+/]+={0,2})$/.exec(part.trim()) ?? [];
    if (id === undefined || base64 === undefined || id === 'none') {
      throw new ConfigError(
        `BACKUP_CODE_PEPPER, part ${index + 1}, does not have the form id:base64, ` +
          'as in 2026:3q2+7w... (32 bytes).',
      );
    }
    const key = Buffer.from(base64, 'base64');
    if (key.length < MIN_PEPPER_BYTES) {
      throw new ConfigError(
        `BACKUP_CODE_PEPPER "${id}" has ${key.length} bytes, ` +
          `but must have at least ${MIN_PEPPER_BYTES} random ones.`,
      );
    }
    return { id, key };
  });
  const duplicate = peppers.find(
    ({ id }, index) => peppers.findIndex((other) => other.id === id) !== index,
  );
  if (duplicate !== undefined)
    throw new ConfigError(`BACKUP_CODE_PEPPER has two keys with the id "${duplicate.id}".`);
  return peppers;
}

/** `true` is refused: it would trust the X-Forwarded-For header of every client. */
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
    `TRUST_PROXY is "${given}", but must be the number of proxies in front (1 to 9), ` +
      'or their addresses separated by commas, as in "loopback, 10.0.0.0/8".',
  );
}

function readWholeNumber(
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
