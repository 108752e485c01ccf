// The first factor, and logging out. A valid password alone logs in only users without a second
// factor.
import { Router } from 'express';
import { beginLogin, completeLogin } from 'passport-backup-code/express';
import { COOKIE_ATTRIBUTES } from '../sessions/session-cookie';
import { sendJsonError, sendPage, wantsJson } from '../web/responses';
import type { Services } from '../web/services';
import { readTextField } from '../web/read-text-field';
import { authenticate } from './authenticate';
import { visitorsOnly } from './guards';
import { readPlace } from './places';

type LoginServices = Pick<
  Services,
  'secondFactors' | 'passport' | 'places' | 'limitSignIn' | 'cookieName' | 'now'
>;

export function loginRoutes({
  secondFactors,
  passport,
  places,
  limitSignIn,
  cookieName,
  now,
}: LoginServices): Router {
  const router = Router();

  router.get('/login', visitorsOnly, (req, res) => {
    sendPage('login', { req, res }, { title: 'Log in' });
  });

  router.post('/login', visitorsOnly, limitSignIn, async (req, res) => {
    const [username, password] = [readTextField(req, 'username'), readTextField(req, 'password')];
    // passport-local would read missing fields from the URL.
    const isWhole = username !== '' && password !== '';
    const verdict = isWhole ? await authenticate('local', { passport, req, res }) : MISSING;
    if (!verdict.ok) {
      const { status, message } = verdict;
      if (wantsJson(req)) sendJsonError(res, verdict);
      else
        sendPage(
          'login',
          { req, res },
          { title: 'Log in', status, errors: { form: message }, values: { username } },
        );
      return;
    }

    const { account } = verdict;
    await beginLogin(req, account, { amr: ['pwd'], now });
    if (await secondFactors.has(account.id)) {
      res.redirect(303, '/login/second-factor');
      return;
    }
    const { returnTo } = await completeLogin(req, {
      user: account,
      secondFactor: 'not_enrolled',
      now,
    });
    await places.learn(account.id, readPlace(req));
    res.redirect(303, returnTo ?? '/account');
  });

  router.post('/logout', (req, res, next) => {
    req.session.destroy((error: unknown) => {
      if (error !== null && error !== undefined) {
        next(error);
        return;
      }
      res.clearCookie(cookieName, { ...COOKIE_ATTRIBUTES, secure: req.secure });
      res.redirect(303, '/login');
    });
  });

  return router;
}

const MISSING = {
  ok: false,
  status: 400,
  code: 'malformed',
  message: 'Enter your user name and your password.',
} as const;
