// The audit event: one line of the audit trail. Its fields cannot hold a code, digest, salt or key.
import { randomUUID } from 'node:crypto';
import type { CleanContext } from './context';
import { BackupCodeError } from '../errors';

/**
 * Why a code was not accepted. For the audit trail and the calling code. The user sees one public
 * answer for all of them, except a wait.
 */
export type Reason =
  /** The input cannot be a code. Listeners receive it; it is not stored. */
  | 'malformed'
  /** No code of the set matches. */
  | 'mismatch'
  /** The code was consumed before. */
  | 'reused'
  /** The set has expired. */
  | 'expired'
  /** The user has no set. */
  | 'none'
  /** No user has this name. */
  | 'unknown_user'
  /** The wait after earlier attempts is not over. */
  | 'throttled'
  /** The channel is locked. */
  | 'locked'
  /** The risk hook refused the attempt. */
  | 'denied'
  /** The risk hook asked for a stronger factor. */
  | 'step_up'
  /** Too many slow hashes were waiting. */
  | 'busy';

/**
 * Why a stored set could not be checked: it was changed, or its key is missing. It is the code of
 * the error that `consume` throws. The attempt is given back.
 */
export type SetFault = 'unknown_pepper' | 'wrong_pepper' | 'unreadable_hash' | 'unreadable_set';

const SET_FAULTS: readonly SetFault[] = [
  'unknown_pepper',
  'wrong_pepper',
  'unreadable_hash',
  'unreadable_set',
];

/** The reason of an event. */
export type EventReason = Reason | SetFault;

export function isSetFault(code: unknown): code is SetFault {
  return (SET_FAULTS as readonly unknown[]).includes(code);
}

/** Every type of event of the core. Types are only ever added. */
export const EVENT_TYPES = [
  /** A set began to work, and any older one ended. */
  'issued',
  /** Codes that the app had printed before became the user's first set. */
  'adopted',
  /** A set was made that does not work yet. */
  'staged',
  /** A staged set began to work, and any older one ended. */
  'activated',
  /** A code was accepted. It is never accepted again. */
  'consumed',
  /** A code was not accepted; `reason` says why. */
  'rejected',
  /**
   * The first refusal during a wait, or of a day on a locked channel. Later ones are counted in
   * `refusals`.
   */
  'throttled',
  /**
   * Too many attempts failed. The channel is locked until a new set is issued or `unlock` is
   * called.
   */
  'locked',
  /** A locked channel was reopened, or its count set to zero, without a new set. */
  'unlocked',
  /** The set was ended, and no new one was issued. */
  'revoked',
  /** Everything that was stored for a user was removed. The event does not say who it was. */
  'forgotten',
  /** `lowAt` codes are left. */
  'low',
  /** No code is left. */
  'exhausted',
  /** A replacement for the consumed code was added to the set. */
  'renewed',
  /** The set expires soon. Written by `audit.recordReminders`. */
  'expiring',
  /**
   * The set has expired. Written by `audit.recordReminders`; the codes stopped working exactly at
   * `expiresAt`.
   */
  'expired',
  /**
   * A code was consumed, and then the login failed. The user is not logged in, and the code stays
   * consumed.
   */
  'login_unfinished',
  /**
   * The code was sent again for the login that it was consumed for, and this request completes the
   * login. `refusals` counts the requests that asked to.
   */
  'login_resumed',
  /** The risk hook asked for a stronger factor. */
  'step_up_required',
  /**
   * Exported events were applied after a restore. Written by `audit.replay`; `details` has the
   * counts.
   */
  'replayed',
] as const;

/** A type of the core. */
export type EventType = (typeof EVENT_TYPES)[number];

/**
 * A type of the core, a type of your own that begins with `app_`, or a type that a subpath
 * registered (`passport-backup-code/approval` has some).
 */
export type AuditEventType = EventType | (string & Record<never, never>);

/** What an event of your own, or of a subpath, says besides the common fields. */
export type EventDetails = Readonly<Record<string, string | number | boolean | null>>;

/** One line of the audit trail. */
export interface AuditEvent {
  /** A UUID. Random, except for an event that counts refusals: its id says which ones. */
  readonly id: string;
  readonly type: AuditEventType;
  /** Milliseconds since 1970, UTC. */
  readonly at: number;
  /**
   * The id as a string, whatever type the app uses. `null` for an unknown user name, and after the
   * user was forgotten.
   */
  readonly userId: string | null;
  /** The namespace of the `BackupCodes` that wrote the event; `null` without one. */
  readonly namespace: string | null;
  readonly setId: string | null;
  /** A random name for the code. It says nothing about the code itself. */
  readonly codeId: string | null;
  readonly reason: EventReason | null;
  readonly remaining: number | null;
  readonly total: number | null;
  /** With `reused`: seconds since the code was consumed. One or two mean a double click. */
  readonly consumedSecondsAgo: number | null;
  /**
   * With an event that counts refusals: how many there were so far. The store keeps counting. All
   * `throttled` events count, and so do `rejected` and `step_up_required` ones whose attempt was
   * not charged.
   */
  readonly refusals: number | null;
  /** `null` for events of the core, except `replayed`. */
  readonly details: EventDetails | null;
  readonly context: CleanContext;
}

/** The fields that every event has, and any others. */
export type EventFields = Pick<AuditEvent, 'at' | 'userId' | 'context'> &
  Partial<Omit<AuditEvent, 'id' | 'type'>>;

/** A new event with a random id. Fields that are not given are `null`. */
export function auditEvent(type: AuditEventType, fields: EventFields): AuditEvent {
  return {
    id: randomUUID(),
    type,
    namespace: null,
    setId: null,
    codeId: null,
    reason: null,
    remaining: null,
    total: null,
    consumedSecondsAgo: null,
    refusals: null,
    details: null,
    ...fields,
  };
}

/**
 * The event without what names the user, or says where a request came from. The id of an event that
 * counts refusals is made from the user's key, so the event gets another one.
 */
export function anonymousEvent(event: AuditEvent): AuditEvent {
  const { channel } = event.context;
  return {
    ...event,
    id: event.refusals === null ? event.id : randomUUID(),
    userId: null,
    details: null,
    context: { ip: null, userAgent: null, requestId: null, actor: null, channel },
  };
}

/** A type of the app's own: `app_`, then up to 28 lower-case letters, digits and underscores. */
const APP_TYPE = /^app_[a-z0-9_]{1,28}$/;

const coreTypes: ReadonlySet<string> = new Set(EVENT_TYPES);
const registeredTypes = new Set<string>();

/**
 * Lets `audit.record` write these types. For subpaths; an app uses types that begin with `app_`.
 */
export function registerEventTypes(types: readonly string[]): void {
  for (const type of types) registeredTypes.add(type);
}

/**
 * Whether `audit.record` may write this type. The core's own types are written by the core alone.
 */
export function isRecordableType(type: unknown): type is string {
  return typeof type === 'string' && (registeredTypes.has(type) || APP_TYPE.test(type));
}

/** @throws {BackupCodeError} `invalid_option` */
export function assertEventType(type: unknown): asserts type is AuditEventType {
  if (typeof type === 'string' && (coreTypes.has(type) || isRecordableType(type))) return;
  const given = typeof type === 'string' ? `"${type.slice(0, 40)}"` : `a ${typeof type}`;
  const listed = [...EVENT_TYPES, ...registeredTypes].join(', ');
  throw new BackupCodeError(
    'invalid_option',
    `There is no event type ${given}. ` +
      `The types are ${listed}, and your own, which begin with app_.`,
  );
}
