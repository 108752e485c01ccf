// A store in this process's memory: the readable reference of the contract, for tests and for
// trying things out. Not for production: a restart loses every set and every counter.
import { randomBytes } from 'node:crypto';
import type { AuditEvent } from '../audit/events';
import {
  remindersPassed,
  type BackupCodeAudit,
  type EventsPage,
  type EventsRequest,
  type PruneRequest,
  type RemindersRequest,
  type Report,
  type ReportRequest,
} from './audit-contract';
import type { BackupCodeStore } from './contract';
import type {
  ActivateRequest,
  AttemptRequest,
  AttemptResult,
  ConsumeRequest,
  Consumption,
  CountRequest,
  CurrentSet,
  ForgetRequest,
  FoundUser,
  GiveBackRequest,
  LockedChannel,
  ReplaceRequest,
  RevokeRequest,
  StageRequest,
  UnlockRequest,
} from './requests';
import { MemoryTrail } from './memory-trail';
import { replayChange } from './memory-replay';
import {
  beginSet,
  endSet,
  hasHadNoSet,
  newUser,
  resetCounters,
  type Counter,
  type User,
} from './memory-user';
import { isOfGeneration, MemoryNetworks } from './memory-networks';
import { countedRefusal } from './refusals';
import { isActivatable, isWaiting, waitAfter } from './waits';
import { hasherName, ReportBuilder } from './report-builder';
import type {
  BackupCodeReplay,
  ReplayedEvents,
  ReplayEffect,
  ReplayRequest,
} from './replay-contract';
import type { Subject } from './subject';

/**
 * Keeps everything in memory. Each method runs to its end without interruption: that is its
 * transaction.
 *
 * @example
 * const backupCodes = new BackupCodes({ store: new MemoryStore() });
 */
export class MemoryStore implements BackupCodeStore, BackupCodeAudit, BackupCodeReplay {
  readonly #users = new Map<string, User>();
  readonly #trail = new MemoryTrail();
  readonly #networks = new MemoryNetworks();
  readonly #nameKey = randomBytes(32);

  /** Every event so far, the oldest first. */
  get auditTrail(): readonly AuditEvent[] {
    return this.#trail.events;
  }

  async replace(request: ReplaceRequest): Promise<readonly AuditEvent[]> {
    const user = this.#user(request.subject);
    if (request.only === 'first' && user.hadSet) return [];
    beginSet(user, request.header, request.codes);
    return this.#write([request.event]);
  }

  async stage({
    subject,
    header,
    codes,
    until,
    event,
  }: StageRequest): Promise<readonly AuditEvent[]> {
    this.#user(subject).staged = { header, codes, until };
    return this.#write([event]);
  }

  async activate(request: ActivateRequest): Promise<readonly AuditEvent[]> {
    const { subject, setId, event } = request;
    const user = this.#users.get(subject.key);
    const staged = user?.staged;
    if (!user || staged?.header.setId !== setId || !isActivatable(staged.until, request)) {
      return [];
    }
    beginSet(user, staged.header, staged.codes);
    const { total } = staged.header;
    return this.#write([{ ...event, remaining: total, total }]);
  }

  async find(subject: Subject): Promise<FoundUser | null> {
    const user = this.#users.get(subject.key);
    if (!user) return null;
    const { current, secondFactor } = user;
    return { current: current && current.set, secondFactor: { ...secondFactor } };
  }

  async takeAttempt(request: AttemptRequest): Promise<AttemptResult> {
    const { subject, channel, network, now, waits } = request;
    const counter =
      channel === 'recovery'
        ? this.#networks.use(request, this.#users.get(subject.key)?.recoveryGeneration ?? null)
        : this.#user(subject).secondFactor;
    const { attempts, generation, nextAt, lockedAt } = counter;
    const isLocked = channel === 'second_factor' && (lockedAt !== null || attempts >= waits.length);
    if (isLocked || isWaiting(nextAt, request)) {
      const event = countedRefusal(request, { isLocked, generation, nextAt });
      const events = await this.count({ subject, event });
      return { ok: false, reason: event.reason, nextAt, events };
    }
    counter.attempts += 1;
    const wait = waitAfter(counter.attempts, request);
    counter.nextAt = wait === 0 ? 0 : now + wait;
    const ticket = {
      channel,
      network,
      attempt: counter.attempts,
      generation,
      nextAt: counter.nextAt,
    };
    const current = this.#users.get(subject.key)?.current ?? null;
    return { ok: true, ticket, current: current && { ...current.set, codes: current.codes } };
  }

  async giveBack({ subject, ticket }: GiveBackRequest): Promise<void> {
    const counter =
      ticket.channel === 'recovery'
        ? this.#networks.get(subject, ticket.network)
        : this.#users.get(subject.key)?.secondFactor;
    if (counter?.generation !== ticket.generation || counter.attempts === 0) return;
    counter.attempts -= 1;
    if (counter.nextAt === ticket.nextAt) counter.nextAt = 0;
  }

  async consume(request: ConsumeRequest): Promise<Consumption> {
    const { subject, setId, codeId, channel, now, replacement } = request;
    const consumptionId = request.events[0].id;
    const user = this.#users.get(subject.key);
    const current = user?.current;
    if (!user || current?.set.setId !== setId) return { outcome: 'gone', reason: 'none' };
    const { set } = current;
    const index = current.codes.findIndex((code) => code.codeId === codeId);
    const code = current.codes[index];
    if (code?.consumptionId === consumptionId) return this.#repeatConsumption(request, set);
    if (set.expiresAt !== null && now >= set.expiresAt) {
      return { outcome: 'gone', reason: 'expired' };
    }
    if (channel === 'second_factor' && user.secondFactor.lockedAt !== null) {
      return { outcome: 'gone', reason: 'locked' };
    }
    if (!code) return { outcome: 'gone', reason: 'none' };
    if (code.consumedAt !== null) {
      return { outcome: 'already_consumed', consumedAt: code.consumedAt };
    }

    const codes = current.codes.with(index, { ...code, consumedAt: now, consumptionId });
    if (replacement) codes.push({ ...replacement, consumedAt: null, consumptionId: null });
    const added = replacement ? 1 : 0;
    const remaining = set.remaining - 1 + added;
    const total = set.total + added;
    user.current = { set: { ...set, remaining, total, lastConsumedAt: now }, codes };
    resetCounters(user, channel);
    const written = [...request.events];
    for (const milestone of request.milestones) {
      if (milestone.remaining === remaining) written.push(milestone.event);
    }
    const events = this.#write(written.map((event) => ({ ...event, remaining, total })));
    return { outcome: 'consumed', remaining, total, events, repeated: false };
  }

  async revoke({ subject, now, event }: RevokeRequest): Promise<readonly AuditEvent[]> {
    const user = this.#users.get(subject.key);
    if (user) user.staged = null;
    if (!user?.current) return [];
    const { setId } = user.current.set;
    endSet(user);
    user.revokedAt = now;
    return this.#write([{ ...event, setId }]);
  }

  async forget({ subject, audit, event }: ForgetRequest): Promise<readonly AuditEvent[]> {
    const wasStored = this.#removeUser(subject.key);
    const hadEvents = this.#trail.forget(subject, audit);
    return wasStored || hadEvents ? this.#write([event]) : [];
  }

  async unlock({ subject, channel, now, event }: UnlockRequest): Promise<readonly AuditEvent[]> {
    const user = this.#users.get(subject.key);
    this.#networks.removeExpired(now);
    const counters =
      channel === 'recovery'
        ? this.#recoveryCounters(subject)
        : user === undefined
          ? []
          : [user.secondFactor];
    if (!counters.some(({ attempts, lockedAt }) => attempts > 0 || lockedAt !== null)) return [];
    if (user === undefined) this.#networks.remove(subject.key);
    else resetCounters(user, channel);
    return this.#write([event]);
  }

  async append(
    events: readonly AuditEvent[],
    lock?: LockedChannel,
  ): Promise<readonly AuditEvent[]> {
    const counter = lock && this.#users.get(lock.subject.key)?.secondFactor;
    if (!counter || counter.generation !== lock.ticket.generation) return this.#write(events);
    counter.lockedAt = lock.now;
    return this.#write([...events, lock.event]);
  }

  async count({ event }: CountRequest): Promise<readonly AuditEvent[]> {
    return this.#trail.addRefusal(event.id) ? [] : this.#write([{ ...event, refusals: 1 }]);
  }

  async nameKey(): Promise<Uint8Array> {
    return this.#nameKey;
  }

  async readEvents(request: EventsRequest): Promise<EventsPage> {
    return this.#trail.read(request);
  }

  async prune(request: PruneRequest): Promise<number> {
    const { namespace, usersWithoutSet } = request;
    for (const [key, user] of this.#users) {
      const isRemovable = user.namespace === namespace && hasHadNoSet(user, request);
      if (usersWithoutSet && isRemovable) this.#removeUser(key);
    }
    return this.#trail.prune(request);
  }

  async recordReminders({
    namespace,
    now,
    leadsMs,
    toEvent,
  }: RemindersRequest): Promise<readonly AuditEvent[]> {
    const events: AuditEvent[] = [];
    for (const user of this.#users.values()) {
      const { userId, current } = user;
      if (userId === null || user.namespace !== namespace || !current) continue;
      const passed = remindersPassed({ ...current.set, now, leadsMs });
      if (passed <= user.reminded) continue;
      user.reminded = passed;
      const type = passed === leadsMs.length ? 'expired' : 'expiring';
      const { setId, remaining, total } = current.set;
      events.push(toEvent({ type, userId, setId, remaining, total }));
    }
    return this.#write(events);
  }

  async report(request: ReportRequest): Promise<Report> {
    const report = new ReportBuilder(request);
    for (const { namespace, current, secondFactor } of this.#users.values()) {
      if (!current || namespace !== request.namespace) continue;
      const { attempts, lockedAt } = secondFactor;
      const isLocked = lockedAt !== null || attempts >= request.lockAfter;
      report.addSet({ ...current.set, hasher: hasherName(current.set.salt), isLocked });
    }
    for (const event of this.#trail.events) {
      if (event.namespace === request.namespace) report.addEvent(event);
    }
    return report.build();
  }

  async replayEvents({ subject, steps }: ReplayRequest): Promise<ReplayedEvents> {
    const effects: ReplayEffect[] = [];
    let isLost = false;
    for (const { event, change } of steps) {
      if (subject === null || change === null) continue;
      const user =
        change.type === 'second_factor_locked' ? this.#users.get(subject.key) : this.#user(subject);
      if (!user) continue;
      const applied = replayChange(user, { change, event });
      effects.push(...applied.effects);
      isLost ||= applied.isLost;
    }
    const current = subject === null ? null : this.#users.get(subject.key)?.current;
    const written = this.#trail.pushMissing(steps.map(({ event }) => event));
    return { written, effects, hasLostSet: isLost && !current };
  }

  /** The first answer again. Without its events, the numbers are those of the set. */
  #repeatConsumption({ events, milestones }: ConsumeRequest, set: CurrentSet): Consumption {
    const ids = [...events, ...milestones.map(({ event }) => event)].map(({ id }) => id);
    const written = this.#trail.find(ids);
    return {
      outcome: 'consumed',
      remaining: written[0]?.remaining ?? set.remaining,
      total: written[0]?.total ?? set.total,
      events: written,
      repeated: true,
    };
  }

  #write(events: readonly AuditEvent[]): readonly AuditEvent[] {
    this.#trail.push(events);
    return events;
  }

  #user(subject: Subject): User {
    const existing = this.#users.get(subject.key);
    if (existing) return existing;
    const user = newUser(subject);
    this.#users.set(subject.key, user);
    return user;
  }

  /** The counters of the networks whose attempts count. */
  #recoveryCounters({ key }: Subject): Counter[] {
    const generation = this.#users.get(key)?.recoveryGeneration ?? null;
    return this.#networks.of(key).filter((counter) => isOfGeneration(counter, generation));
  }

  /** @returns whether there was anything to remove */
  #removeUser(subjectKey: string): boolean {
    const hadNetworks = this.#networks.remove(subjectKey);
    return this.#users.delete(subjectKey) || hadNetworks;
  }
}
