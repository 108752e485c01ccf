// A page for developers that shows all mail to all users. It does not exist in production, or if
// mail is really sent.
import { Router } from 'express';
import { sendPage } from '../web/responses';
import type { Outbox } from './outbox';

const SHOWN = 100;

export function outboxRoutes(outbox: Outbox): Router {
  const router = Router();
  router.get('/outbox', async (req, res) => {
    sendPage(
      'outbox',
      { req, res },
      { title: 'Outbox', data: { mails: await outbox.newest(SHOWN), shown: SHOWN } },
    );
  });
  return router;
}
