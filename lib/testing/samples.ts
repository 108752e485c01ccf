// Users, sets and events for the suites. A store only keeps digests and salts, so these are random
// strings, and the suites run without a slow hash.
import { randomBytes, randomUUID } from 'node:crypto';
import { auditEvent, type AuditEvent, type AuditEventType } from '../audit/events';
import type { CodeRecord } from '../codes/digests';
import type { BackupCodeStore } from '../stores/contract';
import type { AttemptResult, ConsumeRequest, NewSet, Ticket } from '../stores/requests';
import { userSubject, type Subject } from '../stores/subject';

/** The time of every step that does not name its own. */
export const NOW = Date.UTC(2030, 0, 1);
export const HOUR_MS = 3_600_000;
/** Five attempts. The last two are followed by a wait. */
export const WAITS = [0, 0, 0, 60_000, 120_000] as const;

/** A subject that is a user. */
export type User = Subject & { readonly userId: string };
/** A new set of a user. */
export type UserSet = NewSet & { readonly subject: User };

export interface SetOptions {
  /** @default 10 */
  readonly count?: number;
  /** @default 1,000 hours after {@link NOW} */
  readonly expiresAt?: number | null;
  /**
   * The type of the event that is written with the set.
   *
   * @default 'issued'
   */
  readonly type?: AuditEventType;
}

export function newUser(namespace: string | null = null): User {
  return userSubject(`user-${randomUUID()}`, namespace);
}

/** A namespace that no other test uses, so that its events and counts are those of one test. */
export function newNamespace(): string {
  return `test-${randomUUID()}`;
}

export function newEvent(
  type: AuditEventType,
  { userId, namespace }: Subject,
  fields: Partial<AuditEvent> = {},
): AuditEvent {
  return auditEvent(type, {
    at: NOW,
    userId,
    namespace,
    context: {
      ip: '192.0.2.7',
      userAgent: null,
      requestId: null,
      actor: null,
      channel: 'second_factor',
    },
    ...fields,
  });
}

export function newCode(): CodeRecord {
  return { codeId: randomHex(16), salt: randomHex(16), digest: randomHex(32) };
}

export function newSet(subject: User, options: SetOptions = {}): UserSet {
  const { count = 10, expiresAt = NOW + 1000 * HOUR_MS, type = 'issued' } = options;
  const setId = randomHex(16);
  return {
    subject,
    header: {
      setId,
      format: '{"alphabet":"0123456789","length":8}',
      salt: `$2b$12$${randomHex(11)}`,
      pepperId: '2030',
      check: randomHex(16),
      total: count,
      createdAt: NOW,
      expiresAt,
    },
    codes: Array.from({ length: count }, newCode),
    event: newEvent(type, subject, { setId, total: count, remaining: count }),
  };
}

/** Writes a set for a new user. */
export async function issueSet(
  store: BackupCodeStore,
  options: SetOptions & { readonly user?: User } = {},
): Promise<UserSet> {
  const { user = newUser(), ...setOptions } = options;
  const set = newSet(user, setOptions);
  await store.replace({ ...set, now: NOW });
  return set;
}

export interface AttemptOptions {
  /** @default NOW */
  readonly now?: number;
  /** @default fifty attempts without a wait */
  readonly waits?: readonly number[];
  /** @default 'second_factor' */
  readonly channel?: Ticket['channel'];
  /** @default the network of {@link newEvent} */
  readonly network?: string;
}

/** Takes an attempt, which may be refused. */
export function takeAttempt(
  store: BackupCodeStore,
  subject: Subject,
  options: AttemptOptions = {},
): Promise<AttemptResult> {
  const {
    now = NOW,
    waits = new Array<number>(50).fill(0),
    channel = 'second_factor',
    network = '192.0.2.0/24',
  } = options;
  const refusal = newEvent('throttled', subject);
  return store.takeAttempt({ subject, channel, network, now, waits, refusal });
}

/** Takes an attempt, and throws if it is refused. */
export async function takeGrantedAttempt(
  store: BackupCodeStore,
  subject: Subject,
  options?: AttemptOptions,
): Promise<Extract<AttemptResult, { ok: true }>> {
  const attempt = await takeAttempt(store, subject, options);
  if (!attempt.ok) throw new Error(`The attempt was refused: ${attempt.reason}.`);
  return attempt;
}

/** What the tests compare: the number of a granted attempt, or the refusal as a string. */
export function outcomeOf(attempt: AttemptResult): number | string {
  return attempt.ok ? attempt.ticket.attempt : `${attempt.reason} until ${attempt.nextAt}`;
}

/** The request to consume the code at `index` of the set. */
export function newConsumeRequest(
  { subject, header, codes }: NewSet,
  index: number,
  options: Partial<Pick<ConsumeRequest, 'now' | 'replacement' | 'milestones'>> = {},
): ConsumeRequest {
  const { now = NOW, replacement, milestones = [] } = options;
  const codeId = codes[index]?.codeId ?? '';
  return {
    subject,
    setId: header.setId,
    codeId,
    channel: 'second_factor',
    now,
    events: [newEvent('consumed', subject, { setId: header.setId, codeId })],
    milestones,
    ...(replacement && { replacement }),
  };
}

function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
