// "I have saved these codes": puts the set that was shown in the place of the one before. Shows no
// code.
import { Router } from 'express';
import { safeReturnTo } from 'passport-backup-code/express';
import { getAccount } from '../login/guards';
import { leaveNotice, sendPage } from '../web/responses';
import type { Services } from '../web/services';
import { readTextField } from '../web/read-text-field';

/** A set that waits to be saved is gone after an hour, or once there is a newer one. */
const NOT_ANY_MORE =
  'They were shown more than an hour ago, or others were made since. Throw them away. Nothing else was changed, and you can make new ones under Security.';

export function codeRoutes({
  backupCodes,
  guards,
}: Pick<Services, 'backupCodes' | 'guards'>): Router {
  const router = Router();

  // No fresh factor: it was shown when the set was made, and whoever copies ten codes by hand takes
  // longer than five minutes.
  router.post('/account/codes/activate', guards.signedIn, async (req, res) => {
    const { id } = getAccount(req);
    const setId = readTextField(req, 'setId');
    const isNew = await backupCodes.activate(id, setId, {
      ip: req.ip,
      userAgent: req.get('user-agent'),
    });
    // A second click finds the set at work, and leads where the first one did.
    if (!isNew && (await backupCodes.status(id))?.setId !== setId) {
      sendPage(
        'message',
        { req, res },
        {
          title: 'These codes were not turned on',
          status: 409,
          data: {
            message: NOT_ANY_MORE,
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
