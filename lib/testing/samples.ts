// Sets, users and events for the suites, made without a hash: to a store all of it is text.
import { randomBytes, randomUUID } from 'node:crypto';
import { auditEvent, type AuditEvent, type AuditEventType } from '../audit/events';
import type { CodeRecord } from '../codes/digests';
import type {
  AttemptResult,
  BackupCodeStore,
  ConsumeRequest,
  NewSet,
  Ticket,
} from '../stores/contract';
import { userSubject, type Subject } from '../stores/subject';

export const NOW = Date.UTC(2030, 0, 1);
export const HOUR_MS = 3_600_000;
/** Five attempts, the last two followed by a wait; then the channel locks. */
export const WAITS = [0, 0, 0, 60_000, 120_000] as const;

/** A subject that is a user. */
export type User = Subject & { readonly userId: string };
/** A set and whose it is. */
export type UserSet = NewSet & { readonly subject: User };

interface SetOptions {
  readonly count?: number;
  readonly expiresAt?: number | null;
  readonly type?: AuditEventType;
}

export function newUser(): User {
  return userSubject(`user-${randomUUID()}`);
}

export function newEvent(
  type: AuditEventType,
  { userId }: Subject,
  facts: Partial<AuditEvent> = {},
): AuditEvent {
  return auditEvent(type, {
    at: NOW,
    userId,
    context: {
      ip: '192.0.2.7',
      userAgent: null,
      requestId: null,
      actor: null,
      channel: 'second_factor',
    },
    ...facts,
  });
}

export function newCode(): CodeRecord {
  return { codeId: hex(16), salt: hex(16), digest: hex(32) };
}

export function newSet(
  subject: User,
  { count = 10, expiresAt = NOW + 1000 * HOUR_MS, type = 'issued' }: SetOptions = {},
): UserSet {
  const setId = hex(16);
  return {
    subject,
    header: {
      setId,
      format: '{"alphabet":"0123456789","length":8}',
      salt: `$2b$12$${hex(11)}`,
      pepperId: '2030',
      check: hex(16),
      total: count,
      createdAt: NOW,
      expiresAt,
    },
    codes: Array.from({ length: count }, newCode),
    event: newEvent(type, subject, { setId, total: count, remaining: count }),
  };
}

/** A user with a working set. */
export async function userWithSet(store: BackupCodeStore, options?: SetOptions): Promise<UserSet> {
  const set = newSet(newUser(), options);
  await store.replace({ ...set, now: NOW });
  return set;
}

interface TakeOptions {
  readonly now?: number;
  readonly waits?: readonly number[];
  readonly channel?: Ticket['channel'];
}

/** Takes an attempt, with many free ones unless told otherwise. */
export function take(
  store: BackupCodeStore,
  subject: Subject,
  options: TakeOptions = {},
): Promise<AttemptResult> {
  const { now = NOW, waits = new Array<number>(50).fill(0), channel = 'second_factor' } = options;
  return store.takeAttempt({
    subject,
    channel,
    now,
    waits,
    refusal: newEvent('throttled', subject),
  });
}

/** Takes an attempt that must be granted. */
export async function taken(
  store: BackupCodeStore,
  subject: Subject,
  options?: TakeOptions,
): Promise<Extract<AttemptResult, { ok: true }>> {
  const attempt = await take(store, subject, options);
  if (!attempt.ok) throw new Error(`The attempt was refused: ${attempt.reason}.`);
  return attempt;
}

export function consumption(
  { subject, header, codes }: NewSet,
  index: number,
  {
    now = NOW,
    replacement,
    milestones = [],
  }: Partial<Pick<ConsumeRequest, 'now' | 'replacement' | 'milestones'>> = {},
): ConsumeRequest {
  const codeId = codes[index]?.codeId ?? '';
  const events = [newEvent('consumed', subject, { setId: header.setId, codeId })];
  return {
    subject,
    setId: header.setId,
    codeId,
    channel: 'second_factor',
    now,
    events,
    milestones,
    ...(replacement && { replacement }),
  };
}

function hex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
