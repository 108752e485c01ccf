// The security page: how many backup codes are left, and the button that makes new ones.
import { Router } from 'express';
import { sendPage } from '../answers';
import { textField } from '../body';
import { accountOf } from '../guards';
import type { Services } from '../services';
import { sendCodes } from './codes';

export function securityRoutes({ authenticators, backupCodes, guards }: Pick<Services, 'authenticators' | 'backupCodes' | 'guards'>): Router {
  const router = Router();

  router.get('/account/security', guards.signedIn, async (req, res) => {
    const { id } = accountOf(req);
    const [hasTotp, codes] = await Promise.all([authenticators.has(id), backupCodes.status(id)]);
    sendPage('security', { req, res }, { title: 'Security', data: { hasTotp, codes } });
  });

  router.post('/account/security/codes', ...guards.fresh, async (req, res) => {
    const { id } = accountOf(req);
    // Backup codes stand in for an authenticator app, so where there is no app there is nothing to make.
    if (!(await authenticators.has(id))) {
      res.redirect(303, '/account/totp');
      return;
    }
    // Reloading the page that shows new codes sends this form again. It would end the very codes that were just written down.
    const replaces = textField(req, 'replaces');
    const isSentAgain = replaces !== '' && replaces !== (await backupCodes.status(id))?.setId;
    if (isSentAgain) res.redirect(303, '/account/security');
    else await sendCodes(backupCodes, { req, res });
  });

  return router;
}
