// The account page, the first page after the login.
import { Router } from 'express';
import { getAccount } from '../login/guards';
import { sendPage } from '../web/responses';
import type { Services } from '../web/services';

export function accountRoutes({
  secondFactors,
  backupCodes,
  emails,
  guards,
}: Pick<Services, 'secondFactors' | 'backupCodes' | 'emails' | 'guards'>): Router {
  const router = Router();
  router.get('/account', ...guards.enrolled, async (req, res) => {
    const account = getAccount(req);
    const { id } = account;
    const [factors, codes, addresses] = await Promise.all([
      secondFactors.list(id),
      backupCodes.status(id),
      emails.list(id),
    ]);
    sendPage(
      'account',
      { req, res },
      {
        title: 'Your account',
        data: { ...factors, codes, emails: addresses, isAdmin: guards.isAdmin(account) },
      },
    );
  });
  return router;
}
