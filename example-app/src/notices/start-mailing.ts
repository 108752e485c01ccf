// Creates everything that sends mail to users: their addresses, the queue, the notifier and the
// mailer.
import type { BackupCodes } from 'passport-backup-code';
import type { Config } from '../config';
import type { Database } from '../data/database';
import type { Users } from '../login/users';
import { Emails } from './account-emails';
import { Delivery } from './delivery';
import { MailQueue } from './mail-queue';
import type { Mailer } from './mailer';
import { NoticeLoop } from './notice-loop';
import { Notifier } from './notifier';
import { Outbox } from './outbox';
import { SmtpMailer } from './smtp-mailer';

export interface Mailing {
  readonly emails: Emails;
  readonly mailer: Mailer;
  readonly noticeLoop: NoticeLoop;
  /** For the outbox page. `null` if mail is really sent, and in production. */
  readonly outbox: Outbox | null;
  /** Deletes mail from before a time. */
  readonly pruneMail: (log: { before: number }) => Promise<void>;
}

export interface MailingOptions {
  readonly db: Database;
  readonly users: Users;
  readonly backupCodes: BackupCodes;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

/** Starts to read the audit trail and to send mail at once. */
export function startMailing(
  {
    mail: { smtp, from, publicUrl },
    codesIn,
    isProduction,
    admins,
  }: Pick<Config, 'mail' | 'codesIn' | 'isProduction' | 'admins'>,
  { db, users, backupCodes, now, report }: MailingOptions,
): Mailing {
  const outbox = new Outbox({ db, now });
  const mailer = smtp === null ? outbox : new SmtpMailer({ smtp, from });
  const queue = new MailQueue({ db, now });
  const emails = new Emails({ db, queue, now });
  // A cursor of one store is not valid in another.
  const notifier = new Notifier({
    name: `mail/${codesIn}`,
    db,
    backupCodes,
    users,
    emails,
    queue,
    publicUrl,
    admins,
  });
  const delivery = new Delivery({ db, queue, mailer, report, now });
  return {
    emails,
    mailer,
    noticeLoop: new NoticeLoop({ backupCodes, notifier, delivery, mailer, report }),
    outbox: smtp === null && !isProduction ? outbox : null,
    pruneMail: async (log) => {
      await Promise.all([queue.prune(log), outbox.prune(log)]);
    },
  };
}
