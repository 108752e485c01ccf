// Fills a store as if the app had issued sets for more than a year. Each user has two events. The
// database makes its own rows, which is fast enough for a million users. Redis cannot do this.
import { sql, type Kysely } from 'kysely';
import { BackupCodes, fastHasher, formats, type BackupCodeStore } from '../lib';
import { createTables } from '../lib/sql';
import { userSubject } from '../lib/stores/subject';
import { newCode, newEvent, newSet } from '../lib/testing/samples';

/** The clock of the services on this store. */
export const NOW = Date.UTC(2030, 0, 1);
const DAY_MS = 86_400_000;
export const YEAR_MS = 365 * DAY_MS;
/** The sets were issued over this many days, so that the oldest have expired. */
const DAYS = 400;
/** The number of users that are written to a store at the same time. */
const BATCH = 500;

/** SQL for a random key of 64 characters, in the row with the number `n`. */
export const RANDOM_KEY_SQL = {
  SQLite: 'lower(hex(randomblob(32)))',
  PostgreSQL: "md5(n::text) || md5('x' || n)",
} as const;

export function serviceOn(store: BackupCodeStore): BackupCodes {
  return new BackupCodes({ store, hasher: fastHasher(), format: formats.long, now: () => NOW });
}

/**
 * Makes the tables and fills them. Each user has two codes, one of them from a set that has ended.
 * Reminders that were due before today are recorded.
 */
export async function fillDatabase(
  db: Kysely<unknown>,
  { users, randomKey }: { users: number; randomKey: string },
): Promise<void> {
  await createTables({ database: db });
  await insertUsers(db, { users, randomKey });
  await insertCodes(db, { idPrefix: 'old', endedAt: 'created_at' });
  await insertCodes(db, { idPrefix: 'new', endedAt: 'NULL' });
  await insertEvents(db);
  await sql`ANALYZE`.execute(db);
}

async function insertUsers(
  db: Kysely<unknown>,
  { users, randomKey }: { users: number; randomKey: string },
): Promise<void> {
  const firstDay = sql`CAST(${NOW - DAYS * DAY_MS} AS bigint)`;
  const day = sql`CAST(n % ${sql.lit(DAYS)} + 1 AS bigint)`;
  const issuedAt = sql`${firstDay} + ${day} * ${sql.lit(DAY_MS)}`;
  const ageInDays = sql.raw(`(${DAYS} - 1 - n % ${DAYS})`);
  const insert = sql`
    INSERT INTO backup_code_users (
      user_key, user_id, set_id, format, salt, hasher, pepper_id, pepper_check,
      total, remaining, created_at, expires_at, last_consumed_at, reminded
    )
    WITH RECURSIVE numbers(n) AS (
      SELECT 0
      UNION ALL
      SELECT n + 1 FROM numbers WHERE n + 1 < ${sql.lit(users)}
    )
    SELECT
      ${sql.raw(randomKey)},
      'user-' || n,
      'set-' || n,
      '{}',
      '$2b$12$',
      '$2b$' || (10 + n % 3),
      '202' || n % 10,
      '',
      10,
      n % 11,
      ${issuedAt},
      ${issuedAt} + ${sql.lit(YEAR_MS)},
      CASE WHEN n % 3 = 0 THEN ${issuedAt} END,
      CASE
        WHEN ${ageInDays} > 365 THEN 3
        WHEN ${ageInDays} > 358 THEN 2
        WHEN ${ageInDays} > 335 THEN 1
        ELSE 0
      END
    FROM numbers`;
  await insert.execute(db);
}

async function insertCodes(
  db: Kysely<unknown>,
  { idPrefix, endedAt }: { idPrefix: string; endedAt: string },
): Promise<void> {
  const insert = sql`
    INSERT INTO backup_codes (code_id, user_key, set_id, salt, digest, created_at, ended_at)
    SELECT
      ${sql.lit(idPrefix)} || substr(user_key, 1, 28),
      user_key,
      set_id,
      '',
      '',
      created_at,
      ${sql.raw(endedAt)}
    FROM backup_code_users`;
  await insert.execute(db);
}

async function insertEvents(db: Kysely<unknown>): Promise<void> {
  const insert = sql`
    INSERT INTO backup_code_events (
      event_id, type, at, user_key, user_id, set_id, reason, ip, user_agent, channel
    )
    SELECT
      substr(user_key, 1, 30) || k,
      CASE
        WHEN k = 0 THEN 'issued'
        WHEN last_consumed_at IS NULL THEN 'rejected'
        ELSE 'consumed'
      END,
      created_at + k,
      user_key,
      user_id,
      set_id,
      CASE WHEN k = 1 AND last_consumed_at IS NULL THEN 'mismatch' END,
      '192.0.2.' || (total * remaining),
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
      'second_factor'
    FROM backup_code_users, (SELECT 0 AS k UNION ALL SELECT 1) AS kinds
    ORDER BY created_at, k`;
  await insert.execute(db);
}

/** Fills any store through its own methods. Each user has one code. */
export async function fillStore(store: BackupCodeStore, users: number): Promise<void> {
  for (let from = 0; from < users; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, users - from) }, (_, index) => {
      const n = from + index;
      const ageInDays = DAYS - 1 - Math.floor((n * DAYS) / users);
      return addUser(store, { userId: `user-${n}`, createdAt: NOW - ageInDays * DAY_MS });
    });
    await Promise.all(batch);
  }
  await serviceOn(store).audit.recordReminders({ now: NOW - DAY_MS });
}

async function addUser(
  store: BackupCodeStore,
  { userId, createdAt }: { userId: string; createdAt: number },
): Promise<void> {
  const subject = userSubject(userId);
  const { header, event } = newSet(subject);
  await store.replace({
    subject,
    header: { ...header, createdAt, expiresAt: createdAt + YEAR_MS },
    codes: [newCode()],
    event: { ...event, at: createdAt },
    now: createdAt,
  });
  const rejection = newEvent('rejected', subject, { at: createdAt + 1, reason: 'mismatch' });
  await store.append([rejection]);
}
