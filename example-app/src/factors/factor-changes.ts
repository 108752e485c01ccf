// The steps that follow when a second factor is turned on or off: the owner is notified, the login
// counts a new factor at once, and backup codes are issued with the first factor.
import type { Request, Response } from 'express';
import { completeLogin } from 'passport-backup-code/express';
import { showCodes } from '../codes/show-codes';
import type { QueueNotice } from '../data/database';
import { getAccount } from '../login/guards';
import { type FactorChange, writeFactorNotice } from '../notices/factor-notice';
import { leaveNotice } from '../web/responses';
import type { Services } from '../web/services';

export type FactorServices = Pick<
  Services,
  'backupCodes' | 'emails' | 'noticeLoop' | 'publicUrl' | 'secondFactors' | 'now'
>;

interface Exchange {
  readonly req: Request;
  readonly res: Response;
}

/** To be called in the transaction that changes the factor. */
export function prepareOwnerNotice(
  { emails, publicUrl, now }: FactorServices,
  req: Request,
  { change, factor }: Pick<FactorChange, 'change' | 'factor'>,
): QueueNotice {
  const { id, username } = getAccount(req);
  const context = { ip: req.ip ?? null, userAgent: req.get('user-agent') ?? null };
  return emails.prepareNotice(
    id,
    writeFactorNotice({ change, factor, username, at: now(), context, publicUrl }),
  );
}

/**
 * The codes are only staged. A user who leaves the page without saving them is asked to make
 * others, and no codes work that were never saved.
 */
export async function answerFactorOn(
  { backupCodes, noticeLoop, secondFactors, now }: FactorServices,
  { req, res }: Exchange,
  shown: { method: string; amr: readonly string[]; notice: string },
): Promise<void> {
  const account = getAccount(req);
  noticeLoop.wake();
  await completeLogin(req, { user: account, method: shown.method, amr: shown.amr, now });
  if (await secondFactors.hasWorkingCodes(account.id)) {
    await leaveNotice(req, `${shown.notice} Your backup codes work as before.`);
    res.redirect(303, '/account/security');
  } else {
    showCodes(
      res,
      await backupCodes.stage(account.id, { ip: req.ip, userAgent: req.get('user-agent') }),
    );
  }
}

export async function answerFactorOff(
  { noticeLoop }: FactorServices,
  { req, res }: Exchange,
  { isAnyLeft, notice }: { isAnyLeft: boolean; notice: string },
): Promise<void> {
  noticeLoop.wake();
  await leaveNotice(
    req,
    isAnyLeft
      ? `${notice} Your backup codes work as before.`
      : `${notice} Your password alone opens this account now, ` +
          'and your backup codes no longer work.',
  );
  res.redirect(303, isAnyLeft ? '/account/security' : '/account');
}
