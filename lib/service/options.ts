// The options of `BackupCodes`.
import type { CleanContext } from '../audit/context';
import type { Format } from '../codes/formats';
import type { Hasher } from '../codes/hashers/hasher';
import type { Pepper } from '../codes/pepper';
import type { BackupCodeStore } from '../stores/contract';
import type { AttemptOptions } from './back-off';

/** What the risk hook receives, before anything is known about the code. */
export interface RiskAttempt {
  /**
   * The id as a string; `null` for an unknown user name. Unknown names are assessed too, so that
   * their answer does not differ. A hook that decides by this field discloses which names exist.
   */
  readonly userId: string | null;
  /** Which attempt this is since the last success or new set, on this channel, counting from 1. */
  readonly attempt: number;
  readonly context: CleanContext;
}

/** What to do with an attempt: check the code, ask for a stronger factor first, or refuse. */
export type Risk = 'allow' | 'step_up' | 'deny';

/** Only `store` is required. */
export interface BackupCodesOptions {
  /** Where sets, attempt counters and audit events are kept. */
  readonly store: BackupCodeStore;
  /**
   * Keeps the users of one organisation, app or environment apart from all others in the same
   * store: 1 to 64 letters, digits, dots, dashes and underscores. User ids are unique within a
   * namespace, and equal ids in two namespaces never meet. Never change it: the sets of the old
   * name are not found under another.
   *
   * @default no namespace
   */
  readonly namespace?: string;
  /**
   * Keys that are kept apart from the database: one, or a list, newest first. The newest is used
   * for new sets, all are read. Once there is one, sets without a pepper are refused unless the
   * list ends with `{ id: 'none' }`.
   *
   * @default [], with a warning in production
   */
  readonly pepper?: Pepper | readonly Pepper[];
  /**
   * One format, or a list, newest first. The first is used for new codes, all are read. On the
   * `recovery` channel only formats of 64 bits or more are read.
   *
   * @default formats.standard
   */
  readonly format?: Format | readonly Format[];
  /**
   * Codes in a set, from 1 to 32. Usual are 8 to 16.
   *
   * @default 10
   */
  readonly count?: number;
  /**
   * One slow hash, or a list, newest first. The first is used for new sets, all are read. bcrypt,
   * scrypt and PBKDF2 are always read.
   *
   * Recommended: `argon2Hasher({ passes: 4 })` of `passport-backup-code/argon2`. Beside bcrypt 12, a
   * hash takes 0.36 of the time, and a guess costs an attacker 1.05 to 1.15 of it. It is not the
   * default, because a process without the package `@node-rs/argon2` could not read such sets.
   *
   * @default bcryptHasher({ cost: 12 })
   */
  readonly hasher?: Hasher | readonly Hasher[];
  /**
   * Days until a set expires, from 1 to 3650; `null` for never.
   *
   * @default 365
   */
  readonly expiresAfterDays?: number | null;
  /**
   * Days after which `status` reports `rotationDue`, from 1 to 3650; `null` for never. The set
   * keeps working.
   *
   * @default 180
   */
  readonly rotateAfterDays?: number | null;
  /**
   * Report `low` when this many codes or fewer are left, from 0 to 32.
   *
   * @default 3
   */
  readonly lowAt?: number;
  /**
   * Replaces each consumed code with a new one, which `consume` returns, at the cost of a second
   * slow hash. The strategy does not show the new code: call `consume` yourself.
   *
   * @default false
   */
  readonly replaceConsumed?: boolean;
  /**
   * Codes of a set that are replaced, from 1 to 1000, so that no set grows without end. Further
   * codes are consumed without a replacement, and `low` is true from then on. Only with
   * `replaceConsumed`.
   *
   * @default 100
   */
  readonly maxReplacements?: number;
  /** How many attempts a user has, and the waits between them. */
  readonly attempts?: AttemptOptions;
  /**
   * Assesses each attempt before any hash. An attempt is denied if the hook throws, takes longer
   * than five seconds or returns anything else.
   *
   * @default every attempt is allowed
   */
  readonly assessRisk?: (attempt: RiskAttempt) => Risk | Promise<Risk>;
  /**
   * Slow hashes that run at once in this process, from 1 to 1024. At most half of them, and at
   * least one, are on the `recovery` channel. `second_factor` is served first. It may take all of
   * them, but while it waits, `recovery` gets every 33rd place.
   *
   * One user has at most two of them, one on `recovery`. A new set uses both while no caller waits.
   *
   * @default half of libuv's threads, so that `fs` and `dns` keep the others
   */
  readonly hashConcurrency?: number;
  /**
   * Callers that wait for a slow hash on each channel before further ones get `busy`, from 0 to
   * 100 000. A caller gets `busy` too after five seconds, or if four callers of its user wait.
   *
   * @default 128
   */
  readonly maxQueuedHashes?: number;
  /**
   * Seconds to wait for each call of the store in a login, and for `audit.events`, from 1 to 60.
   * Then `store_timeout` is thrown, no user is let in, and it is not known what the store did.
   * `audit.prune`, `audit.report` and `audit.recordReminders` work in steps and have no limit.
   *
   * @default 10
   */
  readonly storeTimeoutSeconds?: number;
  /**
   * The clock, in milliseconds since 1970.
   *
   * @default Date.now
   */
  readonly now?: () => number;
  /**
   * Normalizes an unknown user name before it is counted. Do what your user lookup does.
   *
   * @default NFKC, trimmed, in lower case
   */
  readonly normalizeUsername?: (username: string) => string;
}
