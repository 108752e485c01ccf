// The page behind the mailed link, where a user confirms a login from a new place. Opening the link
// changes nothing; the button does. It logs no user in.
import { type Request, Router } from 'express';
import { sendPage } from '../web/responses';
import type { Services } from '../web/services';

const PATH = '/login/place/:token';
const LINK_EXPIRED =
  'It works once, and for 15 minutes. Enter your backup code again to be sent another one.';

export function placeRoutes({
  places,
  limitSignIn,
}: Pick<Services, 'places' | 'limitSignIn'>): Router {
  const router = Router();

  router.get(PATH, async (req, res) => {
    if (await places.isLink(readToken(req)))
      sendPage('confirm-place', { req, res }, { title: 'Is it you?' });
    else
      sendPage(
        'message',
        { req, res },
        {
          title: 'This link no longer works',
          status: 404,
          data: {
            message: LINK_EXPIRED,
          },
        },
      );
  });

  router.post(PATH, limitSignIn, async (req, res) => {
    const isConfirmed = await places.confirm(readToken(req));
    const [title, message] = isConfirmed
      ? [
          'Thank you',
          'Go back to where you were logging in, and enter the same backup code again. ' +
            'It was not used up.',
        ]
      : ['This link no longer works', LINK_EXPIRED];
    sendPage(
      'message',
      { req, res },
      { title, status: isConfirmed ? 200 : 404, data: { message } },
    );
  });

  return router;
}

function readToken(req: Request): string {
  const { token } = req.params;
  return typeof token === 'string' ? token : '';
}
