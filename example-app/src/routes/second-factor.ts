// The second factor: a code of the authenticator app, or a backup code. Asked after the password, and again where a page
// wants a fresh one (step-up). Both end in completeLogin, which knows which of the two it is.
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { BackupCodeError } from 'passport-backup-code';
import { completeLogin, pendingLogin } from 'passport-backup-code/express';
import { leaveNotice, sendJsonError, sendPage, wantsJson } from '../answers';
import { authenticate, type StrategyName, type Verdict } from '../authenticate';
import { placeNotice } from '../notices/place-notice';
import { signedInAccount } from '../passport';
import { whereIs } from '../places';
import type { Services } from '../services';

type Parts = Pick<Services, 'backupCodes' | 'emails' | 'mailer' | 'places' | 'publicUrl' | 'users' | 'passport' | 'limitSignIn' | 'now'>;

/** One page with one field. */
interface FactorForm {
  readonly path: string;
  readonly strategy: StrategyName;
  readonly view: 'totp-code' | 'backup-code';
  readonly title: string;
  readonly reason: string;
  readonly otherWay: string;
  readonly askedOf: 'who gave a password' | 'who is logged in';
}

const AFTER_PASSWORD = 'Your password is right. Now show that it is you.';
const STEP_UP = 'This needs a fresh proof that it is you.';

const FORMS: readonly FactorForm[] = [
  { path: '/login/second-factor', strategy: 'totp', view: 'totp-code', title: 'Enter your code', reason: AFTER_PASSWORD, otherWay: '/login/backup-code', askedOf: 'who gave a password' },
  { path: '/login/backup-code', strategy: 'backup-code', view: 'backup-code', title: 'Use a backup code', reason: AFTER_PASSWORD, otherWay: '/login/second-factor', askedOf: 'who gave a password' },
  { path: '/login/step-up', strategy: 'totp', view: 'totp-code', title: 'Confirm it is you', reason: STEP_UP, otherWay: '/login/step-up/backup-code', askedOf: 'who is logged in' },
  { path: '/login/step-up/backup-code', strategy: 'backup-code', view: 'backup-code', title: 'Confirm it is you', reason: STEP_UP, otherWay: '/login/step-up', askedOf: 'who is logged in' },
];

export function secondFactorRoutes(parts: Parts): Router {
  const router = Router();
  for (const form of FORMS) {
    const askedOnly = othersElsewhere(form, parts.now);
    router.get(form.path, askedOnly, (req, res) => showForm(form, { req, res }));
    router.post(form.path, askedOnly, parts.limitSignIn, async (req, res) => {
      const verdict = await authenticate(form.strategy, { passport: parts.passport, req, res });
      if (verdict.ok) await logIn(parts, verdict, { req, res });
      else if (verdict.code === 'step_up_required') refuse(form, await askByMail(parts, verdict, req), { req, res });
      else refuse(form, verdict, { req, res });
    });
  }
  return router;
}

/** Sends on those of whom this form asks nothing. */
function othersElsewhere({ askedOf }: FactorForm, now: () => number): RequestHandler {
  return (req, res, next) => {
    const isSignedIn = signedInAccount(req) !== null;
    const isAsked = askedOf === 'who is logged in' ? isSignedIn : !isSignedIn && pendingLogin(req, { now }) !== null;
    if (isAsked) next();
    else res.redirect(303, isSignedIn ? '/account' : '/login');
  };
}

/** The code is spent by now, so nothing stands between it and the login. */
async function logIn({ backupCodes, places, now }: Parts, { account, method, amr }: Extract<Verdict, { ok: true }>, { req, res }: { req: Request; res: Response }): Promise<void> {
  try {
    const { returnTo } = await completeLogin(req, { user: account, method, amr, now });
    await places.learn(account.id, whereIs(req));
    if (method === 'backup-code') {
      const codes = await backupCodes.status(account.id);
      await leaveNotice(req, `You used a backup code. ${codes?.remaining ?? 0} of ${codes?.total ?? 0} are left.`);
    }
    res.redirect(303, returnTo ?? '/account');
  } catch (error) {
    // The session was left meanwhile, or its ten minutes are over.
    if (!(error instanceof BackupCodeError) || error.code !== 'no_pending_login') throw error;
    res.redirect(303, '/');
  }
}

/** From somewhere new: the code was not looked at, and the owner is mailed a link that makes the place known. */
async function askByMail({ emails, mailer, places, publicUrl, users, now }: Parts, verdict: Extract<Verdict, { ok: false }>, req: Request): Promise<Extract<Verdict, { ok: false }>> {
  const id = String(pendingLogin(req, { now })?.userId ?? signedInAccount(req)?.id ?? '');
  const account = await users.byId(id);
  const token = account === null ? null : await places.newLink(id, whereIs(req));
  if (account !== null && token !== null) {
    const notice = placeNotice({ username: account.username, at: now(), context: whereIs(req), link: `${publicUrl}/login/place/${token}` });
    try {
      for (const to of await emails.of(id)) await mailer.send({ to, ...notice });
    } catch (error) {
      // Or no other would be sent for a quarter of an hour.
      await places.forget(token);
      throw error;
    }
  }
  return { ...verdict, message: 'You have not logged in from here before. We mailed you a link: follow it, and enter the same code again. It was not used up.' };
}

function refuse(form: FactorForm, { status, code, message, retryAfterSeconds }: Extract<Verdict, { ok: false }>, { req, res }: { req: Request; res: Response }): void {
  if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds));
  const wait = retryAfterSeconds === undefined ? '' : ` Try again in ${inWords(retryAfterSeconds)}.`;
  if (wantsJson(req)) sendJsonError(res, { status, code, message });
  else showForm(form, { req, res }, { status, errors: { code: message + wait } });
}

function showForm({ view, title, reason, path, otherWay }: FactorForm, exchange: { req: Request; res: Response }, outcome: { status?: number; errors?: Record<string, string> } = {}): void {
  sendPage(view, exchange, { title, ...outcome, data: { reason, action: path, otherWay } });
}

function inWords(seconds: number): string {
  const [count, unit] = seconds < 120 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
