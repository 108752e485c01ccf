// The email addresses of an account: the one given at sign-up first, up to five. Whoever has one is
// told of every change.
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

  /** Empty where there is no such account. */
  list(userId: string): Promise<string[]> {
    return listEmails(this.db, userId);
  }

  /** To every address, as a part of another change. */
  prepareNotice(userId: string, notice: Notice): QueueNotice {
    return async (db) => this.queue.add(db, { to: await listEmails(db, userId), notice });
  }

  /**
   * `duplicate`: it was there, and nothing has changed. The notice goes to the addresses from before.
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

  /** The notice goes to the removed address too: a thief would remove the owner's first. */
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

  /** One change of an account at a time: the others wait at its row. */
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
