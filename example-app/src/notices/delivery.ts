// Sends the mail in the queue, in one process at a time. Each mail is sent at least once: it leaves
// the queue only after it was sent. A mail that fails is tried again later. A mail server that is
// down does not count as a failed try.
import type { Database } from '../data/database';
import { Lease } from './lease';
import type { MailQueue, QueuedMail } from './mail-queue';
import { type Mailer, MailServerDown } from './mailer';

export interface DeliveryOptions {
  readonly db: Database;
  readonly queue: MailQueue;
  readonly mailer: Mailer;
  readonly report: (error: unknown) => void;
  readonly now: () => number;
}

export class Delivery {
  private readonly options: DeliveryOptions;
  private readonly lease: Lease;

  constructor(options: DeliveryOptions) {
    this.options = options;
    this.lease = new Lease({ db: options.db, name: 'mail', now: options.now });
  }

  /**
   * Sends all mail that is due. After the signal it finishes the current mail and stops.
   *
   * @returns false if another process is sending
   * @throws {MailServerDown}
   */
  async deliver(closing: AbortSignal): Promise<boolean> {
    const { queue } = this.options;
    // An empty queue costs no write: the lease is taken only if there is mail.
    if ((await queue.next()) === null) return true;
    return this.lease.whileHeld(async (isHeld) => {
      for (
        let mail = await queue.next();
        mail !== null && isHeld() && !closing.aborted;
        mail = await queue.next()
      ) {
        await this.send(mail);
      }
    });
  }

  private async send(mail: QueuedMail): Promise<void> {
    const { queue, mailer, report } = this.options;
    try {
      await mailer.send(mail);
    } catch (error) {
      if (error instanceof MailServerDown) throw error;
      const fate = await queue.putOff(mail);
      if (fate === 'put aside')
        report(
          new Error(
            `Mail ${mail.id} was refused too often. It is put aside in the table mail_queue.`,
            { cause: error },
          ),
        );
      return;
    }
    await queue.remove(mail);
  }
}
