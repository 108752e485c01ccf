// The email addresses of an account, at most five. The first is the one from sign-up. Every address
// receives a notice of each change.
import { sql } from 'kysely';
import type { Database, QueueNotice } from '../data/database';
import { emailKey } from './email-address';
import type { MailQueue } from './mail-queue';
import type { Notice } from './write-notice';

export const MAX_EMAILS = 5;

export class Emails {
  private readonly db: Database;
  private readonly queue: MailQueue;
  private readonly now: () => number;

  constructor({ db, queue, now }: { db: Database; queue: MailQueue; now: () => number }) {
    this.db = db;
    this.queue = queue;
    this.now = now;
  }

  /** Empty if the account does not exist. */
  list(userId: string): Promise<string[]> {
    return listEmails(this.db, userId);
  }

  /**
   * Returns a function that queues the notice to every address, in the transaction of another
   * change.
   */
  prepareNotice(userId: string, notice: Notice): QueueNotice {
    return async (db) => this.queue.add(db, { to: await listEmails(db, userId), notice });
  }

  /**
   * `duplicate`: the account already has this address, and nothing changes. The notice goes to the
   * addresses from before the change.
   */
  add(
    userId: string,
    { email, notice }: { email: string; notice: Notice },
  ): Promise<'added' | 'duplicate' | 'full'> {
    return this.change(userId, async (db, emails) => {
      const key = emailKey(email);
      if (emails.some((other) => emailKey(other) === key)) return 'duplicate';
      if (emails.length >= MAX_EMAILS) return 'full';
      await db
        .insertInto('more_emails')
        .values({ user_id: userId, email_key: key, email, created_at: this.now() })
        .execute();
      await this.queue.add(db, { to: emails, notice });
      return 'added';
    });
  }

  /**
   * The notice also goes to the removed address: a thief would remove the owner's address first.
   */
  remove(
    userId: string,
    { email, notice }: { email: string; notice: Notice },
  ): Promise<'removed' | 'unknown' | 'last'> {
    return this.change(userId, async (db, emails) => {
      const key = emailKey(email);
      const [first, next] = emails;
      if (!emails.some((other) => emailKey(other) === key)) return 'unknown';
      if (first === undefined || next === undefined) return 'last';
      const isFirst = emailKey(first) === key;
      if (isFirst)
        await db.updateTable('users').set({ email: next }).where('id', '=', userId).execute();
      await db
        .deleteFrom('more_emails')
        .where('user_id', '=', userId)
        .where('email_key', '=', isFirst ? emailKey(next) : key)
        .execute();
      await this.queue.add(db, { to: emails, notice });
      return 'removed';
    });
  }

  /** The update locks the row of the account, so that its changes run one after another. */
  private change<T>(
    userId: string,
    decide: (db: Database, emails: readonly string[]) => Promise<T>,
  ): Promise<T> {
    return this.db.transaction().execute(async (db) => {
      await db
        .updateTable('users')
        .set({ email: sql.ref('email') })
        .where('id', '=', userId)
        .execute();
      return decide(db, await listEmails(db, userId));
    });
  }
}

async function listEmails(db: Database, userId: string): Promise<string[]> {
  const account = await db
    .selectFrom('users')
    .select('email')
    .where('id', '=', userId)
    .executeTakeFirst();
  if (account === undefined) return [];
  const more = await db
    .selectFrom('more_emails')
    .select('email')
    .where('user_id', '=', userId)
    .orderBy('created_at')
    .orderBy('email_key')
    .execute();
  return [account.email, ...more.map(({ email }) => email)];
}
