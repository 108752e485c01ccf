// A lease: a task that only one process runs at a time. A database row names the holder and the
// time until which it holds the lease. If the holder dies, another process takes over soon.
import { randomUUID } from 'node:crypto';
import { type Database, isDuplicate } from '../data/database';

/**
 * The clocks of the machines must agree to within this time. If not, two processes may hold the
 * lease at once.
 */
const LEASE_MS = 12_000;
const RENEW_MS = 3000;

export class Lease {
  private readonly db: Database;
  private readonly name: string;
  private readonly now: () => number;
  private readonly holder = randomUUID();

  constructor({ db, name, now }: { db: Database; name: string; now: () => number }) {
    this.db = db;
    this.name = name;
    this.now = now;
  }

  /**
   * @param work `isHeld` reports whether the lease was lost in the meantime, for example because
   * the whole process was paused
   * @returns false if another process holds the lease; `work` is then not called
   */
  async whileHeld(work: (isHeld: () => boolean) => Promise<void>): Promise<boolean> {
    if (!(await this.take())) return false;
    let isHeld = true;
    const renewing = setInterval(() => {
      this.renew().then(
        (isMine) => (isHeld = isMine),
        () => (isHeld = false),
      );
    }, RENEW_MS);
    try {
      await work(() => isHeld);
      return true;
    } finally {
      clearInterval(renewing);
      await this.release();
    }
  }

  private async take(): Promise<boolean> {
    const mine = { holder: this.holder, expires_at: this.now() + LEASE_MS };
    const { numUpdatedRows } = await this.db
      .updateTable('leases')
      .set(mine)
      .where('name', '=', this.name)
      .where('expires_at', '<=', this.now())
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 1n) return true;
    const isThere = await this.db
      .selectFrom('leases')
      .select('name')
      .where('name', '=', this.name)
      .executeTakeFirst();
    if (isThere !== undefined) return false;
    try {
      await this.db
        .insertInto('leases')
        .values({ name: this.name, ...mine })
        .execute();
      return true;
    } catch (error) {
      if (isDuplicate(error)) return false;
      throw error;
    }
  }

  private async renew(): Promise<boolean> {
    const { numUpdatedRows } = await this.db
      .updateTable('leases')
      .set({ expires_at: this.now() + LEASE_MS })
      .where('name', '=', this.name)
      .where('holder', '=', this.holder)
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  }

  private async release(): Promise<void> {
    await this.db
      .updateTable('leases')
      .set({ holder: '', expires_at: 0 })
      .where('name', '=', this.name)
      .where('holder', '=', this.holder)
      .execute();
  }
}
