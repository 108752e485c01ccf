// Reading the audit trail, pruning, reminders and counts, on a SQL database. It counts in the database, not in memory.
//
// `seq` is given when a row is inserted, not when it is committed: a page that ends at 7 must not miss a 6 that commits
// later. SQLite has one writer, so there the two orders are one. PostgreSQL numbers its transactions, and those not older
// than the oldest that is open are withheld. On MySQL and MariaDB a page is read twice, first with what is not committed,
// and ends before it; a pause covers the moment between taking a number and inserting. Nobody waits for a lock.
import { sql, type RawBuilder } from 'kysely';
import type { AuditEvent, Reason } from '../audit/events';
import { readCursor, writeCursor } from '../stores/cursor';
import {
  MAX_UNUSUAL,
  remindersPassed,
  type DayCounts,
  type DueSet,
  type EventsPage,
  type Report,
  type EventsRequest,
  type PruneRequest,
  type RemindersRequest,
  type ReportRequest,
} from '../stores/audit-contract';
import type { Database, Row, Run } from './database';
import { insertEvents, readEvent, readNumber, readUserId } from './rows';

const DAY_MS = 86_400_000;
/** Rows in one transaction; whoever logs in meanwhile waits for those that are marked. */
const REMOVED_AT_ONCE = 500;
const MARKED_AT_ONCE = 100;

export async function readEvents(
  database: Database,
  { subject, types, order, after, limit }: EventsRequest,
): Promise<EventsPage> {
  const { dialect } = database;
  const isNewestFirst = order === 'newest-first';
  const positions = dialect === 'postgres' ? ['tx', 'seq'] : ['seq'];
  const from =
    after === null
      ? null
      : readCursor(after, { store: dialect, count: positions.length, position: /^\d{1,18}$/ });
  const conditions = [
    ...(from === null
      ? []
      : [
          sql`(${sql.raw(positions.join(', '))}) ${sql.raw(isNewestFirst ? '<' : '>')} (${sql.join(from.map((position) => database.bigint(Number(position))))})`,
        ]),
    ...(subject === null ? [] : [sql`user_key = ${subject.key}`]),
    ...(types === null ? [] : [sql`type IN (${sql.join(types.length > 0 ? [...types] : [''])})`]),
    ...(dialect === 'postgres' && !isNewestFirst
      ? [sql`tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`]
      : []),
  ];
  const where = conditions.length === 0 ? sql`` : sql`WHERE ${sql.join(conditions, sql` AND `)}`;
  const direction = isNewestFirst ? 'DESC' : 'ASC';
  const sorting = sql.raw(positions.map((position) => `${position} ${direction}`).join(', '));
  const page = sql`FROM backup_code_events ${where} ORDER BY ${sorting} LIMIT ${sql.lit(limit)}`;
  const rows =
    dialect === 'mysql' && !isNewestFirst
      ? await readSettled(database, page)
      : (await database.read(sql`SELECT * ${page}`)).rows;
  const last = rows.at(-1);
  return {
    events: rows.map(readEvent),
    cursor: last
      ? writeCursor(
          dialect,
          positions.map((position) => String(last[position])),
        )
      : after,
  };
}

/** On MySQL and MariaDB: the page up to the first row that is not committed, or was written just now. */
async function readSettled(database: Database, page: RawBuilder<unknown>): Promise<readonly Row[]> {
  const { rows: inserted } = await database.peek(
    sql`SELECT seq, written_at <= UTC_TIMESTAMP(3) - INTERVAL 2 SECOND AS is_settled ${page}`,
  );
  const settled = prefix(inserted, (row) => Number(row['is_settled']) === 1);
  if (settled.length === 0) return [];
  const { rows: committed } = await database.read(
    sql`SELECT * FROM backup_code_events WHERE seq IN (${sql.join(settled.map((row) => row['seq']))}) ORDER BY seq`,
  );
  return prefix(committed, (row, n) => String(row['seq']) === String(settled[n]?.['seq']));
}

function prefix(
  rows: readonly Row[],
  belongs: (row: Row, place: number) => boolean,
): readonly Row[] {
  const end = rows.findIndex((row, place) => !belongs(row, place));
  return end < 0 ? rows : rows.slice(0, end);
}

export async function prune(database: Database, { before }: PruneRequest): Promise<number> {
  let removed = 0;
  for (const { table, key, time } of [
    { table: 'backup_code_events', key: 'seq', time: 'at' },
    { table: 'backup_codes', key: 'code_id', time: 'ended_at' },
  ]) {
    const [from, column, at] = [sql.raw(table), sql.raw(key), sql.raw(time)];
    for (;;) {
      const { rows } = await database.read(
        sql`SELECT ${column} FROM ${from} WHERE ${at} < ${before} ORDER BY ${at} LIMIT ${sql.lit(REMOVED_AT_ONCE)}`,
      );
      if (rows.length === 0) break;
      const { affected } = await database.transaction((run) =>
        run(sql`DELETE FROM ${from} WHERE ${column} IN (${sql.join(rows.map((row) => row[key]))})`),
      );
      if (table === 'backup_code_events') removed += affected;
    }
  }
  return removed;
}

export async function recordReminders(
  database: Database,
  query: RemindersRequest,
): Promise<readonly AuditEvent[]> {
  const marked: AuditEvent[] = [];
  try {
    for await (const batch of markedOf(database, query)) marked.push(...batch);
  } catch (error) {
    // What is marked is never given again, so it is given now; the next call meets the fault.
    if (marked.length === 0) throw error;
  }
  return marked;
}

/** A batch in each transaction. */
async function* markedOf(
  database: Database,
  { now, leadsMs, toEvent }: RemindersRequest,
): AsyncGenerator<readonly AuditEvent[]> {
  const isDue = leadsMs.map(
    (lead) =>
      sql`expires_at <= ${now + lead} AND created_at < expires_at - ${database.bigint(lead)}`,
  );
  for (const [done, lead] of leadsMs.entries()) {
    // Of whom so many reminders are done with, in the order of the index.
    let from = sql`expires_at <= ${now + lead}`;
    for (;;) {
      const { rows } =
        await database.read(sql`SELECT user_key, user_id, set_id, created_at, expires_at FROM backup_code_users
        WHERE reminded = ${done} AND ${from} AND revoked_at IS NULL AND set_id IS NOT NULL AND (${sql.join(isDue.slice(done), sql` OR `)})
        ORDER BY expires_at, user_key LIMIT ${sql.lit(MARKED_AT_ONCE)}`);
      const last = rows.at(-1);
      if (!last) break;
      from = sql`expires_at <= ${now + lead} AND (expires_at, user_key) > (${database.bigint(readNumber(last, 'expires_at'))}, ${last['user_key']})`;
      yield database.transaction((run) => markDue(run, rows, { now, leadsMs, toEvent }));
    }
  }
}

/** In the order in which they were read, so that two jobs do not wait for each other in a circle. */
async function markDue(
  run: Run,
  rows: readonly Row[],
  { now, leadsMs, toEvent }: RemindersRequest,
): Promise<readonly AuditEvent[]> {
  const due: { key: unknown; set: Omit<DueSet, 'remaining' | 'total'> }[] = [];
  for (const row of rows) {
    const [key, expiresAt, userId, setId] = [
      row['user_key'],
      readNumber(row, 'expires_at'),
      readUserId(row) ?? '',
      String(row['set_id']),
    ];
    const done = remindersPassed({
      createdAt: readNumber(row, 'created_at'),
      expiresAt,
      now,
      leadsMs,
    });
    const { affected } = await run(
      sql`UPDATE backup_code_users SET reminded = ${done} WHERE user_key = ${key} AND set_id = ${setId} AND revoked_at IS NULL AND reminded < ${done}`,
    );
    if (affected === 1)
      due.push({
        key,
        set: { type: done === leadsMs.length ? 'expired' : 'expiring', userId, setId },
      });
  }
  if (due.length === 0) return [];
  const { rows: counts } = await run(
    sql`SELECT user_key, remaining, total FROM backup_code_users WHERE user_key IN (${sql.join(due.map(({ key }) => key))})`,
  );
  const countOf = new Map(counts.map((row) => [row['user_key'], row]));
  const events = due.map(({ key, set }) =>
    toEvent({
      ...set,
      remaining: readNumber(countOf.get(key), 'remaining'),
      total: readNumber(countOf.get(key), 'total'),
    }),
  );
  await run(insertEvents(events));
  return events;
}

export async function report(database: Database, query: ReportRequest): Promise<Report> {
  const { since, now } = query;
  return {
    since,
    until: now,
    ...(await countSets(database, query)),
    days: await countDays(database, query),
    unusual: {
      users: (await failuresBy(database, query, 'user_key')).map((row) => ({
        userId: readUserId(row) ?? '',
        failures: readNumber(row, 'failures'),
        addresses: readNumber(row, 'addresses'),
      })),
      addresses: (await failuresBy(database, query, 'ip')).map((row) => ({
        ip: String(row['ip']),
        failures: readNumber(row, 'failures'),
        users: readNumber(row, 'users'),
      })),
    },
  };
}

/** In one pass over the users: a row for each pepper and hasher. */
async function countSets(
  database: Database,
  { now, lowAt, rotateBefore, lockAfter }: ReportRequest,
): Promise<Omit<Report, 'since' | 'until' | 'days' | 'unusual'>> {
  const isExpired = sql`(expires_at IS NOT NULL AND expires_at <= ${now})`;
  const isLocked = sql`(second_factor_locked_at IS NOT NULL OR recovery_locked_at IS NOT NULL OR second_factor_attempts >= ${lockAfter} OR recovery_attempts >= ${lockAfter})`;
  const count = (condition: RawBuilder<unknown>, counted = sql`1`): RawBuilder<unknown> =>
    sql`SUM(CASE WHEN ${condition} THEN ${counted} ELSE 0 END)`;
  const { rows } = await database.read(sql`SELECT pepper_id, hasher, COUNT(*) AS users,
    ${count(sql`NOT ${isExpired} AND NOT ${isLocked}`, sql`remaining`)} AS remaining_codes,
    ${count(sql`NOT ${isExpired} AND remaining > 0 AND remaining <= ${lowAt}`)} AS low,
    ${count(sql`NOT ${isExpired} AND remaining = 0`)} AS exhausted,
    ${count(isExpired)} AS expired,
    ${count(isLocked)} AS locked,
    ${count(sql`NOT ${isExpired} AND created_at <= ${rotateBefore ?? -1}`)} AS rotation_due,
    ${count(sql`last_consumed_at IS NULL`)} AS never_used
    FROM backup_code_users WHERE set_id IS NOT NULL AND revoked_at IS NULL GROUP BY pepper_id, hasher`);
  const sum = (column: string): number =>
    rows.reduce((total, row) => total + readNumber(row, column), 0);
  return {
    users: sum('users'),
    remainingCodes: sum('remaining_codes'),
    low: sum('low'),
    exhausted: sum('exhausted'),
    expired: sum('expired'),
    locked: sum('locked'),
    rotationDue: sum('rotation_due'),
    neverUsed: sum('never_used'),
    setsByPepper: countUsersBy(rows, 'pepper_id'),
    setsByHasher: countUsersBy(rows, 'hasher'),
  };
}

function countUsersBy(
  rows: readonly Row[],
  column: 'pepper_id' | 'hasher',
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) {
    const name = typeof row[column] === 'string' ? row[column] : 'none';
    counts[name] = (counts[name] ?? 0) + readNumber(row, 'users');
  }
  return counts;
}

async function countDays(database: Database, { since, now }: ReportRequest): Promise<DayCounts[]> {
  const day = sql`at - at % ${sql.lit(DAY_MS)}`;
  const { rows } =
    await database.read(sql`SELECT ${day} AS day, type, reason, SUM(COALESCE(refusals, 1)) AS times FROM backup_code_events
    WHERE at >= ${since} AND at <= ${now} AND type IN ('issued', 'activated', 'adopted', 'consumed', 'rejected', 'throttled', 'step_up_required')
    GROUP BY ${day}, type, reason`);
  const days = new Map<
    number,
    { issued: number; consumed: number; failures: Partial<Record<Reason, number>> }
  >();
  for (const row of rows) {
    const counts = days.get(readNumber(row, 'day')) ?? { issued: 0, consumed: 0, failures: {} };
    days.set(readNumber(row, 'day'), counts);
    const times = readNumber(row, 'times');
    const reason = row['reason'] as Reason | null;
    if (row['type'] === 'consumed') counts.consumed += times;
    else if (row['type'] === 'issued' || row['type'] === 'activated' || row['type'] === 'adopted')
      counts.issued += times;
    else if (reason !== null) counts.failures[reason] = (counts.failures[reason] ?? 0) + times;
  }
  return [...days]
    .sort(([a], [b]) => a - b)
    .map(([at, counts]) => ({ day: new Date(at).toISOString().slice(0, 10), ...counts }));
}

/** Ids are told apart by their keys: MySQL's collations find one user in another. */
async function failuresBy(
  database: Database,
  { since, now, manyFailures }: ReportRequest,
  column: 'user_key' | 'ip',
): Promise<readonly Row[]> {
  const by = sql.raw(column);
  const failures = sql`SUM(COALESCE(refusals, 1))`;
  const { rows } =
    await database.read(sql`SELECT ${by}, MIN(user_id) AS user_id, COUNT(DISTINCT ip) AS addresses, COUNT(DISTINCT user_key) AS users, ${failures} AS failures
    FROM backup_code_events WHERE at >= ${since} AND at <= ${now} AND ${by} IS NOT NULL AND type IN ('rejected', 'throttled') AND reason NOT IN ('busy', 'step_up')
    GROUP BY ${by} HAVING ${failures} >= ${manyFailures} ORDER BY failures DESC, ${column === 'ip' ? by : sql`user_id`} LIMIT ${sql.lit(MAX_UNUSUAL)}`);
  return rows;
}
