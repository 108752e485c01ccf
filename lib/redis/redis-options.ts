// The options of both stores on Redis, checked at construction.
import { BackupCodeError } from '../errors';
import { assertMethods, assertOptions, describe } from '../internal/validate';
import type { RedisClient } from './client';

/** The options of {@link RedisStore} and {@link RedisApprovalStore}. */
export interface RedisStoreOptions {
  /**
   * A connected client of `redis` (node-redis 5 or later): `createClient`, `createCluster`,
   * `createSentinel` or `createClientPool`. Create it with `disableOfflineQueue: true`. Without it
   * a login waits as long as the server is away, instead of failing at once.
   */
  readonly client: RedisClient;
  /**
   * The first part of every key: up to 64 characters without braces, which mark the hash tag.
   *
   * @default 'backup-code:'
   */
  readonly prefix?: string;
}

/** The keys of one app on one server or cluster. */
export type RedisKeyspace = Readonly<Required<RedisStoreOptions>>;

const MAX_PREFIX_LENGTH = 64;

/** @throws {BackupCodeError} `invalid_option` */
export function checkOptions(className: string, options: RedisStoreOptions): RedisKeyspace {
  assertOptions(className, options, ['client', 'prefix']);
  const { client, prefix = 'backup-code:' } = options;
  assertMethods('client', client, ['eval', 'evalSha']);
  if (typeof prefix !== 'string' || prefix.length > MAX_PREFIX_LENGTH || /[{}]/.test(prefix)) {
    throw new BackupCodeError(
      'invalid_option',
      `prefix must be a string of up to ${MAX_PREFIX_LENGTH} characters without braces, ` +
        `but was ${describe(prefix)}.`,
    );
  }
  return { client, prefix };
}
