// The only page that shows backup codes: the response to the POST that made them. They are never in
// a session, a URL or a title.
import type { Response } from 'express';
import type { IssuedSet } from 'passport-backup-code';
import { safeReturnTo } from 'passport-backup-code/express';
import { sendPage } from '../web/responses';
import { readTextField } from '../web/read-text-field';

/**
 * The set is staged: the old codes work until the user confirms that the new ones are saved
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
