// Reading the audit trail, pruning, reminders and counts, on a SQL database. It counts in the database, not in memory.
//
// `seq` is given when a row is inserted, not when it is committed: a page that ends at 7 must not miss a 6 that commits
// later. SQLite has one writer, so there the two orders are one. PostgreSQL orders by transaction, and withholds all that
// are not older than the oldest still open. On MySQL and MariaDB a locking read waits for rows that are inserted but not
// committed, and a pause covers the moment between taking a number and inserting.
import { sql, type RawBuilder } from 'kysely';
import type { Reason } from '../events';
import { readCursor, writeCursor } from '../stores/cursor';
import { dueReminder, MAX_UNUSUAL, type BackupCodeReports, type DayCounts, type DueSet, type EventsPage, type Reminder, type Report, type ReportQuery } from '../stores/reports';
import type { Database, Row, Run } from './database';
import { insertEvents, readEvent, readNumber, readUserId } from './rows';

const DAY_MS = 86_400_000;
/** Rows removed or marked in one transaction. */
const BATCH = 500;
const MYSQL_PAUSE = sql.raw('CURRENT_TIMESTAMP(3) - INTERVAL 2 SECOND');

type EventsQuery = Parameters<BackupCodeReports['readEvents']>[0];

export async function readEvents(database: Database, { subject, types, order, after, limit }: EventsQuery): Promise<EventsPage> {
  const { dialect } = database;
  const isNewestFirst = order === 'newest-first';
  const positions = dialect === 'postgres' ? ['tx', 'seq'] : ['seq'];
  const place = sql.raw(positions.join(', '));
  const from = after === null ? null : readCursor(after, { store: dialect, count: positions.length, position: /^\d{1,18}$/ });
  const conditions = [
    ...(from === null ? [] : [sql`(${place}) ${sql.raw(isNewestFirst ? '<' : '>')} (${sql.join(from.map((position) => database.bigint(Number(position))))})`]),
    ...(subject === null ? [] : [sql`user_key = ${subject.key}`]),
    ...(types === null ? [] : [sql`type IN (${sql.join(types.length > 0 ? [...types] : [''])})`]),
    ...(isNewestFirst || dialect === 'sqlite' ? [] : [settled(dialect)]),
  ];
  const where = conditions.length === 0 ? sql`` : sql`WHERE ${sql.join(conditions, sql` AND `)}`;
  const direction = isNewestFirst ? 'DESC' : 'ASC';
  const sorting = sql.raw(positions.map((position) => `${position} ${direction}`).join(', '));
  const select = sql`SELECT * FROM backup_code_events ${where} ORDER BY ${sorting} LIMIT ${sql.lit(limit)}`;
  const { rows } = dialect === 'mysql' && !isNewestFirst ? await database.transaction((run) => run(sql`${select} LOCK IN SHARE MODE`)) : await database.read(select);
  const last = rows.at(-1);
  return { events: rows.map(readEvent), cursor: last ? writeCursor(dialect, positions.map((position) => String(last[position]))) : after };
}

/** What no transaction that is still open can come before. */
function settled(dialect: 'postgres' | 'mysql'): RawBuilder<unknown> {
  return dialect === 'postgres' ? sql`tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint` : sql`written_at <= ${MYSQL_PAUSE}`;
}

export async function prune(database: Database, { before }: { before: number }): Promise<number> {
  let removed = 0;
  for (const { table, key, time } of [
    { table: 'backup_code_events', key: 'seq', time: 'at' },
    { table: 'backup_codes', key: 'code_id', time: 'ended_at' },
  ]) {
    const [from, column, at] = [sql.raw(table), sql.raw(key), sql.raw(time)];
    for (;;) {
      const { rows } = await database.read(sql`SELECT ${column} FROM ${from} WHERE ${at} < ${before} ORDER BY ${at} LIMIT ${sql.lit(BATCH)}`);
      if (rows.length === 0) break;
      const { affected } = await database.transaction((run) => run(sql`DELETE FROM ${from} WHERE ${column} IN (${sql.join(rows.map((row) => row[key]))})`));
      if (table === 'backup_code_events') removed += affected;
    }
  }
  return removed;
}

export async function remind(database: Database, { now, leadsMs, toEvent }: Parameters<BackupCodeReports['remind']>[0]): Promise<readonly Reminder[]> {
  const marked: Reminder[] = [];
  const isDue = leadsMs.map((lead, done) => sql`(reminded <= ${done} AND expires_at <= ${now + lead} AND created_at < expires_at - ${database.bigint(lead)})`);
  let after = '';
  for (;;) {
    const { rows } = await database.read(sql`SELECT user_key, user_id, set_id, created_at, expires_at, reminded FROM backup_code_users
      WHERE user_key > ${after} AND revoked_at IS NULL AND set_id IS NOT NULL AND (${sql.join(isDue, sql` OR `)}) ORDER BY user_key LIMIT ${sql.lit(BATCH)}`);
    const last = rows.at(-1);
    if (!last) return marked;
    after = String(last['user_key']);
    marked.push(...(await database.transaction((run) => markDue(run, rows, { now, leadsMs, toEvent }))));
  }
}

/** In the order of the keys, so that two jobs do not wait for each other in a circle. */
async function markDue(run: Run, rows: readonly Row[], { now, leadsMs, toEvent }: Parameters<BackupCodeReports['remind']>[0]): Promise<Reminder[]> {
  const marked: Reminder[] = [];
  for (const row of rows) {
    const [expiresAt, userId, setId] = [readNumber(row, 'expires_at'), readUserId(row) ?? '', String(row['set_id'])];
    const done = dueReminder({ createdAt: readNumber(row, 'created_at'), expiresAt, now, leadsMs });
    const { affected } = await run(sql`UPDATE backup_code_users SET reminded = ${done} WHERE user_key = ${row['user_key']} AND set_id = ${setId} AND revoked_at IS NULL AND reminded < ${done}`);
    if (affected !== 1) continue;
    const { rows: [counts] } = await run(sql`SELECT remaining, total FROM backup_code_users WHERE user_key = ${row['user_key']}`);
    const due: DueSet = { type: done === leadsMs.length ? 'expired' : 'expiring', userId, setId, expiresAt, remaining: readNumber(counts, 'remaining'), total: readNumber(counts, 'total') };
    marked.push({ due, event: toEvent(due) });
  }
  if (marked.length > 0) await run(insertEvents(marked.map(({ event }) => event)));
  return marked;
}

export async function report(database: Database, query: ReportQuery): Promise<Report> {
  const { since, now } = query;
  return {
    since, until: now,
    ...(await countSets(database, query)),
    setsByPepper: await countSetsBy(database, 'pepper_id'),
    setsByHasher: await countSetsBy(database, 'hasher'),
    days: await countDays(database, query),
    unusual: {
      users: (await failuresBy(database, query, 'user_key')).map((row) => ({ userId: readUserId(row) ?? '', failures: readNumber(row, 'failures'), addresses: readNumber(row, 'addresses') })),
      addresses: (await failuresBy(database, query, 'ip')).map((row) => ({ ip: String(row['ip']), failures: readNumber(row, 'failures'), users: readNumber(row, 'users') })),
    },
  };
}

const HAS_SET = sql.raw('set_id IS NOT NULL AND revoked_at IS NULL');

async function countSets(
  database: Database,
  { now, lowAt, rotateBefore, disableAfter }: ReportQuery,
): Promise<Pick<Report, 'users' | 'remainingCodes' | 'low' | 'exhausted' | 'expired' | 'disabled' | 'rotationDue' | 'neverUsed'>> {
  const isExpired = sql`(expires_at IS NOT NULL AND expires_at <= ${now})`;
  const isDisabled = sql`(factor_disabled_at IS NOT NULL OR nothing_disabled_at IS NOT NULL OR factor_attempts >= ${disableAfter} OR nothing_attempts >= ${disableAfter})`;
  const count = (condition: RawBuilder<unknown>, counted = sql`1`): RawBuilder<unknown> => sql`COALESCE(SUM(CASE WHEN ${condition} THEN ${counted} ELSE 0 END), 0)`;
  const { rows: [row] } = await database.read(sql`SELECT COUNT(*) AS users,
    ${count(sql`NOT ${isExpired} AND NOT ${isDisabled}`, sql`remaining`)} AS remaining_codes,
    ${count(sql`NOT ${isExpired} AND remaining > 0 AND remaining <= ${lowAt}`)} AS low,
    ${count(sql`NOT ${isExpired} AND remaining = 0`)} AS exhausted,
    ${count(isExpired)} AS expired,
    ${count(isDisabled)} AS disabled,
    ${count(sql`NOT ${isExpired} AND created_at <= ${rotateBefore ?? -1}`)} AS rotation_due,
    ${count(sql`last_consumed_at IS NULL`)} AS never_used
    FROM backup_code_users WHERE ${HAS_SET}`);
  const read = (column: string): number => readNumber(row, column);
  return {
    users: read('users'), remainingCodes: read('remaining_codes'), low: read('low'), exhausted: read('exhausted'), expired: read('expired'),
    disabled: read('disabled'), rotationDue: read('rotation_due'), neverUsed: read('never_used'),
  };
}

async function countSetsBy(database: Database, column: 'pepper_id' | 'hasher'): Promise<Record<string, number>> {
  const by = sql.raw(column);
  const { rows } = await database.read(sql`SELECT ${by}, COUNT(*) AS sets FROM backup_code_users WHERE ${HAS_SET} GROUP BY ${by}`);
  return Object.fromEntries(rows.map((row) => [typeof row[column] === 'string' ? row[column] : 'none', readNumber(row, 'sets')]));
}

async function countDays(database: Database, { since, now }: ReportQuery): Promise<DayCounts[]> {
  const day = sql`at - at % ${sql.lit(DAY_MS)}`;
  const { rows } = await database.read(sql`SELECT ${day} AS day, type, reason, SUM(COALESCE(refusals, 1)) AS times FROM backup_code_events
    WHERE at >= ${since} AND at <= ${now} AND type IN ('issued', 'activated', 'consumed', 'rejected', 'throttled', 'step-up-required')
    GROUP BY ${day}, type, reason`);
  const days = new Map<number, { issued: number; consumed: number; failures: Partial<Record<Reason, number>> }>();
  for (const row of rows) {
    const counts = days.get(readNumber(row, 'day')) ?? { issued: 0, consumed: 0, failures: {} };
    days.set(readNumber(row, 'day'), counts);
    const times = readNumber(row, 'times');
    const reason = row['reason'] as Reason | null;
    if (row['type'] === 'consumed') counts.consumed += times;
    else if (row['type'] === 'issued' || row['type'] === 'activated') counts.issued += times;
    else if (reason !== null) counts.failures[reason] = (counts.failures[reason] ?? 0) + times;
  }
  return [...days].sort(([a], [b]) => a - b).map(([at, counts]) => ({ day: new Date(at).toISOString().slice(0, 10), ...counts }));
}

/** Ids are told apart by their keys: MySQL's collations find one user in another. */
async function failuresBy(database: Database, { since, now, manyFailures }: ReportQuery, column: 'user_key' | 'ip'): Promise<readonly Row[]> {
  const by = sql.raw(column);
  const failures = sql`SUM(COALESCE(refusals, 1))`;
  const { rows } = await database.read(sql`SELECT ${by}, MIN(user_id) AS user_id, COUNT(DISTINCT ip) AS addresses, COUNT(DISTINCT user_key) AS users, ${failures} AS failures
    FROM backup_code_events WHERE at >= ${since} AND at <= ${now} AND ${by} IS NOT NULL AND type IN ('rejected', 'throttled') AND reason NOT IN ('busy', 'step-up')
    GROUP BY ${by} HAVING ${failures} >= ${manyFailures} ORDER BY failures DESC, ${column === 'ip' ? by : sql`user_id`} LIMIT ${sql.lit(MAX_UNUSUAL)}`);
  return rows;
}
