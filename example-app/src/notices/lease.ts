// What one of many processes does at a time. A row says who, and until when: one that dies is
// followed by another soon.
import { randomUUID } from 'node:crypto';
import { type Database, isDuplicate } from '../data/database';

/** Clocks of machines must agree to within this; if not, two may hold it at once. */
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
   * @param work is told by `isHeld` whether the lease was lost meanwhile, say by a pause of the
   * whole process
   * @returns false if another process holds it, and nothing was done
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
