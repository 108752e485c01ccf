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
import {
  NAME_KEPT_MS,
  REFUSALS_COUNTED_MS,
  type ActivateRequest,
  type AttemptRequest,
  type AttemptResult,
  type BackupCodeStore,
  type ConsumeRequest,
  type Consumption,
  type FoundUser,
  type GiveBackRequest,
  type LockedChannel,
  type ReplaceRequest,
  type RevokeRequest,
  type StageRequest,
} from './contract';
import { MemoryTrail } from './memory-trail';
import { beginSet, freshCounter, newUser, type ChannelCounter, type User } from './memory-user';
import { hasherName, ReportBuilder } from './report-builder';
import type { Subject } from './subject';

/**
 * Keeps everything in memory. Each method runs to its end without interruption: that is its
 * transaction.
 *
 * @example
 * const backupCodes = new BackupCodes({ store: new MemoryStore() });
 */
export class MemoryStore implements BackupCodeStore, BackupCodeAudit {
  readonly #users = new Map<string, User>();
  readonly #trail = new MemoryTrail();
  /** When each unknown user name was last tried, the oldest first. */
  readonly #names = new Map<string, number>();
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

  async activate({ subject, setId, now, event }: ActivateRequest): Promise<readonly AuditEvent[]> {
    const user = this.#users.get(subject.key);
    const staged = user?.staged;
    if (!user || staged?.header.setId !== setId || now >= staged.until) return [];
    beginSet(user, staged.header, staged.codes);
    const { total } = staged.header;
    return this.#write([{ ...event, remaining: total, total }]);
  }

  async find(subject: Subject): Promise<FoundUser | null> {
    const user = this.#users.get(subject.key);
    if (!user) return null;
    const { current, channels } = user;
    return {
      current: current && current.set,
      channels: {
        second_factor: { ...channels.second_factor },
        recovery: { ...channels.recovery },
      },
    };
  }

  async takeAttempt(request: AttemptRequest): Promise<AttemptResult> {
    const { subject, channel, now, waits } = request;
    if (subject.userId === null) this.#forgetNames(subject.key, now);
    const user = this.#user(subject);
    const counter = user.channels[channel];
    const isLocked = counter.lockedAt !== null || counter.attempts >= waits.length;
    if (isLocked || now < counter.nextAt) {
      const reason = isLocked ? 'locked' : 'throttled';
      const events = this.#countRefusal(counter, { ...request.refusal, reason, refusals: 1 });
      return { ok: false, reason, nextAt: counter.nextAt, events };
    }
    counter.attempts += 1;
    const wait = waits[counter.attempts - 1] ?? 0;
    counter.nextAt = wait === 0 ? 0 : now + wait;
    counter.refusal = null;
    const { attempts: attempt, generation, nextAt } = counter;
    const current = user.current && { ...user.current.set, codes: user.current.codes };
    return { ok: true, ticket: { channel, attempt, generation, nextAt }, current };
  }

  async giveBack({ subject, ticket }: GiveBackRequest): Promise<void> {
    const counter = this.#users.get(subject.key)?.channels[ticket.channel];
    if (counter?.generation !== ticket.generation || counter.attempts === 0) return;
    counter.attempts -= 1;
    if (counter.nextAt === ticket.nextAt) counter.nextAt = 0;
  }

  async consume(request: ConsumeRequest): Promise<Consumption> {
    const { subject, setId, codeId, channel, now, replacement } = request;
    const user = this.#users.get(subject.key);
    const current = user?.current;
    if (!user || current?.set.setId !== setId) return { outcome: 'gone', reason: 'none' };
    const { set } = current;
    if (set.expiresAt !== null && now >= set.expiresAt) {
      return { outcome: 'gone', reason: 'expired' };
    }
    if (user.channels[channel].lockedAt !== null) return { outcome: 'gone', reason: 'locked' };
    const index = current.codes.findIndex((code) => code.codeId === codeId);
    const code = current.codes[index];
    if (!code) return { outcome: 'gone', reason: 'none' };
    if (code.consumedAt !== null) {
      return { outcome: 'already_consumed', consumedAt: code.consumedAt };
    }

    const codes = current.codes.with(index, { ...code, consumedAt: now });
    if (replacement) codes.push({ ...replacement, consumedAt: null });
    const added = replacement ? 1 : 0;
    const remaining = set.remaining - 1 + added;
    const total = set.total + added;
    user.current = { set: { ...set, remaining, total, lastConsumedAt: now }, codes };
    user.channels[channel] = freshCounter(user.channels[channel].generation + 1);
    const written = [...request.events];
    for (const milestone of request.milestones) {
      if (milestone.remaining === remaining) written.push(milestone.event);
    }
    const events = this.#write(written.map((event) => ({ ...event, remaining, total })));
    return { outcome: 'consumed', remaining, total, events };
  }

  async revoke({ subject, event }: RevokeRequest): Promise<readonly AuditEvent[]> {
    const user = this.#users.get(subject.key);
    if (user) user.staged = null;
    if (!user?.current) return [];
    const { setId } = user.current.set;
    user.current = null;
    return this.#write([{ ...event, setId }]);
  }

  async append(
    events: readonly AuditEvent[],
    lock?: LockedChannel,
  ): Promise<readonly AuditEvent[]> {
    const counter = lock && this.#users.get(lock.subject.key)?.channels[lock.ticket.channel];
    if (!counter || counter.generation !== lock.ticket.generation) return this.#write(events);
    counter.lockedAt = lock.now;
    return this.#write([...events, lock.event]);
  }

  async nameKey(): Promise<Uint8Array> {
    return this.#nameKey;
  }

  async readEvents(request: EventsRequest): Promise<EventsPage> {
    return this.#trail.read(request);
  }

  async prune({ before }: PruneRequest): Promise<number> {
    for (const { channels } of this.#users.values()) {
      for (const counter of Object.values(channels)) {
        // Later refusals begin a new event instead of counting in one that is gone.
        if (counter.refusal !== null && counter.refusal.at < before) counter.refusal = null;
      }
    }
    return this.#trail.prune(before);
  }

  async recordReminders({
    now,
    leadsMs,
    toEvent,
  }: RemindersRequest): Promise<readonly AuditEvent[]> {
    const events: AuditEvent[] = [];
    for (const user of this.#users.values()) {
      const { userId, current } = user;
      if (userId === null || !current) continue;
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
    for (const { current, channels } of this.#users.values()) {
      if (!current) continue;
      const isLocked = Object.values(channels).some(
        ({ attempts, lockedAt }) => lockedAt !== null || attempts >= request.lockAfter,
      );
      report.addSet({ ...current.set, hasher: hasherName(current.set.salt), isLocked });
    }
    for (const event of this.#trail.events) report.addEvent(event);
    return report.build();
  }

  #write(events: readonly AuditEvent[]): readonly AuditEvent[] {
    this.#trail.push(events);
    return events;
  }

  #countRefusal(
    counter: ChannelCounter,
    refusal: AuditEvent & { refusals: number },
  ): readonly AuditEvent[] {
    if (counter.refusal !== null && counter.refusal.at > refusal.at - REFUSALS_COUNTED_MS) {
      counter.refusal.refusals += 1;
      return [];
    }
    counter.refusal = refusal;
    this.#write([refusal]);
    // A copy: listeners receive a frozen event, and this one keeps counting.
    return [{ ...refusal }];
  }

  #user({ key, userId }: Subject): User {
    const existing = this.#users.get(key);
    if (existing) return existing;
    const user = newUser(userId);
    this.#users.set(key, user);
    return user;
  }

  /** The map is in the order of the last attempts, so that only expired names are visited. */
  #forgetNames(key: string, now: number): void {
    for (const [name, lastTriedAt] of this.#names) {
      if (lastTriedAt > now - NAME_KEPT_MS) break;
      this.#names.delete(name);
      this.#users.delete(name);
    }
    this.#names.delete(key);
    this.#names.set(key, now);
  }
}
