// What operators ask over all users, from a thousand to a million of them: the report, a day's reminders, pages of the
// audit trail, pruning. The rows are made by the database itself, as if a year had passed.
import { Kysely, sql } from 'kysely';
import { BackupCodes, fastHasher, formats, type BackupCodeStore } from '../lib';
import { userSubject } from '../lib/stores/subject';
import { createTables, SqlStore } from '../lib/sql';
import { newCode, newEvent, newSet } from '../lib/testing/samples';
import { places, type Place } from './places';
import type { Effort } from './rounds';
import type { Row, Table } from './table';

const SIZES = { quick: [1_000, 10_000], full: [1_000, 100_000, 1_000_000] } as const;
/** Redis makes no rows by itself: that takes too long for a million. */
const REDIS_SIZES = { quick: [1_000], full: [1_000, 100_000] } as const;
/** A key of 64 characters for row n, in the words of each database. */
const KEYS = {
  SQLite: 'lower(hex(randomblob(32)))',
  PostgreSQL: "md5(n::text) || md5('x' || n)",
} as const;
const NOW = Date.UTC(2030, 0, 1);
const DAY_MS = 86_400_000;
/** Sets were issued over as many days, so that the oldest have expired. */
const DAYS = 400;
const PAGES = 20;
const AT_ONCE = 500;

export async function* reports(effort: Effort): AsyncGenerator<Table> {
  for await (const place of places('SQLite', 'PostgreSQL', 'Redis')) {
    const rows: Row[] = [];
    for (const size of (place.client ? REDIS_SIZES : SIZES)[effort]) {
      rows.push({
        name: `${size.toLocaleString('en')} users`,
        figures: await ask(serviceOn(await filledStore(place, size))),
      });
    }
    yield { title: `${place.name}: reports, with two events of each user`, rows };
  }
}

async function filledStore(place: Place, size: number): Promise<BackupCodeStore> {
  if (!place.dialect) {
    const store = await place.store();
    await fillStore(store, size);
    return store;
  }
  const db = new Kysely<unknown>({ dialect: await place.dialect() });
  await fill(db, { size, key: place.name === 'SQLite' ? KEYS.SQLite : KEYS.PostgreSQL });
  return new SqlStore({ database: db });
}

async function ask(backupCodes: BackupCodes): Promise<Record<string, number>> {
  for (let n = 0; n < PAGES; n += 1) await backupCodes.issue(`measured-${n}`);
  const report = await secondsOf(() => backupCodes.audit.report());
  const due = await secondsOf(() => backupCodes.audit.recordReminders());
  const dueAgain = await secondsOf(() => backupCodes.audit.recordReminders());
  const page = await secondsOf(async () => {
    for (let [n, after] = [0, null as string | null]; n < PAGES; n += 1)
      after = (await backupCodes.audit.events({ after })).cursor;
  });
  const ofUser = await secondsOf(async () => {
    for (let n = 0; n < PAGES; n += 1)
      await backupCodes.audit.events({ userId: `measured-${n}`, order: 'newest-first' });
  });
  const prune = await secondsOf(() => backupCodes.audit.prune({ before: NOW - 365 * DAY_MS }));
  return {
    'report s': report.seconds,
    users: report.result.users,
    'due s': due.seconds,
    reminders: due.result,
    'due again s': dueAgain.seconds,
    'page of 100 ms': (page.seconds * 1000) / PAGES,
    "a user's page ms": (ofUser.seconds * 1000) / PAGES,
    'prune s': prune.seconds,
    pruned: prune.result,
  };
}

async function secondsOf<T>(call: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  const start = process.hrtime.bigint();
  const result = await call();
  return { seconds: Number(process.hrtime.bigint() - start) / 1e9, result };
}

/** Of each user two codes, one of an ended set, and two events. Whoever was due before today was reminded. */
async function fill(
  db: Kysely<unknown>,
  { size, key }: { size: number; key: string },
): Promise<void> {
  await createTables({ database: db });
  const issuedAt = sql`CAST(${NOW - DAYS * DAY_MS} AS bigint) + CAST(n % ${sql.lit(DAYS)} + 1 AS bigint) * ${sql.lit(DAY_MS)}`;
  const age = sql.raw(`(${DAYS} - 1 - n % ${DAYS})`);
  await sql`INSERT INTO backup_code_users (user_key, user_id, set_id, format, salt, hasher, pepper_id, pepper_check, total, remaining, created_at, expires_at, last_consumed_at, reminded)
    WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n + 1 < ${sql.lit(size)})
    SELECT ${sql.raw(key)}, 'user-' || n, 'set-' || n, '{}', '$2b$12$', '$2b$' || (10 + n % 3), '202' || n % 10, '', 10, n % 11, ${issuedAt}, ${issuedAt} + ${sql.lit(365 * DAY_MS)},
      CASE WHEN n % 3 = 0 THEN ${issuedAt} END, CASE WHEN ${age} > 365 THEN 3 WHEN ${age} > 358 THEN 2 WHEN ${age} > 335 THEN 1 ELSE 0 END FROM r`.execute(
    db,
  );
  for (const [name, endedAt] of [
    ['old', 'created_at'],
    ['new', 'NULL'],
  ] as const) {
    await sql`INSERT INTO backup_codes (code_id, user_key, set_id, salt, digest, created_at, ended_at)
      SELECT ${sql.lit(name)} || substr(user_key, 1, 28), user_key, set_id, '', '', created_at, ${sql.raw(endedAt)} FROM backup_code_users`.execute(
      db,
    );
  }
  await sql`INSERT INTO backup_code_events (event_id, type, at, user_key, user_id, set_id, reason, ip, user_agent, channel)
    SELECT substr(user_key, 1, 30) || k, CASE WHEN k = 0 THEN 'issued' WHEN last_consumed_at IS NULL THEN 'rejected' ELSE 'consumed' END, created_at + k, user_key, user_id, set_id,
      CASE WHEN k = 1 AND last_consumed_at IS NULL THEN 'mismatch' END, '192.0.2.' || (total * remaining), 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', 'second_factor'
    FROM backup_code_users, (SELECT 0 AS k UNION ALL SELECT 1) AS kinds ORDER BY created_at, k`.execute(
    db,
  );
  await sql`ANALYZE`.execute(db);
}

/** The same through the store, for Redis makes no rows by itself; with one code. */
async function fillStore(store: BackupCodeStore, size: number): Promise<void> {
  for (let from = 0; from < size; from += AT_ONCE) {
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, size - from) }, async (_, index) => {
        const n = from + index;
        const createdAt = NOW - (DAYS - 1 - Math.floor((n * DAYS) / size)) * DAY_MS;
        const subject = userSubject(`user-${n}`);
        const { header, event } = newSet(subject);
        await store.replace({
          subject,
          header: { ...header, createdAt, expiresAt: createdAt + 365 * DAY_MS },
          codes: [newCode()],
          event: { ...event, at: createdAt },
          now: createdAt,
        });
        await store.append([
          newEvent('rejected', subject, { at: createdAt + 1, reason: 'mismatch' }),
        ]);
      }),
    );
  }
  await serviceOn(store).audit.recordReminders({ now: NOW - DAY_MS });
}

function serviceOn(store: BackupCodeStore): BackupCodes {
  return new BackupCodes({ store, hasher: fastHasher(), format: formats.long, now: () => NOW });
}
