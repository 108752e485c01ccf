// A session store that fails on demand.
import session from 'express-session';

/** A MemoryStore in which one write fails: the nth from now. */
export class FaultySessionStore extends session.MemoryStore {
  #writesUntilFault = Infinity;

  failAtWrite(n: number): void {
    this.#writesUntilFault = n;
  }

  /** Ends the faults, and returns whether one happened. */
  recover(): boolean {
    const hasFailed = this.#writesUntilFault <= 0;
    this.#writesUntilFault = Infinity;
    return hasFailed;
  }

  override set(sid: string, data: session.SessionData, done?: (error?: unknown) => void): void {
    if (this.#countWrite()) setImmediate(() => done?.(new Error('the store is down')));
    else super.set(sid, data, done);
  }

  override destroy(sid: string, done?: (error?: unknown) => void): void {
    if (this.#countWrite()) setImmediate(() => done?.(new Error('the store is down')));
    else super.destroy(sid, done);
  }

  removeAll(): Promise<void> {
    return new Promise((resolve) => this.clear(() => resolve()));
  }

  /** Returns the ids and the contents of all sessions. */
  contents(): Promise<Record<string, session.SessionData & Record<string, unknown>>> {
    return new Promise((resolve) => this.all((_error, all) => resolve({ ...all } as never)));
  }

  /** Counts a write, and returns whether this one fails. */
  #countWrite(): boolean {
    this.#writesUntilFault -= 1;
    return this.#writesUntilFault === 0;
  }
}
