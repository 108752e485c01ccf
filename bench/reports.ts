// What operators ask over all users, from a thousand to a million of them: the report, a day's reminders, pages of the
// audit trail, pruning. The rows are made by the database itself, as if a year had passed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, PostgresDialect, sql, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { BackupCodes, type BackupCodeStore } from '../lib';
import { RedisStore } from '../lib/redis';
import { createTables, SqlStore } from '../lib/sql';
import { newCode, newEvent, newSet } from '../lib/testing/samples';
import { userSubject } from '../lib/subject';
import { postgres, redis } from '../test/helpers/servers';
import type { Figures } from './figures';
import { quickHasher } from './quick-hasher';

const SIZES = [1_000, 100_000, 1_000_000];
const REDIS_SIZES = [1_000, 100_000];
const NOW = Date.UTC(2030, 0, 1);
const DAY_MS = 86_400_000;
/** Sets were issued over as many days, so that the oldest have expired. */
const DAYS = 400;
const PAGES = 20;
const AT_ONCE = 500;

export async function* reports(): AsyncGenerator<Figures> {
  const dir = mkdtempSync(join(tmpdir(), 'backup-codes-bench-'));
  try {
    yield await overSizes('SQLite', SIZES, async (size) => {
      const file = new Database(join(dir, `${size}.db`));
      file.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL');
      const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: file }) });
      await fill(db, { size, key: 'lower(hex(randomblob(32)))' });
      return { store: new SqlStore(db), close: () => db.destroy() };
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
  yield* onServers();
}

async function* onServers(): AsyncGenerator<Figures> {
  if (isThere(postgres)) {
    const server = await postgres.start({ fsync: 'on' });
    try {
      yield await overSizes('PostgreSQL', SIZES, async (size) => {
        const pool = new Pool({ connectionString: await server.createDatabase(`bench_${size}`) });
        const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
        await fill(db, { size, key: "md5(n::text) || md5('x' || n)" });
        return { store: new SqlStore(db), close: () => db.destroy() };
      });
    } finally {
      await server.stop();
    }
  }
  if (isThere(redis)) {
    const server = await redis.start();
    const client = createClient({ url: server.url });
    await client.connect();
    try {
      yield await overSizes('Redis', REDIS_SIZES, async (size) => {
        const store = new RedisStore({ client, prefix: `${size}:` });
        await fillStore(store, size);
        return { store, close: () => Promise.resolve() };
      });
    } finally {
      client.destroy();
      await server.stop();
    }
  }
}

function isThere({ missing }: { missing: () => string | null }): boolean {
  const reason = missing();
  if (reason !== null) process.stdout.write(`\nSkipped: ${reason}\n`);
  return reason === null;
}

async function overSizes(
  name: string,
  sizes: readonly number[],
  open: (size: number) => Promise<{ store: BackupCodeStore; close: () => Promise<void> }>,
): Promise<Figures> {
  const rows: Figures['rows'][number][] = [];
  for (const size of sizes) {
    const { store, close } = await open(size);
    rows.push({ name: `${size.toLocaleString('en')} users`, figures: await ask(serviceOn(store)) });
    await close();
  }
  return { title: `Reports on ${name}, with two events of each user`, rows };
}

async function ask(backupCodes: BackupCodes): Promise<Record<string, number>> {
  for (let n = 0; n < PAGES; n += 1) await backupCodes.issue(`measured-${n}`);
  const report = await secondsOf(() => backupCodes.report());
  const due = await secondsOf(() => backupCodes.due());
  const dueAgain = await secondsOf(() => backupCodes.due());
  const page = await secondsOf(async () => {
    for (let [n, after] = [0, null as string | null]; n < PAGES; n += 1) after = (await backupCodes.events({ after })).cursor;
  });
  const ofUser = await secondsOf(async () => {
    for (let n = 0; n < PAGES; n += 1) await backupCodes.events({ userId: `measured-${n}`, order: 'newest-first' });
  });
  const prune = await secondsOf(() => backupCodes.prune({ before: NOW - 365 * DAY_MS }));
  return {
    'report s': report.seconds, 'users': report.result.users,
    'due s': due.seconds, 'reminders': due.result.length, 'due again s': dueAgain.seconds,
    'page of 100 ms': (page.seconds * 1000) / PAGES, "a user's page ms": (ofUser.seconds * 1000) / PAGES,
    'prune s': prune.seconds, 'pruned': prune.result,
  };
}

async function secondsOf<T>(call: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  const start = process.hrtime.bigint();
  const result = await call();
  return { seconds: Number(process.hrtime.bigint() - start) / 1e9, result };
}

/** Of each user two codes, one of an ended set, and two events. Whoever was due before today was reminded. */
async function fill(db: Kysely<unknown>, { size, key }: { size: number; key: string }): Promise<void> {
  await createTables(db);
  const issuedAt = sql`CAST(${NOW - DAYS * DAY_MS} AS bigint) + CAST(n % ${sql.lit(DAYS)} + 1 AS bigint) * ${sql.lit(DAY_MS)}`;
  const age = sql.raw(`(${DAYS} - 1 - n % ${DAYS})`);
  await sql`INSERT INTO backup_code_users (user_key, user_id, set_id, format, salt, hasher, pepper_id, pepper_check, total, remaining, created_at, expires_at, last_consumed_at, reminded)
    WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n + 1 < ${sql.lit(size)})
    SELECT ${sql.raw(key)}, 'user-' || n, 'set-' || n, '{}', '$2b$12$', '$2b$' || (10 + n % 3), '202' || n % 10, '', 10, n % 11, ${issuedAt}, ${issuedAt} + ${sql.lit(365 * DAY_MS)},
      CASE WHEN n % 3 = 0 THEN ${issuedAt} END, CASE WHEN ${age} > 365 THEN 3 WHEN ${age} > 358 THEN 2 WHEN ${age} > 335 THEN 1 ELSE 0 END FROM r`.execute(db);
  for (const [name, endedAt] of [['old', 'created_at'], ['new', 'NULL']] as const) {
    await sql`INSERT INTO backup_codes (code_id, user_key, set_id, salt, digest, created_at, ended_at)
      SELECT ${sql.lit(name)} || substr(user_key, 1, 28), user_key, set_id, '', '', created_at, ${sql.raw(endedAt)} FROM backup_code_users`.execute(db);
  }
  await sql`INSERT INTO backup_code_events (event_id, type, at, user_key, user_id, set_id, reason, ip, user_agent, door)
    SELECT substr(user_key, 1, 30) || k, CASE WHEN k = 0 THEN 'issued' WHEN last_consumed_at IS NULL THEN 'rejected' ELSE 'consumed' END, created_at + k, user_key, user_id, set_id,
      CASE WHEN k = 1 AND last_consumed_at IS NULL THEN 'mismatch' END, '192.0.2.' || (total * remaining), 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', 'first-factor'
    FROM backup_code_users, (SELECT 0 AS k UNION ALL SELECT 1) AS kinds ORDER BY created_at, k`.execute(db);
  await sql`ANALYZE`.execute(db);
}

/** The same through the store, for Redis makes no rows by itself; with one code. */
async function fillStore(store: BackupCodeStore, size: number): Promise<void> {
  for (let from = 0; from < size; from += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, size - from) }, async (_, index) => {
      const n = from + index;
      const createdAt = NOW - (DAYS - 1 - (Math.floor((n * DAYS) / size))) * DAY_MS;
      const subject = userSubject(`user-${n}`);
      const { header, event } = newSet(subject);
      await store.replace({ subject, header: { ...header, createdAt, expiresAt: createdAt + 365 * DAY_MS }, codes: [newCode()], event: { ...event, at: createdAt }, now: createdAt });
      await store.append([newEvent('rejected', subject, { at: createdAt + 1, reason: 'mismatch' })]);
    }));
  }
  await serviceOn(store).due({ now: NOW - DAY_MS });
}

function serviceOn(store: BackupCodeStore): BackupCodes {
  return new BackupCodes({ store, hasher: quickHasher, now: () => NOW });
}
