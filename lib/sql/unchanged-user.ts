// Lets one statement on PostgreSQL decide what otherwise takes a transaction. All parts of a
// statement read one snapshot, from before it waits for the lock of a row.
import { sql } from 'kysely';
import type { Subject } from '../stores/subject';
import type { Statement, Tables } from './database';

/**
 * Whether the user's row, which the statement locks, is still the version of its snapshot. Then the
 * codes, which only change together with it, and the transaction id of an event are those of the
 * moment of the lock. If it is not, the statement changes nothing, and a transaction decides.
 */
export function isUnchanged({ users }: Tables, { key }: Subject): Statement {
  return sql`xmin = (SELECT xmin FROM ${users} WHERE user_key = ${key})`;
}
