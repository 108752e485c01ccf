// The page behind the mailed link: somebody says that it is them who logs in from somewhere new.
// Following the link changes nothing, the button does; it logs nobody in.
import { type Request, Router } from 'express';
import { sendPage } from '../web/responses';
import type { Services } from '../web/services';

const PATH = '/login/place/:token';

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
            message:
              'It works once, and for 15 minutes. Enter your backup code again to be sent another one.',
          },
        },
      );
  });

  router.post(PATH, limitSignIn, async (req, res) => {
    const isConfirmed = await places.confirm(readToken(req));
    const [title, message] = isConfirmed
      ? [
          'Thank you',
          'Go back to where you were logging in, and enter the same backup code again. It was not used up.',
        ]
      : [
          'This link no longer works',
          'It works once, and for 15 minutes. Enter your backup code again to be sent another one.',
        ];
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
