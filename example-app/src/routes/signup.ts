// Signing up: checks what was typed, makes the account, logs it in.
import { Router } from 'express';
import { beginLogin, completeLogin } from 'passport-backup-code/express';
import { sendPage } from '../answers';
import { textField } from '../body';
import { visitorsOnly } from '../guards';
import type { Services } from '../services';
import { MAX_PASSWORD_BYTES, type NewAccount, passwordBytes, usernameKey } from '../users';

/** NIST SP 800-63B-4, section 3.1.1.2: eight characters where a second factor stands behind. */
const MIN_PASSWORD_LENGTH = 8;
const MAX_EMAIL_LENGTH = 254;

export function signupRoutes({ users, limitSignIn, now }: Pick<Services, 'users' | 'limitSignIn' | 'now'>): Router {
  const router = Router();

  router.get('/signup', visitorsOnly, (req, res) => {
    sendPage('signup', { req, res }, { title: 'Sign up' });
  });

  router.post('/signup', visitorsOnly, limitSignIn, async (req, res) => {
    const typed: NewAccount = { username: textField(req, 'username'), email: textField(req, 'email'), password: textField(req, 'password') };
    const showAgain = (status: number, errors: Record<string, string>): void => {
      sendPage('signup', { req, res }, { title: 'Sign up', status, errors, values: { username: typed.username, email: typed.email } });
    };
    const mistakes = findMistakes(typed);
    if (Object.keys(mistakes).length > 0) {
      showAgain(400, mistakes);
      return;
    }
    const account = await users.create(typed);
    if (account === null) {
      showAgain(409, { username: 'That user name is taken.' });
      return;
    }
    await beginLogin(req, account, { amr: ['pwd'], now });
    await completeLogin(req, { user: account, secondFactor: 'not-enrolled', now });
    res.redirect(303, '/account');
  });

  return router;
}

function findMistakes({ username, email, password }: NewAccount): Record<string, string> {
  const errors: Record<string, string> = {};
  if (!/^[\p{L}\p{N}._\-+@]{1,64}$/u.test(usernameKey(username))) errors.username = 'Use 1 to 64 letters, digits and . _ - + @.';
  if (email.length > MAX_EMAIL_LENGTH || !/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email.trim())) errors.email = 'Enter an email address, like name@example.com.';
  if (password.length < MIN_PASSWORD_LENGTH) errors.password = `Use at least ${MIN_PASSWORD_LENGTH} characters.`;
  else if (passwordBytes(password).length > MAX_PASSWORD_BYTES) errors.password = `Use at most ${MAX_PASSWORD_BYTES} bytes, which is as many plain letters.`;
  return errors;
}
