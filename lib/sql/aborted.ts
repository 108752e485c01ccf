// Which errors say that the database undid a transaction, or refused to begin it, because of
// another one. Such a transaction has decided nothing, and is run again.

/** Serialization failure, deadlock, and a lock that was not granted within `lock_timeout`. */
const POSTGRES_CODES = new Set<unknown>(['40001', '40P01', '55P03']);
/**
 * Deadlock (Galera reports a lost race as one, at any statement and at COMMIT), lock wait timeout,
 * record changed since the last read, and a lost race at COMMIT under Group Replication.
 */
const MYSQL_NUMBERS = new Set<unknown>([1213, 1205, 1020, 3101]);
/** "Unknown command", which a Galera node without a quorum answers to every statement. */
const MYSQL_UNKNOWN_COMMAND = 1047;
/** SQLITE_BUSY and SQLITE_LOCKED, in the low byte of an extended code. */
const SQLITE_CODES = new Set([5, 6]);
const SQLITE_CODE = /^SQLITE_(BUSY|LOCKED)/;
const SQLITE_MESSAGE = /\bdatabase (?:table |schema )?is locked\b/;

interface DriverError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly errcode?: unknown;
  readonly message?: unknown;
  readonly severity?: unknown;
}

/**
 * Whether the transaction that failed with this error can be run again: the database says that it
 * changed nothing.
 */
export function isAborted(error: unknown): boolean {
  const { code, errno, errcode, message } = (error ?? {}) as DriverError;
  if (POSTGRES_CODES.has(code) || MYSQL_NUMBERS.has(errno)) return true;
  if (typeof code === 'string' && SQLITE_CODE.test(code)) return true;
  // node:sqlite has one `code` for every error, and the number of SQLite beside it.
  if (code === 'ERR_SQLITE_ERROR') return SQLITE_CODES.has(Number(errcode) & 0xff);
  // Drivers in WebAssembly report the message only.
  return code === undefined && typeof message === 'string' && SQLITE_MESSAGE.test(message);
}

/**
 * The same, and also if a node of Galera answers that it runs no statement at the moment. That says
 * nothing once COMMIT was sent: if the ROLLBACK after it fails, Kysely reports the answer to the
 * ROLLBACK.
 */
export function isRetryable(error: unknown): boolean {
  const { errno, message } = (error ?? {}) as DriverError;
  const isNotReady =
    errno === MYSQL_UNKNOWN_COMMAND && typeof message === 'string' && message.includes('WSREP');
  return isNotReady || isAborted(error);
}

/**
 * Whether PostgreSQL may have done what it was asked, and only its answer is missing: the error is
 * the driver's own, or says that the connection ends.
 */
export function isAnswerLost(error: unknown): boolean {
  const { code, severity } = (error ?? {}) as DriverError;
  // Errors of the server have a severity.
  return severity === undefined || /^(?:08|57P)/.test(String(code));
}
