// The one error class of this package, and the closed list of its codes. It never carries a code, digest, salt or key.

/**
 * What went wrong, as a stable word that a program may branch on. Expected outcomes (a wrong code, a wait) are
 * returned, never thrown; these are mistakes in the calling code, in the configuration or in the stored data.
 */
export type BackupCodeErrorCode =
  /** An option is unknown, missing, of the wrong type or out of range. The message names it and says what was given. */
  | 'invalid_option'
  /** A format is unusable, or too easy to guess with the options given. */
  | 'invalid_format'
  /** A hasher below its floor, or one that does not suit the format. */
  | 'invalid_hasher'
  /** A pepper key is too short, its id is malformed, or two share an id. */
  | 'invalid_pepper'
  /** A list of codes to adopt is empty, or one of them is not of the format or there twice. */
  | 'invalid_codes'
  /** A user id is no string of 1 to 255 characters, safe integer or bigint. */
  | 'invalid_user_id'
  /** A user name given to `rejectUnknownUser` is no string of 1 to 320 characters. */
  | 'invalid_username'
  /** A stored set names a pepper that is not configured, or has none where one is required. */
  | 'unknown_pepper'
  /** The pepper configured under a stored set's id is not the one the set was made with, or the row was moved. */
  | 'wrong_pepper'
  /** None of the hashers reads a stored set's parameters. */
  | 'unreadable_hash'
  /** A stored set is damaged: its format or one of its fields cannot be read. */
  | 'unreadable_set'
  /** More slow hashes are waiting than `maxQueuedHashes` allows. Thrown by `issue`, `stage` and `adopt`; `consume` returns `busy`. */
  | 'busy'
  /** A slow hash took longer than 30 seconds. Nobody was let in; before a verdict nobody is charged. */
  | 'hash_timeout'
  /** A callback of the app (`consumeCode`, `messages`, `assessRisk`, a hasher, a store) returned what it must not. */
  | 'invalid_result'
  /** A cursor that `events` did not return, or that another store did. */
  | 'invalid_cursor'
  /** A limit out of range. */
  | 'invalid_limit'
  /** A date is none, or not before the one it must be before. */
  | 'invalid_date'
  /** The store does not offer what was asked. */
  | 'not_supported'
  /** An action that takes two people was called without them. */
  | 'not_approved'
  /** There is no pending login that belongs to this user, or it is too old. */
  | 'no_pending_login'
  /** The request has no session, or one that cannot be renewed. */
  | 'session_unavailable'
  /** The factor was accepted, but the session could not be made; nobody is logged in, and a backup code is spent. `cause` says why. */
  | 'login_unfinished';

/** Thrown for everything unexpected. Branch on `code`; the message is for people and may change. */
export class BackupCodeError extends Error {
  readonly code: BackupCodeErrorCode;

  constructor(code: BackupCodeErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'BackupCodeError';
    this.code = code;
  }
}

/**
 * Makes an error of what the app's own functions threw, for Passport to give to `next`. Express reads
 * `next(undefined)` as "continue" and `next('route')` as "skip the rest of this route", so a bare
 * `Promise.reject()` would let every request through.
 */
export function asError(thrown: unknown): Error {
  if (typeof thrown === 'object' && thrown !== null) return thrown as Error;
  return new Error('A value that is not an Error was thrown, or given to done().', {
    cause: thrown,
  });
}
