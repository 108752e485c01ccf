// Runs work again that the database undid. Many callers of one row would undo each other again and
// again, so the repetitions of a process take turns.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long one call works and pauses. Waiting for a connection or a turn does not count. */
const MAX_ACTIVE_MS = 2000;
/** The pauses double, up to the longest. Each is prolonged by a random part of itself. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;
/** A repetition that takes long delays the next one no longer than this. */
const LONGEST_TURN_MS = 200;

export class Retries {
  #lastTurn: Promise<void> = Promise.resolve();

  /**
   * Runs the work, and again while `isRetryable` says so, for two seconds.
   *
   * @param work calls `begin` when it has a connection
   */
  async run<T>(
    work: (begin: () => void) => Promise<T>,
    isRetryable: (error: unknown) => boolean,
  ): Promise<T> {
    let activeMs = 0;
    for (let attempt = 1; ; attempt += 1) {
      let begunAt = performance.now();
      const workOnce = (): Promise<T> =>
        work(() => {
          begunAt = performance.now();
        });
      try {
        return await (attempt === 1 ? workOnce() : this.#inTurn(workOnce));
      } catch (error) {
        activeMs += performance.now() - begunAt;
        if (!isRetryable(error) || activeMs >= MAX_ACTIVE_MS) throw error;
        const longestMs = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
        const pauseMs = longestMs + randomInt(longestMs);
        activeMs += pauseMs;
        await sleep(pauseMs);
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
