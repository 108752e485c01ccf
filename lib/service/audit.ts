// What operators ask over all users: events, pruning, reminders, the report. Checks the questions; the store answers.
import type { Config } from './options';
import { BackupCodeError } from '../errors';
import { auditEvent, EVENT_TYPES, type AuditEvent, type EventType } from '../audit/events';
import { assertOptions, describe, isTime, wholeNumber } from '../internal/validate';
import {
  REPORT_METHODS,
  type BackupCodeReports,
  type DueSet,
  type EventsPage,
  type Report,
} from '../stores/audit-contract';
import { userSubject, type UserId } from '../stores/subject';

const DAY_MS = 86_400_000;
/** When the owner is reminded that a set ends; the last is its end. */
const REMINDERS_MS = [30 * DAY_MS, 7 * DAY_MS, 0] as const;

/** Which part of the audit trail. */
export interface EventsQuery {
  /** Only of this user; left out: of all users, and of names that belong to nobody. */
  readonly userId?: UserId;
  /** Only these types; left out: all. */
  readonly types?: readonly EventType[];
  /** The `cursor` of the page before; `null` or left out: from the beginning. */
  readonly after?: string | null;
  /** Events on a page. 1 to 1000, default 100. */
  readonly limit?: number;
  /** `newest-first` is for people to read. Default `oldest-first`, which never misses an event. */
  readonly order?: 'oldest-first' | 'newest-first';
}

export async function readEvents(config: Config, query: EventsQuery): Promise<EventsPage> {
  assertOptions('events', query, ['userId', 'types', 'after', 'limit', 'order']);
  const { types = null, after = null, order = 'oldest-first' } = query;
  if (
    types !== null &&
    !(
      Array.isArray(types) &&
      types.every((type: unknown) => (EVENT_TYPES as readonly unknown[]).includes(type))
    )
  ) {
    throw new BackupCodeError(
      'invalid_option',
      `types must be a list of event types: ${EVENT_TYPES.join(', ')}.`,
    );
  }
  if (after !== null && typeof after !== 'string')
    throw new BackupCodeError(
      'invalid_cursor',
      `after must be a cursor that events() returned, but was ${describe(after)}.`,
    );
  if (order !== 'oldest-first' && order !== 'newest-first')
    throw new BackupCodeError('invalid_option', "order must be 'oldest-first' or 'newest-first'.");
  const limit = wholeNumber('limit', query.limit, {
    min: 1,
    max: 1000,
    fallback: 100,
    code: 'invalid_limit',
  });
  // Left out is everybody; given and undefined is a mistake that would show everybody's events to one.
  const subject = 'userId' in query ? userSubject(query.userId as UserId) : null;
  return reportsOf(config).readEvents({ subject, types, order, after, limit });
}

export async function prune(
  config: Config,
  options: { readonly before: number | Date },
): Promise<number> {
  assertOptions('prune', options, ['before']);
  const before = readTime('before', options.before);
  if (before > config.now())
    throw new BackupCodeError(
      'invalid_date',
      'before must not lie in the future: all events would go.',
    );
  return reportsOf(config).prune({ before });
}

export async function due(
  config: Config,
  options: { readonly now?: number | Date },
  tell: (events: readonly AuditEvent[]) => void,
): Promise<DueSet[]> {
  assertOptions('due', options, ['now']);
  const now = options.now === undefined ? config.now() : readTime('now', options.now);
  const context = {
    ip: null,
    userAgent: null,
    requestId: null,
    actor: null,
    channel: 'second_factor',
  } as const;
  const toEvent = ({ type, userId, setId, remaining, total }: DueSet): AuditEvent =>
    auditEvent(type, { at: now, userId, setId, remaining, total, context });
  const marked = await reportsOf(config).remind({ now, leadsMs: REMINDERS_MS, toEvent });
  tell(marked.map(({ event }) => event));
  return marked.map((reminder) => reminder.due);
}

export async function report(
  config: Config,
  options: { readonly since?: number | Date },
): Promise<Report> {
  assertOptions('report', options, ['since']);
  const now = config.now();
  const since = options.since === undefined ? now - 30 * DAY_MS : readTime('since', options.since);
  if (since > now) throw new BackupCodeError('invalid_date', 'since must not lie in the future.');
  const { lowAt, rotateAfterDays, waits } = config;
  const free = waits.findIndex((wait) => wait > 0) + 1 || waits.length;
  return reportsOf(config).report({
    since,
    now,
    lowAt,
    rotateBefore: rotateAfterDays === null ? null : now - rotateAfterDays * DAY_MS,
    lockAfter: waits.length,
    manyFailures: free,
  });
}

/** @throws {BackupCodeError} `not_supported` */
function reportsOf({ store }: Config): BackupCodeReports {
  const reports = store as Partial<BackupCodeReports>;
  const missing = REPORT_METHODS.filter((method) => typeof reports[method] !== 'function');
  if (missing.length > 0)
    throw new BackupCodeError(
      'not_supported',
      `This store keeps no reports: it lacks ${missing.join(', ')}.`,
    );
  return reports as BackupCodeReports;
}

/** @throws {BackupCodeError} `invalid_date` */
function readTime(name: string, given: unknown): number {
  const time: unknown = given instanceof Date ? given.getTime() : given;
  if (!isTime(time)) {
    throw new BackupCodeError(
      'invalid_date',
      `${name} must be a Date or milliseconds since 1970, but was ${describe(time)}.`,
    );
  }
  return Math.floor(time);
}
