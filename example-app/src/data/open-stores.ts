// Opens and closes all stores: the database, sessions, backup codes, and the counters of the rate
// limiter.
import type { Store as RateLimitStore } from 'express-rate-limit';
import type { Store as SessionStore } from 'express-session';
import type { BackupCodeStore } from 'passport-backup-code';
import type { ApprovalStore } from 'passport-backup-code/approval';
import { RedisApprovalStore, RedisStore } from 'passport-backup-code/redis';
import { SqlApprovalStore, SqlStore } from 'passport-backup-code/sql';
import { RedisStore as RedisRateLimitStore } from 'rate-limit-redis';
import { sql } from 'kysely';
import type { Config } from '../config';
import { openSessions } from '../sessions/session-store';
import { type Database, openDatabase } from './database';
import { connectRedis } from './redis-connection';

export interface Stores {
  readonly db: Database;
  readonly sessions: SessionStore;
  readonly codes: BackupCodeStore;
  /** Two-person approvals. */
  readonly approvals: ApprovalStore;
  /** `undefined`: each process has its own counters. */
  readonly rateLimit: RateLimitStore | undefined;
  /** Rejects if one of the stores does not answer. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Also creates missing tables. */
export async function openStores(
  config: Config,
  report: (error: unknown) => void,
): Promise<Stores> {
  const redis = config.redisUrl === null ? null : await connectRedis(config.redisUrl, report);
  const db = await openDatabase(config, report);
  const sessions = await openSessions(config, { redis, report });
  return {
    db,
    sessions: sessions.store,
    ...(config.codesIn === 'redis' && redis !== null
      ? {
          codes: new RedisStore({ client: redis }),
          approvals: new RedisApprovalStore({ client: redis }),
        }
      : {
          codes: new SqlStore({ database: db }),
          approvals: new SqlApprovalStore({ database: db }),
        }),
    rateLimit:
      redis === null
        ? undefined
        : new RedisRateLimitStore({
            prefix: 'sign-in:',
            sendCommand: (...command: string[]) => redis.sendCommand(command),
          }),
    check: async () => {
      await Promise.all([sql`select 1`.execute(db), sessions.check()]);
    },
    close: async () => {
      await sessions.close();
      await db.destroy();
      await redis?.close();
    },
  };
}
