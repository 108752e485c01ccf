// A store in this process's memory: the readable reference of the contract, for tests and for trying things out.
// Not for production: a restart forgets every set and every count.
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import type { Channel } from '../audit/context';
import type { AuditEvent } from '../audit/events';
import type { CodeRecord } from '../codes/digests';
import type { Subject } from './subject';
import { MemoryTrail } from './memory-trail';
import {
  dueReminder,
  type BackupCodeReports,
  type DueSet,
  type EventsPage,
  type Reminder,
  type Report,
  type ReportQuery,
} from './audit-contract';
import {
  NAME_KEPT_MS,
  REFUSALS_COUNTED_MS,
  type BackupCodeStore,
  type LockedChannel,
  type Consumption,
  type CurrentSet,
  type FoundUser,
  type NewSet,
  type SetHeader,
  type StoredCode,
  type TakenAttempt,
  type Ticket,
} from './contract';
import { hasherName, Tally } from './report-builder';

interface DoorCount {
  attempts: number;
  nextAt: number;
  generation: number;
  lockedAt: number | null;
  /** The `throttled` event of the running wait, once there was a refusal. */
  refusal: (AuditEvent & { refusals: number }) | null;
}

interface WorkingSet {
  header: SetHeader;
  codes: (CodeRecord & { consumedAt: number | null })[];
  lastConsumedAt: number | null;
  /** How many of its reminders are done with. */
  reminded: number;
}

interface User {
  readonly userId: string | null;
  current: WorkingSet | null;
  staged: { header: SetHeader; codes: readonly CodeRecord[]; until: number } | null;
  hadSet: boolean;
  channels: Record<Channel, DoorCount>;
}

/** Every method runs to its end without giving way to another: that is its transaction. */
export class MemoryStore implements BackupCodeStore, BackupCodeReports {
  private readonly users = new Map<string, User>();
  private readonly trail = new MemoryTrail();
  /** When each unknown name was last tried, the oldest first. */
  private readonly names = new Map<string, number>();
  private readonly key = randomBytes(32);

  /** Every event so far, in the order of the changes they tell of. */
  get auditTrail(): readonly AuditEvent[] {
    return this.trail.events;
  }

  replace({
    subject,
    header,
    codes,
    event,
    only,
  }: NewSet & { now: number; only?: 'first' }): Promise<boolean> {
    const user = this.user(subject);
    if (only === 'first' && user.hadSet) return Promise.resolve(false);
    this.begin(user, header, codes);
    this.trail.push(event);
    return Promise.resolve(true);
  }

  stage({ subject, header, codes, until, event }: NewSet & { until: number }): Promise<void> {
    this.user(subject).staged = { header, codes, until };
    this.trail.push(event);
    return Promise.resolve();
  }

  activate({
    subject,
    setId,
    now,
    event,
  }: {
    subject: Subject;
    setId: string;
    now: number;
    event: AuditEvent;
  }): Promise<SetHeader | null> {
    const user = this.users.get(subject.key);
    const staged = user?.staged;
    if (!user || staged?.header.setId !== setId || now >= staged.until)
      return Promise.resolve(null);
    this.begin(user, staged.header, staged.codes);
    const { total } = staged.header;
    this.trail.push({ ...event, remaining: total, total });
    return Promise.resolve(staged.header);
  }

  find(subject: Subject): Promise<FoundUser | null> {
    const user = this.users.get(subject.key);
    if (!user) return Promise.resolve(null);
    return Promise.resolve({
      current: user.current && describeSet(user.current),
      channels: structuredClone(user.channels),
    });
  }

  takeAttempt({
    subject,
    channel,
    now,
    waits,
    refusal,
  }: Parameters<BackupCodeStore['takeAttempt']>[0]): Promise<TakenAttempt> {
    if (subject.userId === null) this.forgetNames(subject.key, now);
    const user = this.user(subject);
    const count = user.channels[channel];
    const isLocked = count.lockedAt !== null || count.attempts >= waits.length;
    if (isLocked || now < count.nextAt) {
      const reason = isLocked ? 'locked' : 'throttled';
      const counted =
        count.refusal !== null && count.refusal.at > now - REFUSALS_COUNTED_MS
          ? count.refusal
          : null;
      if (counted) counted.refusals += 1;
      else this.trail.push((count.refusal = { ...refusal, reason, refusals: 1 }));
      return Promise.resolve({
        ok: false,
        reason,
        nextAt: count.nextAt,
        isFirst: counted === null,
      });
    }
    count.attempts += 1;
    const wait = waits[count.attempts - 1] ?? 0;
    count.nextAt = wait === 0 ? 0 : now + wait;
    count.refusal = null;
    const ticket = {
      channel,
      attempt: count.attempts,
      generation: count.generation,
      nextAt: count.nextAt,
    };
    const current = user.current && {
      ...describeSet(user.current),
      codes: user.current.codes.map((code): StoredCode => ({ ...code })),
    };
    return Promise.resolve({ ok: true, ticket, current });
  }

  giveBack({ subject, ticket }: { subject: Subject; ticket: Ticket }): Promise<void> {
    const count = this.users.get(subject.key)?.channels[ticket.channel];
    if (count?.generation === ticket.generation && count.attempts > 0) {
      count.attempts -= 1;
      if (count.nextAt === ticket.nextAt) count.nextAt = 0;
    }
    return Promise.resolve();
  }

  consume({
    subject,
    setId,
    codeId,
    channel,
    now,
    events,
    milestones,
    replacement,
  }: Parameters<BackupCodeStore['consume']>[0]): Promise<Consumption> {
    const user = this.users.get(subject.key);
    const set = user?.current;
    if (!user || set?.header.setId !== setId)
      return Promise.resolve({ outcome: 'gone', reason: 'none' });
    if (set.header.expiresAt !== null && now >= set.header.expiresAt)
      return Promise.resolve({ outcome: 'gone', reason: 'expired' });
    if (user.channels[channel].lockedAt !== null)
      return Promise.resolve({ outcome: 'gone', reason: 'locked' });
    const code = set.codes.find((candidate) => candidate.codeId === codeId);
    if (!code) return Promise.resolve({ outcome: 'gone', reason: 'none' });
    if (code.consumedAt !== null)
      return Promise.resolve({ outcome: 'already_consumed', consumedAt: code.consumedAt });

    code.consumedAt = now;
    set.lastConsumedAt = now;
    if (replacement) {
      set.codes.push({ ...replacement, consumedAt: null });
      set.header = { ...set.header, total: set.header.total + 1 };
    }
    user.channels[channel] = freshCount(user.channels[channel].generation + 1);
    const { remaining, total } = describeSet(set);
    const reached = milestones
      .filter((milestone) => milestone.remaining === remaining)
      .map((milestone) => milestone.event);
    this.trail.push(
      ...[...events, ...reached].map((written) => ({ ...written, remaining, total })),
    );
    return Promise.resolve({ outcome: 'consumed', remaining, total });
  }

  revoke({
    subject,
    event,
  }: {
    subject: Subject;
    now: number;
    event: AuditEvent;
  }): Promise<string | null> {
    const user = this.users.get(subject.key);
    if (user) user.staged = null;
    if (!user?.current) return Promise.resolve(null);
    const { setId } = user.current.header;
    user.current = null;
    this.trail.push({ ...event, setId });
    return Promise.resolve(setId);
  }

  append(events: readonly AuditEvent[], closes?: LockedChannel): Promise<boolean> {
    this.trail.push(...events);
    const count = closes && this.users.get(closes.subject.key)?.channels[closes.ticket.channel];
    if (!count || count.generation !== closes.ticket.generation) return Promise.resolve(false);
    count.lockedAt = closes.now;
    this.trail.push(closes.event);
    return Promise.resolve(true);
  }

  nameKey(): Promise<Uint8Array> {
    return Promise.resolve(this.key);
  }

  readEvents(query: Parameters<BackupCodeReports['readEvents']>[0]): Promise<EventsPage> {
    // A bad cursor is a rejection, as with every other store.
    return Promise.resolve().then(() => this.trail.read(query));
  }

  prune({ before }: { before: number }): Promise<number> {
    for (const { channels } of this.users.values()) {
      // Nothing is counted in an event that is gone.
      for (const count of Object.values(channels))
        if (count.refusal !== null && count.refusal.at < before) count.refusal = null;
    }
    return Promise.resolve(this.trail.prune(before));
  }

  remind({
    now,
    leadsMs,
    toEvent,
  }: {
    now: number;
    leadsMs: readonly number[];
    toEvent: (due: DueSet) => AuditEvent;
  }): Promise<readonly Reminder[]> {
    const marked: Reminder[] = [];
    for (const { userId, current } of this.users.values()) {
      if (userId === null || !current) continue;
      const { setId, expiresAt, remaining, total, createdAt } = describeSet(current);
      const done = dueReminder({ createdAt, expiresAt, now, leadsMs });
      if (expiresAt === null || done <= current.reminded) continue;
      const due: DueSet = {
        type: done === leadsMs.length ? 'expired' : 'expiring',
        userId,
        setId,
        expiresAt,
        remaining,
        total,
      };
      const event = toEvent(due);
      current.reminded = done;
      this.trail.push(event);
      marked.push({ due, event });
    }
    return Promise.resolve(marked);
  }

  report(query: ReportQuery): Promise<Report> {
    const tally = new Tally(query);
    for (const { current, channels } of this.users.values()) {
      if (!current) continue;
      const isLocked = Object.values(channels).some(
        ({ attempts, lockedAt }) => lockedAt !== null || attempts >= query.lockAfter,
      );
      tally.addSet({
        ...describeSet(current),
        hasher: hasherName(current.header.salt),
        isLocked,
      });
    }
    for (const event of this.trail.events) tally.addEvent(event);
    return Promise.resolve(tally.report());
  }

  /** Shows no salt and no digest, whoever prints this. */
  [inspect.custom](): string {
    return 'MemoryStore {}';
  }

  /** Nor whoever logs it as JSON. */
  toJSON(): string {
    return this[inspect.custom]();
  }

  private user({ key, userId }: Subject): User {
    const known = this.users.get(key);
    if (known) return known;
    const user: User = {
      userId,
      current: null,
      staged: null,
      hadSet: false,
      channels: { second_factor: freshCount(0), recovery: freshCount(0) },
    };
    this.users.set(key, user);
    return user;
  }

  private begin(user: User, header: SetHeader, codes: readonly CodeRecord[]): void {
    user.current = {
      header,
      codes: codes.map((code) => ({ ...code, consumedAt: null })),
      lastConsumedAt: null,
      reminded: 0,
    };
    user.staged = null;
    user.hadSet = true;
    for (const channel of ['second_factor', 'recovery'] as const)
      user.channels[channel] = freshCount(user.channels[channel].generation + 1);
  }

  private forgetNames(key: string, now: number): void {
    for (const [old, lastTried] of this.names) {
      if (lastTried > now - NAME_KEPT_MS) break;
      this.names.delete(old);
      this.users.delete(old);
    }
    this.names.delete(key);
    this.names.set(key, now);
  }
}

function freshCount(generation: number): DoorCount {
  return { attempts: 0, nextAt: 0, generation, lockedAt: null, refusal: null };
}

function describeSet({ header, codes, lastConsumedAt }: WorkingSet): CurrentSet {
  return {
    ...header,
    remaining: codes.filter(({ consumedAt }) => consumedAt === null).length,
    lastConsumedAt,
  };
}
