// Runs a transaction again if the answer to its COMMIT was lost: the server may have committed it
// or not. Only for work that finds out by itself, under the lock of its row, that it was done
// before.
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { AuditEvent } from '../audit/events';
import { isAnswerLost } from './aborted';
import type { Database, RunStatement, Tables } from './database';
import { readEvent } from './event-rows';

/** How long to try to find out. A server that was lost is often back, or replaced, by then. */
const MAX_UNCERTAIN_MS = 5000;
const FIRST_PAUSE_MS = 10;
const MAX_PAUSE_MS = 500;

/** Thrown by the work of a transaction: undoes it, and carries the answer out of it. */
export class Rollback<T> extends Error {
  readonly answer: T;

  constructor(answer: T) {
    super('The transaction is rolled back, because there is nothing to write.');
    this.answer = answer;
  }
}

type Work<T> = (run: RunStatement) => Promise<T>;
/** A single statement that does the work. `null` if it did nothing, and the transaction decides. */
type SingleStatement<T> = () => Promise<T | null>;

/** An error that does not say what the server did, and until when to find it out. */
interface Uncertainty {
  readonly error: unknown;
  readonly until: number;
}

/**
 * Runs the work in a transaction. An error after the work is one of COMMIT, which says nothing
 * about what the server did, and Kysely often replaces it by that of its failed ROLLBACK. Then the
 * work runs again, on another connection.
 *
 * @param options.first on PostgreSQL, is tried before the transaction. If its answer is lost, the
 * transaction finds out what it did
 * @returns what the work or the first statement returned, or the answer of a {@link Rollback}
 * @throws what COMMIT or the first statement threw, if it cannot be found out what the server did
 */
export async function repeatableTransaction<T>(
  database: Database,
  work: Work<T>,
  { first = null }: { readonly first?: SingleStatement<T> | null } = {},
): Promise<T> {
  let uncertain: Uncertainty | null = null;
  try {
    const result = first && (await first());
    if (result !== null) return result;
  } catch (error) {
    if (!isAnswerLost(error)) throw error;
    uncertain = uncertaintyOf(error);
  }
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    const attempt = new Attempt(work);
    try {
      return await database.transaction((run) => attempt.run(run));
    } catch (error) {
      if (attempt.rollback !== null) return attempt.rollback.answer;
      if (uncertain === null && !attempt.isDone) throw error;
      uncertain ??= uncertaintyOf(error);
      if (performance.now() >= uncertain.until) throw uncertain.error;
    }
    await sleep(pauseMs);
  }
}

function uncertaintyOf(error: unknown): Uncertainty {
  return { error, until: performance.now() + MAX_UNCERTAIN_MS };
}

/** What is known of one run of a transaction, whatever the driver threw. */
class Attempt<T> {
  /** Whether only COMMIT was left. */
  isDone = false;
  rollback: Rollback<T> | null = null;
  readonly #work: Work<T>;

  constructor(work: Work<T>) {
    this.#work = work;
  }

  async run(run: RunStatement): Promise<T> {
    this.isDone = false;
    this.rollback = null;
    try {
      const result = await this.#work(run);
      this.isDone = true;
      return result;
    } catch (error) {
      if (error instanceof Rollback) this.rollback = error as Rollback<T>;
      throw error;
    }
  }
}

/** A transaction whose events say whether it was committed. */
export interface RecordedChange {
  /** The events that the transaction may write. Their ids are unique. */
  readonly events: readonly AuditEvent[];
  readonly work: Work<readonly AuditEvent[]>;
  /** As for {@link repeatableTransaction}. */
  readonly first?: SingleStatement<readonly AuditEvent[]> | null;
}

/**
 * As {@link repeatableTransaction}. If the work runs again, its events are looked for first. If a
 * first transaction commits meanwhile, the second fails, because ids are unique, and looks again.
 */
export function recordedTransaction(
  database: Database,
  { events, work, first = null }: RecordedChange,
): Promise<readonly AuditEvent[]> {
  const ids = events.map(({ id }) => id);
  let isFirst = first === null;
  const throwIfStored = async (run: RunStatement): Promise<void> => {
    if (isFirst || ids.length === 0) return;
    const stored = await readEventsById(run, { tables: database.tables, ids });
    if (stored.length > 0) throw new Rollback(stored);
  };
  const findOrWork: Work<readonly AuditEvent[]> = async (run) => {
    await throwIfStored(run);
    const written = await work(run);
    // The work waits for the row that a first transaction still holds, and may find it changed.
    if (written.length === 0) await throwIfStored(run);
    isFirst = false;
    return written;
  };
  return repeatableTransaction(database, findOrWork, { first });
}

export interface EventIds {
  readonly tables: Tables;
  readonly ids: readonly string[];
}

/** The stored events that have one of these ids, oldest first. */
export async function readEventsById(
  run: RunStatement,
  { tables, ids }: EventIds,
): Promise<readonly AuditEvent[]> {
  const { rows } = await run(sql`
    SELECT *
    FROM ${tables.events}
    WHERE event_id IN (${sql.join(ids)})
    ORDER BY seq`);
  return rows.map(readEvent);
}
