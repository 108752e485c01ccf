// What people ask about backup codes, for everybody: whoever is locked out cannot log in to read
// it. Asks nothing and changes nothing.
import { Router } from 'express';
import { sendPage } from '../web/responses';

export function helpRoutes(): Router {
  const router = Router();
  router.get('/help', (req, res) =>
    sendPage('help', { req, res }, { title: 'Help with backup codes' }),
  );
  return router;
}
