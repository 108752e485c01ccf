// Stores mail in a table while no SMTP server is set. A developer can read it there; it is never
// sent.
import type { Database } from '../data/database';
import type { Mail, Mailer } from './mailer';

export interface KeptMail extends Mail {
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

export class Outbox implements Mailer {
  private readonly db: Database;
  private readonly now: () => number;

  constructor({ db, now }: { db: Database; now: () => number }) {
    this.db = db;
    this.now = now;
  }

  async send({ to, subject, text }: Mail): Promise<void> {
    await this.db
      .insertInto('outbox')
      .values({ recipient: to, subject, body: text, sent_at: this.now() })
      .execute();
  }

  close(): void {
    // The code that opened the database closes it.
  }

  async newest(limit: number): Promise<KeptMail[]> {
    const rows = await this.db
      .selectFrom('outbox')
      .select(['recipient', 'subject', 'body', 'sent_at'])
      .orderBy('seq', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ recipient, subject, body, sent_at }) => ({
      to: recipient,
      subject,
      text: body,
      sentAt: Number(sent_at),
    }));
  }

  async prune({ before }: { before: number }): Promise<void> {
    await this.db.deleteFrom('outbox').where('sent_at', '<', before).execute();
  }
}
