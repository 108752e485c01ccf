// The security page: how many backup codes are left, the button that makes new ones, and what was done with them.
import { type Request, Router } from 'express';
import { safeReturnTo } from 'passport-backup-code/express';
import { activityOf } from '../activity';
import { sendPage } from '../answers';
import { textField } from '../body';
import { accountOf } from '../guards';
import type { Services } from '../services';
import { sendCodes } from './codes';

const ON_A_PAGE = 20;

export function securityRoutes({ authenticators, backupCodes, guards }: Pick<Services, 'authenticators' | 'backupCodes' | 'guards'>): Router {
  const router = Router();

  router.get('/account/security', guards.signedIn, async (req, res) => {
    const { id } = accountOf(req);
    const after = olderThan(req);
    const trail = backupCodes.events({ userId: id, order: 'newest-first', after, limit: ON_A_PAGE });
    const [hasTotp, codes, { events, cursor }] = await Promise.all([authenticators.has(id), backupCodes.status(id), trail]);
    const activity = { list: events.map(activityOf), isNewest: after === null, older: events.length === ON_A_PAGE ? cursor : null };
    sendPage('security', { req, res }, { title: 'Security', data: { hasTotp, codes, activity, returnTo: safeReturnTo(req.query.returnTo) } });
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

/** A cursor of the trail, which the library checks. Whose events are shown is not for the URL to say. */
function olderThan(req: Request): string | null {
  const { 'older-than': cursor } = req.query;
  return typeof cursor === 'string' ? cursor : null;
}
