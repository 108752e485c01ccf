// Applies exported audit events after a restore, in batches. Decides what each event means for the
// user's set; the store applies it. Nothing here makes a code valid.
import { setImmediate } from 'node:timers/promises';
import type { CleanContext } from '../audit/context';
import type { AuditEvent, AuditEventType } from '../audit/events';
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';
import type { BackupCodeAudit } from '../stores/audit-contract';
import type {
  BackupCodeReplay,
  ReplayedChange,
  ReplayedEvents,
  ReplayEffect,
  ReplayStep,
} from '../stores/replay-contract';
import { userSubject, type UserSubject } from '../stores/subject';
import type { Config } from './config';
import { readExportedEvent } from './exported-event';

/** What `audit.replay` did. */
export interface ReplayResult {
  /** How many events were read. */
  readonly events: number;
  /** How many events were missing in the audit trail, and were written again as they were. */
  readonly written: number;
  /** What the events changed. All of it is 0 if the same events are replayed again. */
  readonly applied: {
    /** Codes that are consumed now. */
    readonly consumed: number;
    /** Sets that ended because the user had made a later one. */
    readonly replaced: number;
    /** Sets that ended because they had been revoked. */
    readonly revoked: number;
    /** Users whose second factor is locked now. */
    readonly locked: number;
  };
  readonly skipped: {
    /** Events of another namespace. Nothing was done with them. */
    readonly otherNamespaces: number;
  };
  /**
   * Users whose last set is not in the restored database, and who have no other set: the codes that
   * they hold do not work. Ask them to make new ones.
   */
  readonly usersWithoutSet: readonly string[];
  /**
   * How many users were forgotten after the copy was made. They are in the restored database again,
   * and the events do not say who they are: call `forget` for them again.
   */
  readonly usersToForgetAgain: number;
}

/** What exported events may be given as. */
export type ExportedEvents = Iterable<AuditEvent> | AsyncIterable<AuditEvent>;

/** Events that are in memory at once. */
const BATCH = 500;
const PAGE = 100;

/** The methods of the app's store that a replay needs. */
export type ReplayStore = BackupCodeAudit & BackupCodeReplay;

/** Applies the events, and reports what it did. */
export class Replay {
  readonly #config: Config;
  readonly #store: ReplayStore;
  readonly #counts = { consumed: 0, replaced: 0, revoked: 0, locked: 0 };
  /** Users whose second factor may be locked. Decided at the end, when all events are known. */
  readonly #lockedUsers = new Set<string>();
  readonly #usersWithLostSet = new Set<string>();
  #events = 0;
  #written = 0;
  #otherNamespaces = 0;
  #forgotten = 0;

  constructor(config: Config, store: ReplayStore) {
    this.#config = config;
    this.#store = store;
  }

  /** @throws {BackupCodeError} `invalid_option`, `invalid_event`, and whatever the store throws */
  async run(events: ExportedEvents): Promise<ReplayResult> {
    assertIterable(events);
    let batch: AuditEvent[] = [];
    for await (const value of events as AsyncIterable<unknown>) {
      batch.push(this.#read(value));
      if (batch.length < BATCH) continue;
      await this.#applyBatch(batch);
      batch = [];
      // A store in memory would not let the event loop turn.
      await setImmediate();
    }
    await this.#applyBatch(batch);
    await this.#lockSecondFactors();
    return {
      events: this.#events,
      written: this.#written,
      applied: { ...this.#counts },
      skipped: { otherNamespaces: this.#otherNamespaces },
      usersWithoutSet: await this.#findUsersWithoutSet(),
      usersToForgetAgain: this.#forgotten,
    };
  }

  /** @throws {BackupCodeError} `invalid_event` */
  #read(value: unknown): AuditEvent {
    this.#events += 1;
    try {
      return readExportedEvent(value, this.#config.now());
    } catch (error) {
      const reason = error instanceof BackupCodeError ? error.message : 'It cannot be read.';
      throw new BackupCodeError('invalid_event', `Event ${this.#events}: ${reason}`);
    }
  }

  /** One step of the store for each user, so that a user's events keep their order. */
  async #applyBatch(batch: readonly AuditEvent[]): Promise<void> {
    const { namespace } = this.#config;
    const eventsByUser = new Map<string | null, AuditEvent[]>();
    for (const event of batch) {
      if (event.namespace !== namespace) {
        this.#otherNamespaces += 1;
        continue;
      }
      const events = eventsByUser.get(event.userId);
      if (events) events.push(event);
      else eventsByUser.set(event.userId, [event]);
    }
    for (const [userId, events] of eventsByUser) await this.#applyEvents(userId, events);
  }

  async #applyEvents(userId: string | null, events: readonly AuditEvent[]): Promise<void> {
    const subject = userId === null ? null : userSubject(userId, this.#config.namespace);
    const steps = events.map((event) => ({ event, change: subject && changeOf(event) }));
    const { written, hasLostSet } = await this.#replay(subject, steps);
    this.#written += written.length;
    if (userId === null) {
      this.#forgotten += written.filter(({ type }) => type === 'forgotten').length;
      return;
    }
    if (hasLostSet) this.#usersWithLostSet.add(userId);
    if (events.some(isSecondFactorLock)) this.#lockedUsers.add(userId);
  }

  async #replay(
    subject: UserSubject | null,
    steps: readonly ReplayStep[],
  ): Promise<ReplayedEvents> {
    const replayed = await this.#store.replayEvents({ subject, steps });
    for (const effect of replayed.effects) this.#count(effect);
    return replayed;
  }

  #count(effect: ReplayEffect): void {
    if (Object.hasOwn(this.#counts, effect)) this.#counts[effect] += 1;
  }

  /** A channel that was locked and reopened later stays open, in whatever order the events came. */
  async #lockSecondFactors(): Promise<void> {
    for (const userId of this.#lockedUsers) {
      const subject = userSubject(userId, this.#config.namespace);
      const event = await this.#latestEvent(subject, {
        types: ['locked', 'unlocked', 'issued', 'adopted', 'activated'],
        isIncluded: ({ type, context }) =>
          (type !== 'locked' && type !== 'unlocked') || context.channel === 'second_factor',
      });
      if (event?.type !== 'locked') continue;
      await this.#replay(subject, [{ event, change: { type: 'second_factor_locked' } }]);
    }
  }

  /** A user who revoked the lost set did not expect to have one. */
  async #findUsersWithoutSet(): Promise<string[]> {
    const userIds: string[] = [];
    for (const userId of this.#usersWithLostSet) {
      const subject = userSubject(userId, this.#config.namespace);
      if ((await this.#config.store.find(subject))?.current) continue;
      const event = await this.#latestEvent(subject, {
        types: ['revoked', 'issued', 'adopted', 'activated'],
        isIncluded: () => true,
      });
      if (event?.type !== 'revoked') userIds.push(userId);
    }
    return userIds;
  }

  /** By its own time: the trail has replayed events in the order in which they came. */
  async #latestEvent(
    subject: UserSubject,
    { types, isIncluded }: LatestEventQuery,
  ): Promise<AuditEvent | null> {
    const { namespace } = this.#config;
    let latest: AuditEvent | null = null;
    for (let after: string | null = null; ;) {
      const { events, cursor } = await this.#store.readEvents({
        namespace,
        subject,
        types,
        order: 'newest-first',
        after,
        limit: PAGE,
      });
      for (const event of events) {
        if (isIncluded(event) && (latest === null || isLater(event, latest, types[0]))) {
          latest = event;
        }
      }
      if (events.length < PAGE) return latest;
      after = cursor;
    }
  }
}

interface LatestEventQuery {
  /** Of two events of the same time, the one of the first type counts as the later one. */
  readonly types: readonly AuditEventType[];
  readonly isIncluded: (event: AuditEvent) => boolean;
}

/** The event that records a replay; `null` if it changed nothing. */
export function replayedEvent(
  { newEvent, now }: Config,
  result: ReplayResult,
  context: CleanContext,
): AuditEvent | null {
  const { consumed, replaced, revoked, locked } = result.applied;
  if (result.written + consumed + replaced + revoked + locked === 0) return null;
  const details = {
    events: result.events,
    written: result.written,
    consumed,
    replaced,
    revoked,
    locked,
    users_without_set: result.usersWithoutSet.length,
    users_to_forget_again: result.usersToForgetAgain,
  };
  return newEvent('replayed', { at: now(), userId: null, details, context });
}

/** What the event says about the user's set. All other events are only recorded. */
function changeOf({ type, setId, codeId }: AuditEvent): ReplayedChange | null {
  if (setId === null) return null;
  switch (type) {
    case 'issued':
    case 'adopted':
    case 'activated':
      return { type: 'set_begun', setId };
    case 'consumed':
      return codeId === null ? null : { type: 'code_consumed', setId, codeId };
    case 'revoked':
      return { type: 'set_revoked', setId };
    default:
      return null;
  }
}

function isLater(event: AuditEvent, other: AuditEvent, first: string | undefined): boolean {
  return event.at > other.at || (event.at === other.at && event.type === first);
}

function isSecondFactorLock({ type, context }: AuditEvent): boolean {
  return type === 'locked' && context.channel === 'second_factor';
}

/** @throws {BackupCodeError} `invalid_option` */
function assertIterable(events: unknown): void {
  const isObject = typeof events === 'object' && events !== null;
  if (isObject && (Symbol.iterator in events || Symbol.asyncIterator in events)) return;
  throw new BackupCodeError(
    'invalid_option',
    'audit.replay takes a list or an async iterable of events that audit.events returned, but ' +
      `was given ${describe(events)}.`,
  );
}
