// Keeps the owners of codes told: looks at the audit trail every few seconds, and at once after a
// change that this process made. No request waits for it, and none fails with it.
import type { BackupCodes } from 'passport-backup-code';
import type { Delivery } from './delivery';
import { TOLD_TYPES } from './event-notice';
import type { Mailer } from './mailer';
import type { Notifier } from './notifier';

export interface NoticesParts {
  readonly backupCodes: BackupCodes;
  readonly notifier: Notifier;
  readonly delivery: Delivery;
  readonly mailer: Mailer;
  readonly report: (error: unknown) => void;
}

const PAUSE_MS = 3000;
/**
 * For a mail that is on its way when the service stops. What is given up then is sent again after
 * the next start.
 */
const LAST_MAIL_MS = 5000;

export class Notices {
  private readonly parts: NoticesParts;
  private readonly timer: NodeJS.Timeout;
  private running: Promise<void> | null = null;
  private isPoked = false;
  private readonly closing = new AbortController();
  /** A fault that lasts is told of once. */
  private isFailing = false;

  constructor(parts: NoticesParts) {
    this.parts = parts;
    this.timer = setInterval(() => this.poke(), PAUSE_MS);
    this.timer.unref();
    for (const type of TOLD_TYPES) parts.backupCodes.on(type, () => this.poke());
    this.poke();
  }

  /** There may be something to send. */
  poke(): void {
    this.isPoked = true;
    this.running ??= this.run().finally(() => {
      this.running = null;
      // Poked between its last look and now.
      if (this.isPoked && !this.isClosing()) this.poke();
    });
  }

  async close(): Promise<void> {
    this.closing.abort();
    clearInterval(this.timer);
    const late = setTimeout(() => this.parts.mailer.close(), LAST_MAIL_MS);
    await this.running;
    clearTimeout(late);
    this.parts.mailer.close();
  }

  private async run(): Promise<void> {
    const { notifier, delivery, report } = this.parts;
    while (this.isPoked && !this.isClosing()) {
      this.isPoked = false;
      try {
        await notifier.catchUp();
        const isAtEnd = await delivery.deliver(this.closing.signal);
        // Where another process is at it, it is that one that knows.
        if (isAtEnd) this.isFailing = false;
      } catch (error) {
        if (!this.isFailing && !this.isClosing()) report(error);
        this.isFailing = true;
      }
    }
  }

  private isClosing(): boolean {
    return this.closing.signal.aborted;
  }
}
