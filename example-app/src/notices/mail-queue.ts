// The queue of mail to send, in the database. A mail is queued in the transaction that caused it,
// and leaves the queue only after it was sent. A mail that fails repeatedly is no longer tried, and
// does not delay mail to other addresses.
import { randomUUID } from 'node:crypto';
import type { Database } from '../data/database';
import type { Mail } from './mailer';
import type { Notice } from './write-notice';

const FIRST_PAUSE_MS = 60_000;
const MAX_PAUSE_MS = 3_600_000;
/** About five hours of tries. */
const MAX_TRIES = 10;

export interface QueuedMail extends Required<Mail> {
  readonly seq: number;
  readonly tries: number;
}

export class MailQueue {
  private readonly db: Database;
  private readonly now: () => number;

  constructor({ db, now }: { db: Database; now: () => number }) {
    this.db = db;
    this.now = now;
  }

  /** Adds one mail for each address, in the caller's transaction. */
  async add(
    db: Database,
    { to, notice: { subject, text } }: { to: readonly string[]; notice: Notice },
  ): Promise<void> {
    if (to.length === 0) return;
    const now = this.now();
    const rows = to.map((recipient) => ({
      mail_id: randomUUID(),
      recipient,
      subject,
      body: text,
      queued_at: now,
      tries: 0,
      next_try_at: now,
      put_aside_at: null,
    }));
    await db.insertInto('mail_queue').values(rows).execute();
  }

  /**
   * The oldest mail that is due. Mail to one address is sent in order: a later one waits for the
   * earlier one.
   */
  async next(): Promise<QueuedMail | null> {
    const row = await this.db
      .selectFrom('mail_queue as mail')
      .select(['seq', 'mail_id', 'recipient', 'subject', 'body', 'tries'])
      .where('put_aside_at', 'is', null)
      .where('next_try_at', '<=', this.now())
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('mail_queue as earlier')
              .select('earlier.seq')
              .where('earlier.put_aside_at', 'is', null)
              .whereRef('earlier.recipient', '=', 'mail.recipient')
              .whereRef('earlier.seq', '<', 'mail.seq'),
          ),
        ),
      )
      .orderBy('seq')
      .limit(1)
      .executeTakeFirst();
    return row === undefined
      ? null
      : {
          seq: Number(row.seq),
          id: row.mail_id,
          to: row.recipient,
          subject: row.subject,
          text: row.body,
          tries: row.tries,
        };
  }

  async remove({ seq }: QueuedMail): Promise<void> {
    await this.db.deleteFrom('mail_queue').where('seq', '=', seq).execute();
  }

  /**
   * Schedules the next try. The pause doubles each time; after the last try the mail is put aside.
   */
  async putOff({ seq, tries }: QueuedMail): Promise<'tried again' | 'put aside'> {
    const isLast = tries + 1 >= MAX_TRIES;
    const now = this.now();
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** tries, MAX_PAUSE_MS);
    await this.db
      .updateTable('mail_queue')
      .set({ tries: tries + 1, next_try_at: now + pause, put_aside_at: isLast ? now : null })
      .where('seq', '=', seq)
      .execute();
    return isLast ? 'put aside' : 'tried again';
  }

  /** Also deletes mail that is still waiting: it is too old to be of use. */
  async prune({ before }: { before: number }): Promise<void> {
    await this.db.deleteFrom('mail_queue').where('queued_at', '<', before).execute();
  }
}
