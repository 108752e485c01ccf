// The options of `BackupCodes`, checked once at construction.
import type { CleanContext } from '../audit/context';
import {
  auditEvent,
  type AuditEvent,
  type AuditEventType,
  type EventFields,
} from '../audit/events';
import { checkFormat, formats, serializeFormat, type Format } from '../codes/formats';
import { assertHardToGuess } from '../codes/guessing';
import type { HashQueueOptions } from '../codes/hash-queue';
import { bcryptHasher } from '../codes/hashers/bcrypt';
import { hasherList, type Hasher } from '../codes/hashers/hasher';
import { pbkdf2Hasher } from '../codes/hashers/pbkdf2';
import { scryptHasher } from '../codes/hashers/scrypt';
import { pepperRing, type Pepper, type PepperRing } from '../codes/pepper';
import { BackupCodeError } from '../errors';
import { checkedClock } from '../internal/clock';
import {
  assertMethods,
  assertOptions,
  describe,
  optionalFunction,
  wholeNumber,
} from '../internal/validate';
import { warnOnce } from '../internal/warn-once';
import { checkedStore } from '../stores/checked-store';
import { STORE_METHODS, type BackupCodeStore } from '../stores/contract';
import { MemoryStore } from '../stores/memory';
import { attemptWaits, type AttemptOptions, type Waits } from './back-off';

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
   * One user has at most two of them, one on `recovery`.
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

/** The options with their defaults. */
export interface Config {
  /** Checks what the app's store returns. */
  readonly store: BackupCodeStore;
  /** The store as it was given, for the methods that only some stores have. */
  readonly givenStore: BackupCodeStore;
  readonly namespace: string | null;
  /** Makes an event of this namespace. */
  readonly newEvent: (type: AuditEventType, fields: Omit<EventFields, 'namespace'>) => AuditEvent;
  readonly pepper: PepperRing;
  /** Newest first; never empty. */
  readonly formats: readonly [Format, ...Format[]];
  /** The same formats as they are stored with a set. */
  readonly formatDefinitions: readonly string[];
  /** Newest first, the built-in ones last; never empty. */
  readonly hashers: readonly [Hasher, ...Hasher[]];
  readonly count: number;
  readonly expiresAfterDays: number | null;
  readonly rotateAfterDays: number | null;
  readonly lowAt: number;
  /** 0 without `replaceConsumed`. */
  readonly maxReplacements: number;
  readonly waits: Waits;
  readonly assessRisk: BackupCodesOptions['assessRisk'];
  readonly hashQueue: HashQueueOptions;
  readonly now: () => number;
  readonly normalizeUsername: (username: string) => string;
}

const NAMES = [
  'store',
  'namespace',
  'pepper',
  'format',
  'count',
  'hasher',
  'expiresAfterDays',
  'rotateAfterDays',
  'lowAt',
  'replaceConsumed',
  'maxReplacements',
  'attempts',
  'assessRisk',
  'hashConcurrency',
  'maxQueuedHashes',
  'now',
  'normalizeUsername',
] as const satisfies readonly (keyof BackupCodesOptions)[];

const DAYS = { min: 1, max: 3650 } as const;

/**
 * @throws {BackupCodeError} `invalid_option`, `invalid_format`, `invalid_hasher`, `invalid_pepper`
 */
export function parseConfig(options: BackupCodesOptions): Config {
  assertOptions('BackupCodes', options, NAMES);
  assertMethods('store', options.store, STORE_METHODS);
  const namespace = readNamespace(options);
  const listedFormats = formatList(options.format ?? formats.standard);
  const [format] = listedFormats;
  const count = wholeNumber('count', options.count, { min: 1, max: 32, fallback: 10 });
  const waits = attemptWaits(options.attempts);
  const pepper = pepperRing(options.pepper);
  const hasPepper = pepper.newest.id !== null;
  assertHardToGuess(format, { count, attempts: waits.second_factor.length, hasPepper });
  const bcrypt = bcryptHasher();
  const [hasher = bcrypt, ...olderHashers] = hasherList(options.hasher ?? bcrypt, format.bits);
  warnOfWeakness(options.store, hasPepper);
  return {
    store: checkedStore(options.store),
    givenStore: options.store,
    namespace,
    newEvent: (type, fields) => auditEvent(type, { ...fields, namespace }),
    pepper,
    formats: listedFormats,
    formatDefinitions: listedFormats.map(serializeFormat),
    hashers: [hasher, ...olderHashers, bcrypt, scryptHasher(), pbkdf2Hasher()],
    count,
    expiresAfterDays: days('expiresAfterDays', options.expiresAfterDays, 365),
    rotateAfterDays: days('rotateAfterDays', options.rotateAfterDays, 180),
    lowAt: wholeNumber('lowAt', options.lowAt, { min: 0, max: 32, fallback: 3 }),
    maxReplacements: replacementLimit(options),
    waits,
    assessRisk: optionalFunction('assessRisk', options.assessRisk),
    hashQueue: hashQueueOptions(options),
    now: checkedClock(optionalFunction('now', options.now)),
    normalizeUsername:
      optionalFunction('normalizeUsername', options.normalizeUsername) ?? normalizeUsername,
  };
}

/** Without NUL and bounded, so that it can be the key of an HMAC. */
const NAMESPACE = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * A namespace that is present but undefined is a mistake: users of all such tenants would meet.
 *
 * @throws {BackupCodeError} `invalid_option`
 */
function readNamespace(options: BackupCodesOptions): string | null {
  if (!('namespace' in options)) return null;
  const given: unknown = options.namespace;
  if (typeof given === 'string' && NAMESPACE.test(given)) return given;
  const shown = typeof given === 'string' ? JSON.stringify(given.slice(0, 80)) : describe(given);
  throw new BackupCodeError(
    'invalid_option',
    `namespace must be 1 to 64 letters, digits, dots, dashes or underscores, but was ${shown}.`,
  );
}

function formatList(given: Format | readonly Format[]): readonly [Format, ...Format[]] {
  const list = Array.isArray(given) ? (given as readonly Format[]) : [given as Format];
  const [first, ...others] = list.map(checkFormat);
  if (first !== undefined) return [first, ...others];
  throw new BackupCodeError('invalid_option', 'format is an empty list; give at least one.');
}

function days(name: string, given: number | null | undefined, fallback: number): number | null {
  return given === null ? null : wholeNumber(name, given, { ...DAYS, fallback });
}

/** @throws {BackupCodeError} `invalid_option` */
function replacementLimit({
  replaceConsumed = false,
  maxReplacements,
}: BackupCodesOptions): number {
  if (typeof replaceConsumed !== 'boolean') {
    throw new BackupCodeError(
      'invalid_option',
      `replaceConsumed must be true or false, but was ${describe(replaceConsumed)}.`,
    );
  }
  const limit = wholeNumber('maxReplacements', maxReplacements, {
    min: 1,
    max: 1000,
    fallback: 100,
  });
  if (replaceConsumed) return limit;
  if (maxReplacements === undefined) return 0;
  throw new BackupCodeError(
    'invalid_option',
    'maxReplacements has no effect without replaceConsumed: true. Set both, or neither.',
  );
}

function hashQueueOptions({
  hashConcurrency,
  maxQueuedHashes,
}: BackupCodesOptions): HashQueueOptions {
  return {
    concurrency: wholeNumber('hashConcurrency', hashConcurrency, {
      min: 1,
      max: 1024,
      fallback: halfOfThreads(),
    }),
    maxQueued: wholeNumber('maxQueuedHashes', maxQueuedHashes, {
      min: 0,
      max: 100_000,
      fallback: 128,
    }),
  };
}

/** libuv has four threads by default. */
function halfOfThreads(): number {
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  return Math.max(1, Math.floor((Number.isFinite(threads) ? threads : 4) / 2));
}

function normalizeUsername(username: string): string {
  return username.normalize('NFKC').trim().toLowerCase();
}

function warnOfWeakness(store: BackupCodeStore, hasPepper: boolean): void {
  if (process.env['NODE_ENV'] !== 'production') return;
  if (store instanceof MemoryStore) {
    warnOnce(
      'BACKUP_CODE_MEMORY_STORE',
      'MemoryStore in production: a restart loses every backup code and every attempt counter.',
    );
  }
  if (!hasPepper) {
    warnOnce(
      'BACKUP_CODE_NO_PEPPER',
      'No pepper in production: ' +
        'an attacker with a copy of the database can guess its backup codes offline.',
    );
  }
}
