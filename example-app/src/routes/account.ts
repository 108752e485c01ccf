// The page behind the login.
import { Router } from 'express';
import { sendPage } from '../answers';
import { accountOf } from '../guards';
import type { Services } from '../services';

export function accountRoutes({ authenticators, backupCodes, emails, guards }: Pick<Services, 'authenticators' | 'backupCodes' | 'emails' | 'guards'>): Router {
  const router = Router();
  router.get('/account', ...guards.enrolled, async (req, res) => {
    const { id } = accountOf(req);
    const [hasTotp, codes, addresses] = await Promise.all([authenticators.has(id), backupCodes.status(id), emails.of(id)]);
    sendPage('account', { req, res }, { title: 'Your account', data: { hasTotp, codes, emails: addresses } });
  });
  return router;
}
