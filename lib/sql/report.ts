// Counts over all users, in the database and not in memory.
import { sql } from 'kysely';
import type { EventReason } from '../audit/events';
import { DAY_MS } from '../internal/time';
import {
  MAX_UNUSUAL,
  type DayCounts,
  type Report,
  type ReportRequest,
} from '../stores/audit-contract';
import type { Database, Row, Statement } from './database';
import { readNumber, readString, readText } from './rows';

export async function report(database: Database, request: ReportRequest): Promise<Report> {
  const { since, now } = request;
  const sets = await countSets(database, request);
  const days = await countDays(database, request);
  const users = await mostFailures(database, { request, by: 'user_key' });
  const addresses = await mostFailures(database, { request, by: 'ip' });
  return {
    since,
    until: now,
    ...sets,
    days,
    unusual: {
      users: users.map((row) => ({
        userId: readText(row, 'user_id') ?? '',
        failures: readNumber(row, 'failures'),
        addresses: readNumber(row, 'addresses'),
      })),
      addresses: addresses.map((row) => ({
        ip: String(row['ip']),
        failures: readNumber(row, 'failures'),
        users: readNumber(row, 'users'),
      })),
    },
  };
}

type SetCounts = Omit<Report, 'since' | 'until' | 'days' | 'unusual'>;

/** In one pass over the users: a row for each pepper and hasher. */
async function countSets(
  database: Database,
  { namespace, now, lowAt, rotateBefore, lockAfter }: ReportRequest,
): Promise<SetCounts> {
  const isExpired = sql`(expires_at IS NOT NULL AND expires_at <= ${now})`;
  const isLocked = sql`(second_factor_locked_at IS NOT NULL
      OR second_factor_attempts >= ${lockAfter})`;
  const isRotationDue = sql`created_at <= ${rotateBefore ?? -1}`;
  const { rows } = await database.read(sql`
    SELECT pepper_id,
      hasher,
      COUNT(*) AS users,
      SUM(CASE WHEN NOT ${isExpired} AND NOT ${isLocked} THEN remaining ELSE 0 END)
        AS remaining_codes,
      ${countIf(sql`NOT ${isExpired} AND remaining > 0 AND remaining <= ${lowAt}`)} AS low,
      ${countIf(sql`NOT ${isExpired} AND remaining = 0`)} AS exhausted,
      ${countIf(isExpired)} AS expired,
      ${countIf(isLocked)} AS locked,
      ${countIf(sql`NOT ${isExpired} AND ${isRotationDue}`)} AS rotation_due,
      ${countIf(sql`last_consumed_at IS NULL`)} AS never_used
    FROM ${database.tables.users}
    WHERE namespace = ${namespace ?? ''}
      AND set_id IS NOT NULL
      AND revoked_at IS NULL
    GROUP BY pepper_id, hasher`);
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

function countIf(condition: Statement): Statement {
  return sql`SUM(CASE WHEN ${condition} THEN 1 ELSE 0 END)`;
}

function countUsersBy(
  rows: readonly Row[],
  column: 'pepper_id' | 'hasher',
): Record<string, number> {
  // A name may be that of a member of every object, such as "constructor".
  const counts = new Map<string, number>();
  for (const row of rows) {
    const name = readString(row, column) ?? 'none';
    counts.set(name, (counts.get(name) ?? 0) + readNumber(row, 'users'));
  }
  return Object.fromEntries(counts);
}

const ISSUES: readonly unknown[] = ['issued', 'activated', 'adopted'];

interface MutableDay {
  issued: number;
  consumed: number;
  readonly failures: Map<EventReason, number>;
}

async function countDays(
  database: Database,
  { namespace, since, now }: ReportRequest,
): Promise<readonly DayCounts[]> {
  const day = sql`at - at % ${sql.lit(DAY_MS)}`;
  const { rows } = await database.read(sql`
    SELECT ${day} AS day, type, reason, SUM(COALESCE(refusals, 1)) AS times
    FROM ${database.tables.events}
    WHERE namespace = ${namespace ?? ''}
      AND at >= ${since}
      AND at <= ${now}
      AND type IN ('issued', 'activated', 'adopted', 'consumed',
        'rejected', 'throttled', 'step_up_required')
    GROUP BY ${day}, type, reason`);
  const days = new Map<number, MutableDay>();
  for (const row of rows) {
    const at = readNumber(row, 'day');
    const counts = days.get(at) ?? {
      issued: 0,
      consumed: 0,
      failures: new Map<EventReason, number>(),
    };
    days.set(at, counts);
    const times = readNumber(row, 'times');
    const reason = readString(row, 'reason') as EventReason | null;
    if (row['type'] === 'consumed') counts.consumed += times;
    else if (ISSUES.includes(row['type'])) counts.issued += times;
    else if (reason !== null) {
      counts.failures.set(reason, (counts.failures.get(reason) ?? 0) + times);
    }
  }
  return [...days]
    .sort(([a], [b]) => a - b)
    .map(([at, { issued, consumed, failures }]) => ({
      day: new Date(at).toISOString().slice(0, 10),
      issued,
      consumed,
      failures: Object.fromEntries(failures),
    }));
}

interface Failures {
  readonly request: ReportRequest;
  readonly by: 'user_key' | 'ip';
}

/** Users are grouped by key: the collations of MySQL would take two user ids for one. */
async function mostFailures(
  database: Database,
  { request: { namespace, since, now, manyFailures }, by }: Failures,
): Promise<readonly Row[]> {
  const group = sql.ref(by);
  const name = by === 'ip' ? group : sql.ref('user_id');
  const failures = sql`SUM(COALESCE(refusals, 1))`;
  const { rows } = await database.read(sql`
    SELECT ${group},
      MIN(user_id) AS user_id,
      COUNT(DISTINCT ip) AS addresses,
      COUNT(DISTINCT user_key) AS users,
      ${failures} AS failures
    FROM ${database.tables.events}
    WHERE namespace = ${namespace ?? ''}
      AND at >= ${since}
      AND at <= ${now}
      AND ${group} IS NOT NULL
      AND type IN ('rejected', 'throttled')
      AND reason NOT IN ('busy', 'step_up')
    GROUP BY ${group}
    HAVING ${failures} >= ${manyFailures}
    ORDER BY failures DESC, ${name}
    LIMIT ${sql.lit(MAX_UNUSUAL)}`);
  return rows;
}
