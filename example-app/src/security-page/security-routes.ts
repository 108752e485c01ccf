// The security page: the number of backup codes left, the button that makes new ones, and the
// activity list.
import { type Request, Router } from 'express';
import { safeReturnTo } from 'passport-backup-code/express';
import { showCodes } from '../codes/show-codes';
import { getAccount } from '../login/guards';
import { sendPage } from '../web/responses';
import type { Services } from '../web/services';
import { readTextField } from '../web/read-text-field';
import { describeActivity } from './activity';

declare module 'express-session' {
  interface SessionData {
    /** The set whose codes were last shown in this session. */
    shownSetId?: string;
  }
}

const PAGE_SIZE = 20;

export function securityRoutes({
  secondFactors,
  backupCodes,
  guards,
}: Pick<Services, 'secondFactors' | 'backupCodes' | 'guards'>): Router {
  const router = Router();

  router.get('/account/security', guards.signedIn, async (req, res) => {
    const { id } = getAccount(req);
    const after = readCursor(req);
    const trail = backupCodes.audit.events({
      userId: id,
      order: 'newest-first',
      after,
      limit: PAGE_SIZE,
    });
    const [factors, codes, { events, cursor }] = await Promise.all([
      secondFactors.list(id),
      backupCodes.status(id),
      trail,
    ]);
    const activity = {
      list: events.map(describeActivity),
      isNewest: after === null,
      older: events.length === PAGE_SIZE ? cursor : null,
    };
    sendPage(
      'security',
      { req, res },
      {
        title: 'Security',
        data: {
          ...factors,
          codes,
          activity,
          returnTo: safeReturnTo(req.query.returnTo),
          shownSetId: req.session.shownSetId ?? 'none',
        },
      },
    );
  });

  router.post('/account/security/codes', ...guards.fresh, async (req, res) => {
    const { id } = getAccount(req);
    // Reloading the page that shows new codes sends this form again. New codes would replace those
    // that the user has just written down.
    const after = readTextField(req, 'after');
    const isSentAgain = after !== '' && after !== (req.session.shownSetId ?? 'none');
    // Without a second factor there is nothing for backup codes to replace.
    if (isSentAgain || !(await secondFactors.has(id))) {
      res.redirect(303, '/account/security');
      return;
    }
    // Only staged: the old codes work until the new ones are saved.
    const set = await backupCodes.stage(id, { ip: req.ip, userAgent: req.get('user-agent') });
    req.session.shownSetId = set.setId;
    showCodes(res, set);
  });

  return router;
}

/**
 * The page of the activity list: a cursor of the audit trail, which the library checks. The URL
 * cannot choose whose events are shown.
 */
function readCursor(req: Request): string | null {
  const { 'older-than': cursor } = req.query;
  return typeof cursor === 'string' ? cursor : null;
}
