// What takes an attempt: the counter of the second factor, or that of a network.
import type { RefusingCounter } from '../stores/refusals';
import type { RunStatement, Statement } from './database';

export interface Counter {
  /** Counts an attempt unless a wait or the limit forbids it. This write decides. */
  take(run: RunStatement): Promise<boolean>;
  /** Why no attempt was taken; `null` if the next try may take one. */
  readRefusal(run: RunStatement): Promise<RefusingCounter | null>;
  /** `attempts`, `generation` and `next_at`, for the statement that also reads the set. */
  readonly columns: Statement;
  /** The tables of that statement, with `u` for users and `c` for codes, and its condition. */
  readonly fromAndWhere: Statement;
}
