// Sends what is in the queue, in one process at a time, each mail at least once: it leaves the
// queue after it was sent, so a process that dies in between has it sent again. A mail that fails
// is put off; a server that is down costs no mail its tries.
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
   * Sends all that may be sent now; once the signal comes, what is on its way and no more.
   *
   * @returns false if another process is at it
   * @throws {MailServerDown}
   */
  async deliver(closing: AbortSignal): Promise<boolean> {
    const { queue } = this.options;
    // Whoever finds nothing to do writes nothing.
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
            `Mail ${mail.id} was refused too often, and is put aside: see the table mail_queue.`,
            { cause: error },
          ),
        );
      return;
    }
    await queue.remove(mail);
  }
}
