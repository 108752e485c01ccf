// Reads the audit trail from the stored cursor on, and queues a mail for each event that a user
// must be notified of. The mails and the new cursor are written in one transaction, so no mail is
// lost and no mail is queued twice.
import {
  type AuditEvent,
  BackupCodeError,
  type BackupCodes,
  type SetStatus,
} from 'passport-backup-code';
import { type Database, isDuplicate } from '../data/database';
import type { Account, Users } from '../login/users';
import type { Emails } from './account-emails';
import { writeTargetNotice, writeApprovalRequestNotice } from './approval-notice';
import { writeEventNotice, isUnusual, NOTIFIED_TYPES } from './event-notice';
import type { MailQueue } from './mail-queue';
import type { Notice } from './write-notice';

export interface NotifierOptions {
  /** The name under which the cursor is stored. */
  readonly name: string;
  readonly db: Database;
  readonly backupCodes: BackupCodes;
  readonly users: Users;
  readonly emails: Emails;
  readonly queue: MailQueue;
  readonly publicUrl: string;
  /** User names of administrators. */
  readonly admins: readonly string[];
}

interface QueuedNotice {
  readonly userId: string;
  readonly event: AuditEvent;
  readonly to: readonly string[];
  readonly notice: Notice;
}

const PAGE = 100;
/** At most one mail about unusual events for each user in this time. */
const ALARM_MS = 3_600_000;

export class Notifier {
  private readonly options: NotifierOptions;

  constructor(options: NotifierOptions) {
    this.options = options;
  }

  /** Reads to the end of the trail. A new notifier starts at the beginning of the trail. */
  async catchUp(): Promise<void> {
    for (;;) {
      const { name, db, backupCodes } = this.options;
      const row = await db
        .selectFrom('cursors')
        .select(['place', 'moves'])
        .where('name', '=', name)
        .executeTakeFirst();
      const { events, cursor } = await backupCodes.audit.events({
        after: row?.place ?? null,
        types: NOTIFIED_TYPES,
        limit: PAGE,
      });
      if (events.length === 0 || cursor === null) return;
      const notices: QueuedNotice[] = [];
      for (const event of events) notices.push(...(await this.writeNotices(event)));
      const isMoved = await this.move({ moves: row?.moves ?? null, place: cursor, notices });
      if (!isMoved || events.length < PAGE) return;
    }
  }

  /** Reads outside the transaction, because SQLite has only one connection. */
  private async writeNotices(event: AuditEvent): Promise<QueuedNotice[]> {
    const { users, emails, publicUrl } = this.options;
    const { userId } = event;
    if (event.details !== null) return this.writeApprovalNotices(event);
    if (userId === null || (event.type === 'rejected' && !isUnusual(event))) return [];
    const account = await users.findById(userId);
    if (account === null) return [];
    const notice = writeEventNotice(event, {
      username: account.username,
      publicUrl,
      codes: await this.codesOf(userId),
    });
    return notice === null ? [] : [{ userId, event, to: await emails.list(userId), notice }];
  }

  /** For two-person actions: notices to the other administrators, and to the target account. */
  private async writeApprovalNotices(event: AuditEvent): Promise<QueuedNotice[]> {
    const { users, emails, publicUrl, admins } = this.options;
    const by = (await users.findById(event.userId ?? ''))?.username ?? 'someone';
    const writeTo = async (
      { id, username }: Account,
      write: typeof writeTargetNotice,
    ): Promise<QueuedNotice[]> => {
      const notice = write(event, { username, by, publicUrl });
      return notice === null ? [] : [{ userId: id, event, to: await emails.list(id), notice }];
    };
    const others =
      event.type === 'approval_requested'
        ? await Promise.all(admins.map((name) => users.findByName(name)))
        : [];
    const target = await users.findById(String(event.details?.['target'] ?? ''));
    return (
      await Promise.all([
        ...others
          .filter((other) => other !== null && other.id !== event.userId && other.id !== target?.id)
          .map((other) => (other === null ? [] : writeTo(other, writeApprovalRequestNotice))),
        ...(target === null ? [] : [writeTo(target, writeTargetNotice)]),
      ])
    ).flat();
  }

  /** An unreadable set must not stop all other notices. */
  private async codesOf(userId: string): Promise<SetStatus | null> {
    try {
      return await this.options.backupCodes.status(userId);
    } catch (error) {
      if (error instanceof BackupCodeError) return null;
      throw error;
    }
  }

  /** @returns false if another process has moved the cursor */
  private async move({
    moves,
    place,
    notices,
  }: {
    moves: number | null;
    place: string;
    notices: readonly QueuedNotice[];
  }): Promise<boolean> {
    const { name, queue } = this.options;
    try {
      return await this.options.db.transaction().execute(async (db) => {
        if (!(await takePlace(db, { name, moves, place }))) return false;
        for (const { userId, event, to, notice } of notices) {
          if (!isUnusual(event) || (await raiseAlarm(db, { userId, at: event.at })))
            await queue.add(db, { to, notice });
        }
        return true;
      });
    } catch (error) {
      // Two new notifiers started at the same moment.
      if (moves === null && isDuplicate(error)) return false;
      throw error;
    }
  }
}

async function takePlace(
  db: Database,
  { name, moves, place }: { name: string; moves: number | null; place: string },
): Promise<boolean> {
  if (moves === null) {
    await db.insertInto('cursors').values({ name, place, moves: 1 }).execute();
    return true;
  }
  const { numUpdatedRows } = await db
    .updateTable('cursors')
    .set({ place, moves: moves + 1 })
    .where('name', '=', name)
    .where('moves', '=', moves)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** The caller has moved the cursor, so no other process runs this at the same time. */
async function raiseAlarm(
  db: Database,
  { userId, at }: { userId: string; at: number },
): Promise<boolean> {
  const last = await db
    .selectFrom('alarms')
    .select('told_at')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  if (last === undefined) {
    await db.insertInto('alarms').values({ user_id: userId, told_at: at }).execute();
    return true;
  }
  if (at < Number(last.told_at) + ALARM_MS) return false;
  await db.updateTable('alarms').set({ told_at: at }).where('user_id', '=', userId).execute();
  return true;
}
