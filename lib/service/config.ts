// The options of `BackupCodes` with their defaults, checked once at construction.
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
import { pepperRing, type PepperRing } from '../codes/pepper';
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
import { attemptWaits, type Waits } from './back-off';
import type { BackupCodesOptions } from './options';

/** The options with their defaults. */
export interface Config {
  /** Limits the time of the app's store, and checks what it returns. */
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
  readonly storeTimeoutSeconds: number;
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
  'storeTimeoutSeconds',
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
  const storeTimeoutSeconds = wholeNumber('storeTimeoutSeconds', options.storeTimeoutSeconds, {
    min: 1,
    max: 60,
    fallback: 10,
  });
  return {
    store: checkedStore(options.store, { timeoutSeconds: storeTimeoutSeconds }),
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
    storeTimeoutSeconds,
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
