// Which database a Kysely speaks to. Imports nothing of Kysely, so that its types are none of our callers' business.
import { BackupCodeError } from '../errors';
import { assertMethods } from '../internal/validate';

/** A `Kysely` instance. Told by its shape: Kysely has two builds, whose classes are not each other's. */
export interface SqlDatabase {
  /** Kysely's own; tells the dialect. */
  getExecutor(): unknown;
  /** Kysely's own. */
  transaction(): unknown;
}

export type Dialect = 'sqlite' | 'postgres' | 'mysql';

/** @throws {BackupCodeError} `invalid_option` */
export function dialectOf(kysely: SqlDatabase): Dialect {
  assertMethods('kysely', kysely, ['getExecutor', 'transaction']);
  const { adapter } = kysely.getExecutor() as {
    adapter?: { supportsReturning?: unknown; supportsTransactionalDdl?: unknown };
  };
  if (adapter === undefined)
    throw new BackupCodeError('invalid_option', 'kysely must be a Kysely instance.');
  if (adapter.supportsReturning !== true) return 'mysql';
  return adapter.supportsTransactionalDdl === true ? 'postgres' : 'sqlite';
}
