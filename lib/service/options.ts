// The options of `BackupCodes`, checked once, at construction. Nothing here runs on a request.
import { attemptWaits, type AttemptOptions } from './back-off';
import type { CleanContext } from '../audit/context';
import { BackupCodeError } from '../errors';
import { checkFormat, formats, type Format } from '../codes/formats';
import { assertHardToGuess } from '../codes/guessing';
import type { GateOptions } from '../codes/hash-queue';
import { bcryptHasher } from '../codes/hashers/bcrypt';
import { hasherList, type Hasher } from '../codes/hashers/hasher';
import { pbkdf2Hasher } from '../codes/hashers/pbkdf2';
import { scryptHasher } from '../codes/hashers/scrypt';
import {
  assertMethods,
  assertOptions,
  describe,
  isTime,
  optionalFunction,
  wholeNumber,
} from '../internal/validate';
import { pepperRing, type Pepper, type PepperRing } from '../codes/pepper';
import { MemoryStore } from '../stores/memory';
import { STORE_METHODS, type BackupCodeStore } from '../stores/contract';
import { warnOnce } from '../internal/warn-once';

/** What the risk hook is told, before anything is known of the code. */
export interface RiskAttempt {
  /**
   * As text; `null` for a name that belongs to nobody. Such a name is assessed too, so that its answer is no different:
   * a hook that decides by this field gives away which names exist.
   */
  readonly userId: string | null;
  /** The how-manieth since the last success or new set, on this channel. */
  readonly attempt: number;
  readonly context: CleanContext;
}

/** What to do with an attempt: check it, ask for something stronger first, or refuse it. */
export type Risk = 'allow' | 'step_up' | 'deny';

/** All but `store` have a default. Checked once, at construction. */
export interface BackupCodesOptions {
  /**
   * Where sets, counts and audit events are kept. No time limit is set on it here: the client that it was given has its own, and
   * a call to it lasts as long as that allows.
   */
  readonly store: BackupCodeStore;
  /**
   * Keys kept apart from the database, newest first; the newest signs, all are read. Default: none, which production
   * is warned of. Once there is one, sets without are refused unless the list ends with `{ id: 'none' }`.
   */
  readonly pepper?: readonly Pepper[];
  /** The format issued, or a list of which the first is issued and all are read. Default `formats.standard`. */
  readonly format?: Format | readonly Format[];
  /** Codes in a set. 1 to 32, usually 8 to 16, default 10. */
  readonly count?: number;
  /**
   * The slow hash of new sets, or a list of which the first is used and all are read; bcrypt, scrypt and PBKDF2 always are.
   * Default `bcryptHasher({ cost: 12 })`.
   */
  readonly hasher?: Hasher | readonly Hasher[];
  /** Days until a set stops working. 1 to 3650, default 365; `null`: never. */
  readonly expiresAfterDays?: number | null;
  /** Days after which `status` says `rotationDue`: a reminder, not an expiry. 1 to 3650, default 180; `null`: never. */
  readonly rotateAfterDays?: number | null;
  /** As many codes left are few. 0 to 32, default 3. */
  readonly lowAt?: number;
  /**
   * Replaces each consumed code with a new one, which `consume` returns, at the price of a second slow hash. The strategy
   * does not show the new code: call `consume` yourself.
   *
   * @default false
   */
  readonly replaceConsumed?: boolean;
  /** How wrong codes are slowed down and stopped. */
  readonly attempts?: AttemptOptions;
  /** Asked before any hash. A throw, five seconds of silence or any other answer denies. */
  readonly assessRisk?: (attempt: RiskAttempt) => Risk | Promise<Risk>;
  /** Slow hashes at once in this process. 1 to 1024; default half of libuv's threads, so that `fs` and `dns` keep theirs. */
  readonly hashConcurrency?: number;
  /** Callers that wait behind them before others are told `busy`. 0 to 100 000, default 128. */
  readonly maxQueuedHashes?: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
  /**
   * How names are made alike before one that belongs to nobody is counted; do what the user lookup does.
   * Default: NFKC, trimmed, lower case.
   */
  readonly normalizeUsername?: (username: string) => string;
}

/** The same, checked, with defaults. */
export interface Config {
  readonly store: BackupCodeStore;
  readonly pepper: PepperRing;
  /** Newest first; never empty. */
  readonly formats: readonly [Format, ...Format[]];
  /** Newest first, the built-in ones last; never empty. */
  readonly hashers: readonly [Hasher, ...Hasher[]];
  readonly count: number;
  readonly expiresAfterDays: number | null;
  readonly rotateAfterDays: number | null;
  readonly lowAt: number;
  readonly replaceConsumed: boolean;
  readonly waits: readonly number[];
  readonly assessRisk: BackupCodesOptions['assessRisk'];
  readonly gate: GateOptions;
  readonly now: () => number;
  readonly normalizeUsername: (username: string) => string;
}

const NAMES = [
  'store',
  'pepper',
  'format',
  'count',
  'hasher',
  'expiresAfterDays',
  'rotateAfterDays',
  'lowAt',
  'replaceConsumed',
  'attempts',
  'assessRisk',
  'hashConcurrency',
  'maxQueuedHashes',
  'now',
  'normalizeUsername',
] as const satisfies readonly (keyof BackupCodesOptions)[];

/** @throws {BackupCodeError} `invalid_option`, `invalid_format`, `invalid_hasher`, `invalid_pepper` */
export function parseConfig(options: BackupCodesOptions): Config {
  assertOptions('BackupCodes', options, NAMES);
  assertMethods('store', options.store, STORE_METHODS);
  const format = formatList(options.format ?? formats.standard);
  const count = wholeNumber('count', options.count, { min: 1, max: 32, fallback: 10 });
  const waits = attemptWaits(options.attempts);
  const pepper = pepperRing(options.pepper);
  assertHardToGuess(format[0], {
    count,
    attempts: waits.length,
    hasPepper: pepper.newest.id !== null,
  });
  const { replaceConsumed = false } = options;
  if (typeof replaceConsumed !== 'boolean') {
    throw new BackupCodeError(
      'invalid_option',
      `replaceConsumed must be true or false, but was ${describe(replaceConsumed)}.`,
    );
  }
  warnOfWeakness(options.store, pepper);
  const bcrypt = bcryptHasher();
  const [hasher = bcrypt, ...olderHashers] = hasherList(options.hasher ?? bcrypt, format[0].bits);
  return {
    store: options.store,
    pepper,
    formats: format,
    hashers: [hasher, ...olderHashers, bcrypt, scryptHasher(), pbkdf2Hasher()],
    count,
    expiresAfterDays: days('expiresAfterDays', options.expiresAfterDays, 365),
    rotateAfterDays: days('rotateAfterDays', options.rotateAfterDays, 180),
    lowAt: wholeNumber('lowAt', options.lowAt, { min: 0, max: 32, fallback: 3 }),
    replaceConsumed,
    waits,
    assessRisk: optionalFunction('assessRisk', options.assessRisk),
    gate: {
      concurrency: wholeNumber('hashConcurrency', options.hashConcurrency, {
        min: 1,
        max: 1024,
        fallback: halfOfThreads(),
      }),
      maxQueued: wholeNumber('maxQueuedHashes', options.maxQueuedHashes, {
        min: 0,
        max: 100_000,
        fallback: 128,
      }),
    },
    now: checkedClock(optionalFunction('now', options.now) ?? Date.now),
    normalizeUsername:
      optionalFunction('normalizeUsername', options.normalizeUsername) ??
      ((name) => name.normalize('NFKC').trim().toLowerCase()),
  };
}

function formatList(given: Format | readonly Format[]): readonly [Format, ...Format[]] {
  const list = Array.isArray(given) ? (given as readonly Format[]) : [given as Format];
  const [first, ...others] = list.map(checkFormat);
  if (first === undefined)
    throw new BackupCodeError('invalid_option', 'format is an empty list; give at least one.');
  return [first, ...others];
}

function days(name: string, given: number | null | undefined, fallback: number): number | null {
  return given === null ? null : wholeNumber(name, given, { min: 1, max: 3650, fallback });
}

/** libuv's default is four threads. */
function halfOfThreads(): number {
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  return Math.max(1, Math.floor((Number.isFinite(threads) ? threads : 4) / 2));
}

/** A clock that says nonsense must not open anything: every comparison with NaN is false. */
function checkedClock(now: () => number): () => number {
  return () => {
    const time: unknown = now();
    if (!isTime(time))
      throw new BackupCodeError(
        'invalid_result',
        `now() must return milliseconds since 1970, but returned ${describe(time)}.`,
      );
    return Math.floor(time);
  };
}

function warnOfWeakness(store: BackupCodeStore, pepper: PepperRing): void {
  if (process.env['NODE_ENV'] !== 'production') return;
  if (store instanceof MemoryStore)
    warnOnce(
      'BACKUP_CODE_MEMORY_STORE',
      'MemoryStore in production: a restart forgets every backup code and every count of failed attempts.',
    );
  if (pepper.newest.id === null)
    warnOnce(
      'BACKUP_CODE_NO_PEPPER',
      'No pepper in production: whoever copies the database can guess its backup codes offline.',
    );
}
