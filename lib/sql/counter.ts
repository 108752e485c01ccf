// What takes an attempt: the counter of the second factor, or that of a network.
import type { RefusingCounter } from '../stores/refusals';
import type { Row, RunStatement, Statement } from './database';

export interface Counter {
  /** Counts an attempt unless a wait or the limit forbids it. This write decides. */
  take(run: RunStatement): Promise<boolean>;
  /** Why no attempt was taken; `null` if the next try may take one. */
  readRefusal(run: RunStatement): Promise<RefusingCounter | null>;
  /** `attempts`, `generation` and `next_at`, for the statement that also reads the set. */
  readonly columns: Statement;
  /** The tables of that statement, with `u` for users and `c` for codes, and its condition. */
  readonly fromAndWhere: Statement;
  readonly onPostgres: PostgresCounter;
}

/** What one statement on PostgreSQL does and reads. */
export interface PostgresCounter {
  /** The write that decides. Returns `attempts`, `generation` and `next_at`. */
  readonly take: Statement;
  /** The columns of the counter as it was before, with `u` for users. */
  readonly storedColumns: Statement;
  /** Joins the table that has these columns, unless it is `u`. */
  readonly join: Statement;
  /** Why no attempt was taken, from these columns; `null` if they do not say it. */
  readRefusal(row: Row): RefusingCounter | null;
}
