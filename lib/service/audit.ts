// The audit trail as operators use it: reading, pruning, reminders, the report, and events of the
// app's own. Checks the arguments; the store answers.
import { cleanContext, type Context } from '../audit/context';
import { cleanDetails } from '../audit/details';
import {
  assertEventType,
  isRecordableType,
  type AuditEventType,
  type EventDetails,
} from '../audit/events';
import type { Listeners } from '../audit/listeners';
import { BackupCodeError } from '../errors';
import { DAY_MS, isTime } from '../internal/time';
import { assertOptions, describe, wholeNumber } from '../internal/validate';
import {
  AUDIT_METHODS,
  type BackupCodeAudit,
  type EventsPage,
  type Report,
} from '../stores/audit-contract';
import { callStore } from '../stores/call-store';
import type { BackupCodeReplay } from '../stores/replay-contract';
import { userSubject, type UserId } from '../stores/subject';
import type { Config } from './config';
import {
  Replay,
  replayedEvent,
  type ExportedEvents,
  type ReplayResult,
  type ReplayStore,
} from './replay';

/** When the owner is reminded that a set expires. The last one is the expiry itself. */
const REMINDERS_MS = [30 * DAY_MS, 7 * DAY_MS, 0] as const;
/** What `audit.report` covers by default. */
const REPORT_MS = 30 * DAY_MS;

/** Which events to read. */
export interface EventsQuery {
  /** Only events of this user. If left out, events of all users and of unknown user names. */
  readonly userId?: UserId;
  /** Only events of these types. If left out, all types. */
  readonly types?: readonly AuditEventType[];
  /**
   * The `cursor` of the page before; `null` starts at the beginning.
   *
   * @default null
   */
  readonly after?: string | null;
  /**
   * Events on a page, from 1 to 1000.
   *
   * @default 100
   */
  readonly limit?: number;
  /**
   * `oldest-first` never misses an event. `newest-first` is for pages that people read.
   *
   * @default 'oldest-first'
   */
  readonly order?: 'oldest-first' | 'newest-first';
}

/** What to remove. */
export interface PruneOptions {
  /** Milliseconds since 1970, or a Date; not in the future. */
  readonly before: number | Date;
  /**
   * Also removes what is stored for users who have had no current or staged set since `before`.
   * Users with a locked channel stay. A user who was removed counts as new: `adopt` accepts codes
   * again if the app offers them.
   *
   * @default false
   */
  readonly usersWithoutSet?: boolean;
}

/** An event of the app's own. */
export interface RecordedEvent {
  readonly userId: UserId;
  /**
   * At most 16 values. Strings are cut to 256 characters. Never put a code, password or token here.
   */
  readonly details?: EventDetails;
  /** The code that the event is about, as `consume` returned it. */
  readonly code?: { readonly setId: string; readonly codeId: string };
  readonly context?: Context | undefined;
}

/** The audit trail of a {@link BackupCodes}: `backupCodes.audit`. */
export class Audit {
  readonly #config: Config;
  readonly #listeners: Listeners;

  /** @internal */
  constructor(config: Config, listeners: Listeners) {
    this.#config = config;
    this.#listeners = listeners;
  }

  /**
   * Reads a page of the audit trail, in the order of the commits. A notifier that continues from
   * the last `cursor` receives each event at least once. The newest events are withheld while an
   * older one may still be uncommitted: for two seconds on MySQL and MariaDB, and while another
   * transaction writes on PostgreSQL.
   *
   * @example
   * const { events, cursor } = await backupCodes.audit.events({ after: lastCursor });
   *
   * @throws {BackupCodeError} `cursor_ahead` if the database was restored from a copy that is older
   * than the cursor; `invalid_user_id`, `invalid_cursor`, `invalid_limit`, `invalid_option`,
   * `not_supported`, `store_timeout`
   */
  async events(query: EventsQuery = {}): Promise<EventsPage> {
    assertOptions('audit.events', query, ['userId', 'types', 'after', 'limit', 'order']);
    const { namespace, storeTimeoutSeconds } = this.#config;
    const { types = null, after = null, order = 'oldest-first' } = query;
    if (types !== null) assertEventTypes(types);
    if (after !== null && typeof after !== 'string') {
      throw new BackupCodeError(
        'invalid_cursor',
        `after must be a cursor that audit.events() returned, but was ${describe(after)}.`,
      );
    }
    if (order !== 'oldest-first' && order !== 'newest-first') {
      throw new BackupCodeError(
        'invalid_option',
        "order must be 'oldest-first' or 'newest-first'.",
      );
    }
    const limit = wholeNumber('limit', query.limit, {
      min: 1,
      max: 1000,
      fallback: 100,
      code: 'invalid_limit',
    });
    // A userId that is present but undefined is a mistake. Reading all users' events for it would
    // disclose them.
    const subject = 'userId' in query ? userSubject(query.userId as UserId, namespace) : null;
    const store = this.#store();
    return callStore(storeTimeoutSeconds, {
      method: 'readEvents',
      call: () => store.readEvents({ namespace, subject, types, order, after, limit }),
    });
  }

  /**
   * Records an event of the app's own. Its type begins with `app_`, or was registered by a subpath.
   *
   * @example
   * const details = { by: 'support' };
   * await backupCodes.audit.record('app_phone_changed', { userId: user.id, details });
   *
   * @throws {BackupCodeError} `invalid_option`, `invalid_user_id`
   */
  async record(type: AuditEventType, recorded: RecordedEvent): Promise<void> {
    assertOptions('audit.record', recorded, ['userId', 'details', 'code', 'context']);
    const { userId, details, code, context } = recorded;
    if (!isRecordableType(type)) {
      throw new BackupCodeError(
        'invalid_option',
        'audit.record takes a type that begins with app_, ' +
          'in lower-case letters, digits and underscores.',
      );
    }
    const event = this.#config.newEvent(type, {
      at: this.#config.now(),
      userId: userSubject(userId).userId,
      setId: code?.setId ?? null,
      codeId: code?.codeId ?? null,
      details: details === undefined ? null : cleanDetails(details),
      context: cleanContext(context),
    });
    this.#listeners.notify(await this.#config.store.append([event]));
  }

  /**
   * Records an `expiring` event 30 and 7 days before a set expires, and an `expired` event when it
   * has. Each is recorded once, even if several processes call. Call it daily, and send mail from
   * the cursor of {@link events}: then a mail server that is down loses no reminder.
   *
   * @example
   * const recorded = await backupCodes.audit.recordReminders();
   *
   * @param options.now the time to compare with. Default: the clock
   * @returns how many events it recorded
   * @throws {BackupCodeError} `invalid_date`, `not_supported`
   */
  async recordReminders(options: { readonly now?: number | Date } = {}): Promise<number> {
    assertOptions('audit.recordReminders', options, ['now']);
    const now = options.now === undefined ? this.#config.now() : readTime('now', options.now);
    const context = cleanContext();
    const { namespace, newEvent } = this.#config;
    const events = await this.#store().recordReminders({
      namespace,
      now,
      leadsMs: REMINDERS_MS,
      toEvent: ({ type, ...set }) => newEvent(type, { at: now, ...set, context }),
    });
    this.#listeners.notify(events);
    return events.length;
  }

  /**
   * Removes events from before a time, and the remains of sets that ended before it, of this
   * namespace only. On Redis the remains of sets expire after 400 days.
   *
   * @example
   * const before = Date.now() - 365 * 86_400_000;
   * await backupCodes.audit.prune({ before, usersWithoutSet: true });
   *
   * @returns how many events were removed
   * @throws {BackupCodeError} `invalid_date` if the time is in the future, `invalid_option`,
   * `not_supported`
   */
  async prune(options: PruneOptions): Promise<number> {
    assertOptions('audit.prune', options, ['before', 'usersWithoutSet']);
    const { usersWithoutSet = false } = options;
    if (typeof usersWithoutSet !== 'boolean') {
      throw new BackupCodeError(
        'invalid_option',
        `usersWithoutSet must be true or false, but was ${describe(usersWithoutSet)}.`,
      );
    }
    const before = readTime('before', options.before);
    if (before > this.#config.now()) {
      throw new BackupCodeError(
        'invalid_date',
        'before must not be in the future: every event would be removed.',
      );
    }
    const { namespace, waits } = this.#config;
    const lockAfter = waits.second_factor.length;
    return this.#store().prune({ namespace, before, usersWithoutSet, lockAfter });
  }

  /**
   * Counts over all users, and lists who failed unusually often.
   *
   * @example
   * const { users, low, locked } = await backupCodes.audit.report();
   *
   * @param options.since from when events are counted. Default: 30 days ago
   * @throws {BackupCodeError} `invalid_date`, `not_supported`
   */
  async report(options: { readonly since?: number | Date } = {}): Promise<Report> {
    assertOptions('audit.report', options, ['since']);
    const now = this.#config.now();
    const since = options.since === undefined ? now - REPORT_MS : readTime('since', options.since);
    if (since > now) {
      throw new BackupCodeError('invalid_date', 'since must not be in the future.');
    }
    const { namespace, lowAt, rotateAfterDays, waits } = this.#config;
    const free = waits.recovery.findIndex((wait) => wait > 0) + 1;
    return this.#store().report({
      namespace,
      since,
      now,
      lowAt,
      rotateBefore: rotateAfterDays === null ? null : now - rotateAfterDays * DAY_MS,
      lockAfter: waits.second_factor.length,
      manyFailures: free,
    });
  }

  /**
   * Applies exported events to a database that was restored from an older copy, or that lost its
   * last writes in a failover. Codes that were consumed since are consumed again, sets that were
   * replaced or revoked since end, and the audit trail has every event again, once. It only takes
   * away: nothing becomes valid. The events may come in any order, and old ones change nothing. If
   * it fails, or in doubt, replay all of them again.
   *
   * Replay only a file that you trust like the database: each line can end a user's codes.
   *
   * @example
   * const lines = createInterface({ input: createReadStream('events.jsonl') });
   * const events = (async function* () {
   *   for await (const line of lines) yield JSON.parse(line) as AuditEvent;
   * })();
   * const { usersWithoutSet } = await backupCodes.audit.replay(events, { actor: 'ops' });
   *
   * @param events what {@link events} returned, or their JSON after `JSON.parse`
   * @throws {BackupCodeError} `invalid_event`, after which the events before it may be applied;
   * `invalid_option`, `not_supported`
   */
  async replay(events: ExportedEvents, context?: Context): Promise<ReplayResult> {
    const cleaned = cleanContext(context);
    const store = this.#store() as BackupCodeAudit & Partial<BackupCodeReplay>;
    if (typeof store.replayEvents !== 'function') {
      throw new BackupCodeError(
        'not_supported',
        'This store cannot apply exported events: it lacks replayEvents.',
      );
    }
    const config = this.#config;
    const result = await new Replay(config, store as ReplayStore).run(events);
    const event = replayedEvent(config, result, cleaned);
    if (event !== null) this.#listeners.notify(await config.store.append([event]));
    return result;
  }

  /** @throws {BackupCodeError} `not_supported` */
  #store(): BackupCodeAudit {
    const store = this.#config.givenStore as Partial<BackupCodeAudit>;
    const missing = AUDIT_METHODS.filter((method) => typeof store[method] !== 'function');
    if (missing.length > 0) {
      throw new BackupCodeError(
        'not_supported',
        `This store has no audit trail that can be read: it lacks ${missing.join(', ')}.`,
      );
    }
    return store as BackupCodeAudit;
  }
}

function assertEventTypes(types: unknown): void {
  if (!Array.isArray(types)) {
    throw new BackupCodeError(
      'invalid_option',
      `types must be a list of event types, but was ${describe(types)}.`,
    );
  }
  for (const type of types) assertEventType(type);
}

/** @throws {BackupCodeError} `invalid_date` */
function readTime(name: string, given: unknown): number {
  const time: unknown = given instanceof Date ? given.getTime() : given;
  if (isTime(time)) return Math.floor(time);
  throw new BackupCodeError(
    'invalid_date',
    `${name} must be a Date or milliseconds since 1970, but was ${describe(time)}.`,
  );
}
