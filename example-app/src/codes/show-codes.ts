// The one page that backup codes are ever on: the answer to the POST that made them. They go into
// no session, no URL and no title.
import type { Response } from 'express';
import type { IssuedSet } from 'passport-backup-code';
import { safeReturnTo } from 'passport-backup-code/express';
import { sendPage } from '../web/responses';
import { readTextField } from '../web/read-text-field';

/**
 * The set is staged: what worked before goes on working until the person says that these are saved
 * (code-routes.ts).
 */
export function showCodes(res: Response, set: IssuedSet): void {
  const { req } = res;
  res.set('Cache-Control', 'no-store');
  sendPage(
    'codes',
    { req, res },
    {
      title: 'Save your backup codes',
      data: { set, returnTo: safeReturnTo(readTextField(req, 'returnTo')) },
    },
  );
}
