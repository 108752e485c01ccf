// The help page about backup codes. It needs no login, because a user who is locked out cannot log
// in to read it.
import { Router } from 'express';
import { sendPage } from '../web/responses';

export function helpRoutes(): Router {
  const router = Router();
  router.get('/help', (req, res) =>
    sendPage('help', { req, res }, { title: 'Help with backup codes' }),
  );
  return router;
}
