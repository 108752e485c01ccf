// The one error class of this package, and the closed list of its codes. An error never contains a
// code, digest, salt or key.

/**
 * What went wrong. The words are stable, so a program may branch on them. Expected outcomes (an
 * invalid code, a wait) are returned, never thrown. These are mistakes in the calling code, in the
 * configuration or in the stored data.
 */
export type BackupCodeErrorCode =
  /**
   * An option is unknown, missing, of the wrong type or out of range. The message names it and says
   * what was given.
   */
  | 'invalid_option'
  /**
   * A format is unusable, or its codes are too easy to guess with the given options. Also thrown on
   * the `recovery` channel if no format has 64 bits.
   */
  | 'invalid_format'
  /** A hasher is below its minimum cost, or does not suit the format. */
  | 'invalid_hasher'
  /**
   * A pepper key is too short, its id is malformed, or two keys have the same id. Also thrown by
   * `pepperFromEnv` if its variable is not set or cannot be read.
   */
  | 'invalid_pepper'
  /**
   * A list of codes to adopt is empty, or a code in it does not match the format or occurs twice.
   */
  | 'invalid_codes'
  /** A user id is not a string of 1 to 255 characters, a safe integer or a bigint. */
  | 'invalid_user_id'
  /** Nothing is stored for the user id given to `forget` or `unlock`. */
  | 'unknown_user'
  /** A user name given to `rejectUnknownUser` is not a string of 1 to 320 characters. */
  | 'invalid_username'
  /** A stored set names a pepper that is not configured, or has none where one is required. */
  | 'unknown_pepper'
  /**
   * The pepper configured under a stored set's id is not the one that the set was made with, or the
   * row was moved.
   */
  | 'wrong_pepper'
  /** No hasher can read a stored set's parameters. */
  | 'unreadable_hash'
  /** A stored set is damaged: its format or one of its fields cannot be read. */
  | 'unreadable_set'
  /**
   * More slow hashes are waiting on the channel than `maxQueuedHashes` allows, or more than four
   * calls of this user, or no place was free for five seconds. Thrown by `issue`, `stage` and
   * `adopt`; `consume` returns `busy`.
   */
  | 'busy'
  /**
   * A slow hash took longer than 30 seconds. No user is let in, and an attempt without a verdict is
   * not charged.
   */
  | 'hash_timeout'
  /**
   * The store did not answer within `storeTimeoutSeconds`. No user is let in. It is not known what
   * the store did: a code may be consumed, and a set may be issued.
   */
  | 'store_timeout'
  /**
   * A callback of the app (`consumeCode`, `messages`, `assessRisk`, a hasher, a store) returned an
   * invalid result. Also thrown if a store did not record a new set: its codes are not returned.
   */
  | 'invalid_result'
  /**
   * The database, its driver or one of its settings cannot keep what the store promises. Thrown by
   * the first call, before anything is written. The message says what to change.
   */
  | 'unsupported_database'
  /** A cursor was not returned by `audit.events`, or was returned by another store. */
  | 'invalid_cursor'
  /**
   * A cursor points to an event that the store does not have: it was restored from an older copy,
   * or lost its last writes. The message says what to do.
   */
  | 'cursor_ahead'
  /** What was given to `audit.replay` is not an exported audit event. The message says which one. */
  | 'invalid_event'
  /** A limit is out of range. */
  | 'invalid_limit'
  /** A date is invalid or in the future. */
  | 'invalid_date'
  /** The store does not have the requested method. */
  | 'not_supported'
  /** A two-person action was called without an approval. */
  | 'not_approved'
  /** There is no pending login that belongs to this user, or it is too old. */
  | 'no_pending_login'
  /** The request has no session, or its session cannot be renewed. */
  | 'session_unavailable'
  /**
   * The factor was accepted, but the session could not be made. No user is logged in, and a backup
   * code stays consumed. `cause` says why.
   */
  | 'login_unfinished'
  /**
   * The response was sent before the package could answer, by a time-out for example. No user is
   * logged in, and nothing more is done for the request.
   */
  | 'response_sent'
  /**
   * `requireEnrollment` would send the browser from the page of `enrollUrl` to this page again. The
   * message says why.
   */
  | 'enrollment_loop';

/** The page with a section for each error code and for each mistake, within this package. */
const ERRORS_PAGE = 'docs/errors.md';

/** Returns the address of the section about an error or a mistake, as its message ends with it. */
export function addressOf(code: string): string {
  return `${ERRORS_PAGE}#${code.toLowerCase()}`;
}

/**
 * Thrown for everything unexpected. Branch on `code`; the message is for people and may change. It
 * ends with the address of the section of the documentation about the code.
 *
 * @example
 * try {
 *   await backupCodes.issue(user.id);
 * } catch (error) {
 *   if (error instanceof BackupCodeError && error.code === 'busy') return res.sendStatus(503);
 *   throw error;
 * }
 */
export class BackupCodeError extends Error {
  readonly code: BackupCodeErrorCode;

  constructor(code: BackupCodeErrorCode, message: string, options?: { cause?: unknown }) {
    const address = ` (${addressOf(code)})`;
    // A message that repeats that of another error may have it already.
    super(message.endsWith(address) ? message : message + address, options);
    this.name = 'BackupCodeError';
    this.code = code;
  }
}

/**
 * Turns what a function of the app threw into a value that Passport can pass to `next`. Express
 * continues on `next(undefined)` and skips the rest of the route on `next('route')`, so a bare
 * `Promise.reject()` would let every user in.
 */
export function asError(thrown: unknown): Error {
  if (typeof thrown === 'object' && thrown !== null) return thrown as Error;
  return new Error('Something that is no Error was thrown, or given to done().', { cause: thrown });
}
