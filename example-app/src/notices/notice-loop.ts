// Notifies the owners of codes. Reads the audit trail every few seconds, and at once after a change
// that this process made. No request waits for it, and no request fails because of it.
import type { BackupCodes } from 'passport-backup-code';
import type { Delivery } from './delivery';
import { NOTIFIED_TYPES } from './event-notice';
import type { Mailer } from './mailer';
import type { Notifier } from './notifier';

export interface NoticeLoopOptions {
  readonly backupCodes: BackupCodes;
  readonly notifier: Notifier;
  readonly delivery: Delivery;
  readonly mailer: Mailer;
  readonly report: (error: unknown) => void;
}

const PAUSE_MS = 3000;
/**
 * How long a stopping service waits for the mail that is being sent. A mail that is aborted is sent
 * again after the next start.
 */
const LAST_MAIL_MS = 5000;

export class NoticeLoop {
  private readonly options: NoticeLoopOptions;
  private readonly timer: NodeJS.Timeout;
  private running: Promise<void> | null = null;
  private isWoken = false;
  private readonly closing = new AbortController();
  /** A lasting fault is reported once. */
  private isFailing = false;

  constructor(options: NoticeLoopOptions) {
    this.options = options;
    this.timer = setInterval(() => this.wake(), PAUSE_MS);
    this.timer.unref();
    for (const type of NOTIFIED_TYPES) options.backupCodes.on(type, () => this.wake());
    this.wake();
  }

  /** Call this when there may be something to send. */
  wake(): void {
    this.isWoken = true;
    this.running ??= this.run().finally(() => {
      this.running = null;
      // Woken after the last check, but before the run ended.
      if (this.isWoken && !this.isClosing()) this.wake();
    });
  }

  async close(): Promise<void> {
    this.closing.abort();
    clearInterval(this.timer);
    const late = setTimeout(() => this.options.mailer.close(), LAST_MAIL_MS);
    await this.running;
    clearTimeout(late);
    this.options.mailer.close();
  }

  private async run(): Promise<void> {
    const { notifier, delivery, report } = this.options;
    while (this.isWoken && !this.isClosing()) {
      this.isWoken = false;
      try {
        await notifier.catchUp();
        const isAtEnd = await delivery.deliver(this.closing.signal);
        // If another process is sending, only that process knows whether sending works.
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
