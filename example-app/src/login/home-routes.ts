// `/` redirects to the page where this session continues.
import { Router } from 'express';
import { pendingLogin } from 'passport-backup-code/express';
import type { Services } from '../web/services';
import { findSignedInAccount } from './passport';

export function homeRoutes({ now }: Pick<Services, 'now'>): Router {
  const router = Router();
  router.get('/', (req, res) => {
    if (findSignedInAccount(req) !== null) res.redirect(303, '/account');
    else res.redirect(303, pendingLogin(req, { now }) === null ? '/login' : '/login/second-factor');
  });
  return router;
}
