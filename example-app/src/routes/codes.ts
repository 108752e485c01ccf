// The one time that backup codes are on a page: made and shown in the answer to one POST. They go into no session and no URL.
import type { Request, Response } from 'express';
import type { BackupCodes } from 'passport-backup-code';
import { safeReturnTo } from 'passport-backup-code/express';
import { sendPage } from '../answers';
import { textField } from '../body';
import { accountOf } from '../guards';

export async function sendCodes(backupCodes: BackupCodes, { req, res }: { req: Request; res: Response }): Promise<void> {
  const set = await backupCodes.issue(accountOf(req).id, { ip: req.ip, userAgent: req.get('user-agent') });
  sendPage('codes', { req, res }, { title: 'Your backup codes', data: { set, goOnTo: safeReturnTo(textField(req, 'returnTo')) ?? '/account' } });
}
