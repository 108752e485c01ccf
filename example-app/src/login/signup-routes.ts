// Signing up: validates the form, creates the account and logs it in.
import { Router } from 'express';
import { beginLogin, completeLogin } from 'passport-backup-code/express';
import { NOT_AN_EMAIL, readEmailAddress } from '../notices/email-address';
import { sendPage } from '../web/responses';
import type { Services } from '../web/services';
import { readTextField } from '../web/read-text-field';
import { visitorsOnly } from './guards';
import { readPlace } from './places';
import { MAX_PASSWORD_BYTES, type NewAccount, passwordBytes, usernameKey } from './users';

/**
 * NIST SP 800-63B-4, section 3.1.1.2: the minimum if the password is the only factor, as it is for
 * a new account.
 */
const MIN_PASSWORD_LENGTH = 15;

export function signupRoutes({
  users,
  places,
  limitSignIn,
  now,
}: Pick<Services, 'users' | 'places' | 'limitSignIn' | 'now'>): Router {
  const router = Router();

  router.get('/signup', visitorsOnly, (req, res) => {
    sendPage('signup', { req, res }, { title: 'Sign up' });
  });

  router.post('/signup', visitorsOnly, limitSignIn, async (req, res) => {
    const typed: NewAccount = {
      username: readTextField(req, 'username'),
      email: readTextField(req, 'email'),
      password: readTextField(req, 'password'),
    };
    const showAgain = (status: number, errors: Record<string, string>): void => {
      sendPage(
        'signup',
        { req, res },
        {
          title: 'Sign up',
          status,
          errors,
          values: { username: typed.username, email: typed.email },
        },
      );
    };
    const email = readEmailAddress(typed.email);
    const mistakes = { ...findMistakes(typed), ...(email === null && { email: NOT_AN_EMAIL }) };
    if (email === null || Object.keys(mistakes).length > 0) {
      showAgain(400, mistakes);
      return;
    }
    const account = await users.create({ ...typed, email });
    if (account === null) {
      showAgain(409, { username: 'That user name is taken.' });
      return;
    }
    await beginLogin(req, account, { amr: ['pwd'], now });
    await completeLogin(req, { user: account, secondFactor: 'not_enrolled', now });
    await places.learn(account.id, readPlace(req));
    res.redirect(303, '/account');
  });

  return router;
}

function findMistakes({ username, password }: NewAccount): Record<string, string> {
  const errors: Record<string, string> = {};
  if (!/^[\p{L}\p{N}._\-+@]{1,64}$/u.test(usernameKey(username)))
    errors.username = 'Use 1 to 64 letters, digits and . _ - + @.';
  if (password.length < MIN_PASSWORD_LENGTH)
    errors.password = `Use at least ${MIN_PASSWORD_LENGTH} characters.`;
  else if (passwordBytes(password).length > MAX_PASSWORD_BYTES)
    errors.password = `Use at most ${MAX_PASSWORD_BYTES} bytes, which is as many plain letters.`;
  return errors;
}
