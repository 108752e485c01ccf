// Handles "I have saved these codes": the new set replaces the old one. Shows no codes.
import { Router } from 'express';
import { safeReturnTo } from 'passport-backup-code/express';
import { getAccount } from '../login/guards';
import { leaveNotice, sendPage } from '../web/responses';
import type { Services } from '../web/services';
import { readTextField } from '../web/read-text-field';

/** A staged set expires after an hour, or when a newer one is made. */
const SET_EXPIRED =
  'They were shown more than an hour ago, or others were made since. Throw them away. ' +
  'Nothing else was changed, and you can make new ones under Security.';

export function codeRoutes({
  backupCodes,
  guards,
}: Pick<Services, 'backupCodes' | 'guards'>): Router {
  const router = Router();

  // Needs no fresh factor: making the set needed one, and copying ten codes by hand can take longer
  // than five minutes.
  router.post('/account/codes/activate', guards.signedIn, async (req, res) => {
    const { id } = getAccount(req);
    const setId = readTextField(req, 'setId');
    const isNew = await backupCodes.activate(id, setId, {
      ip: req.ip,
      userAgent: req.get('user-agent'),
    });
    // After a second click the set is already active, and the redirect is the same.
    if (!isNew && (await backupCodes.status(id))?.setId !== setId) {
      sendPage(
        'message',
        { req, res },
        {
          title: 'These codes were not turned on',
          status: 409,
          data: {
            message: SET_EXPIRED,
            next: { href: '/account/security', text: 'Go to Security' },
          },
        },
      );
      return;
    }
    await leaveNotice(req, 'Your new backup codes work now. Any you had before do not.');
    res.redirect(303, safeReturnTo(readTextField(req, 'returnTo')) ?? '/account');
  });

  return router;
}
