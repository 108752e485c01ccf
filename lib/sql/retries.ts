// Runs work again that the database undid. Many callers of one row would undo each other again and
// again, so the repetitions of a process take turns.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Work is given up after this many tries, but not before {@link MIN_RETRY_MS}: a call that waited
 * long for a connection gets its tries too.
 */
const MIN_TRIES = 5;
const MIN_RETRY_MS = 2000;
/** The pauses double, up to the longest. Each is prolonged by a random part of itself. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;
/** A repetition that takes long delays the next one no longer than this. */
const LONGEST_TURN_MS = 200;

export class Retries {
  #lastTurn: Promise<void> = Promise.resolve();

  /** Runs the work, and again while `isRetryable` says so: five times and for two seconds. */
  async run<T>(work: () => Promise<T>, isRetryable: (error: unknown) => boolean): Promise<T> {
    const startedAt = performance.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await (attempt === 1 ? work() : this.#inTurn(work));
      } catch (error) {
        if (!isRetryable(error)) throw error;
        const isOver = performance.now() - startedAt >= MIN_RETRY_MS;
        if (isOver && attempt >= MIN_TRIES) throw error;
        const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
        await sleep(pauseMs + randomInt(pauseMs));
      }
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#lastTurn;
    let endTurn = (): void => undefined;
    this.#lastTurn = new Promise((resolve) => {
      endTurn = resolve;
    });
    await before;
    const timer = setTimeout(endTurn, LONGEST_TURN_MS);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      endTurn();
    }
  }
}
