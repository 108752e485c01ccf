// The second factor: a security key, a code of the authenticator app, or a backup code instead. It
// is requested after the password, and again if a page needs a fresh one (step-up). Every path ends
// in completeLogin, which knows which of the two it is.
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { BackupCodeError } from 'passport-backup-code';
import { completeLogin, pendingLogin } from 'passport-backup-code/express';
import { keepChallenge } from '../factors/security-key-challenge';
import { type Mail, type Mailer, MailServerDown } from '../notices/mailer';
import { writePlaceNotice } from '../notices/place-notice';
import { describeRefusal } from '../web/describe-refusal';
import { leaveNotice, sendJsonError, sendPage, wantsJson } from '../web/responses';
import type { Services } from '../web/services';
import { authenticate, type StrategyName, type Verdict } from './authenticate';
import { findSignedInAccount } from './passport';
import { readPlace } from './places';

type SecondFactorServices = Pick<
  Services,
  | 'backupCodes'
  | 'emails'
  | 'mailer'
  | 'places'
  | 'publicUrl'
  | 'users'
  | 'secondFactors'
  | 'securityKeys'
  | 'passport'
  | 'limitSignIn'
  | 'now'
>;

/**
 * Two pages that link to each other: one for the factors of the account, and one for a backup code.
 */
interface SecondFactorPages {
  readonly purpose: 'login' | 'step_up';
  readonly titles: Readonly<Record<View, string>>;
  readonly reason: string;
  /** Shows the factors, and receives codes of the authenticator app. */
  readonly page: string;
  readonly keyPath: string;
  readonly backupCodePath: string;
}

type View = 'second-factor' | 'backup-code';
type Refusal = Extract<Verdict, { ok: false }>;
interface Exchange {
  readonly req: Request;
  readonly res: Response;
}

const PAGES: readonly SecondFactorPages[] = [
  {
    purpose: 'login',
    titles: { 'second-factor': 'Confirm it is you', 'backup-code': 'Use a backup code' },
    reason: 'Your password is right. Now show that it is you.',
    page: '/login/second-factor',
    keyPath: '/login/security-key',
    backupCodePath: '/login/backup-code',
  },
  {
    purpose: 'step_up',
    titles: { 'second-factor': 'Confirm it is you', 'backup-code': 'Confirm it is you' },
    reason: 'This needs a fresh proof that it is you.',
    page: '/login/step-up',
    keyPath: '/login/step-up/security-key',
    backupCodePath: '/login/step-up/backup-code',
  },
];

export function secondFactorRoutes(services: SecondFactorServices): Router {
  const router = Router();
  for (const pages of PAGES) {
    const guard = redirectUnlessAsked(pages, services);
    const forms: readonly { path: string; strategy: StrategyName; view: View; field: string }[] = [
      { path: pages.page, strategy: 'totp', view: 'second-factor', field: 'code' },
      { path: pages.keyPath, strategy: 'security-key', view: 'second-factor', field: 'response' },
      { path: pages.backupCodePath, strategy: 'backup-code', view: 'backup-code', field: 'code' },
    ];
    for (const { path, strategy, view, field } of forms) {
      router.get(path, guard, (req, res) => showPage(services, pages, { req, res, view }));
      router.post(path, guard, services.limitSignIn, async (req, res) => {
        const verdict = await authenticate(strategy, { passport: services.passport, req, res });
        if (verdict.ok) {
          await logIn(services, pages, { req, res, verdict });
          return;
        }
        const refusal =
          verdict.code === 'step_up_required'
            ? await mailConfirmationLink(services, verdict, req)
            : verdict;
        if (refusal.retryAfterSeconds !== undefined)
          res.set('Retry-After', String(refusal.retryAfterSeconds));
        if (wantsJson(req)) sendJsonError(res, refusal);
        else
          await showPage(
            services,
            pages,
            { req, res, view },
            { status: refusal.status, errors: { [field]: describe(strategy, refusal) } },
          );
      });
    }
  }
  return router;
}

/** The message of the strategy for backup codes says how long to wait. */
function describe(
  strategy: StrategyName,
  { message, retryAfterSeconds }: Parameters<typeof describeRefusal>[0],
): string {
  return strategy === 'backup-code' ? message : describeRefusal({ message, retryAfterSeconds });
}

/**
 * Redirects users who need not show a factor here, and users who no longer have a second factor.
 */
function redirectUnlessAsked(
  { purpose }: SecondFactorPages,
  { secondFactors, now }: SecondFactorServices,
): RequestHandler {
  return async (req, res, next) => {
    const isSignedIn = findSignedInAccount(req) !== null;
    const isAsked =
      isSignedIn === (purpose === 'step_up') && (await secondFactors.has(findUserId(req, now)));
    if (isAsked) next();
    else res.redirect(303, isSignedIn ? '/account' : '/login');
  };
}

/** The id of the account whose factor is requested, or `''` if no factor is requested. */
function findUserId(req: Request, now: () => number): string {
  return String(pendingLogin(req, { now })?.userId ?? findSignedInAccount(req)?.id ?? '');
}

/** The code is used up at this point, so no further check may refuse the login. */
async function logIn(
  { backupCodes, places, now }: SecondFactorServices,
  { purpose }: SecondFactorPages,
  {
    req,
    res,
    verdict: { account, method, amr },
  }: Exchange & { verdict: Extract<Verdict, { ok: true }> },
): Promise<void> {
  try {
    const { returnTo } = await completeLogin(req, { user: account, method, amr, now });
    await places.learn(account.id, readPlace(req));
    const codes = method === 'backup-code' ? await backupCodes.status(account.id) : null;
    const notices = [
      ...(codes === null
        ? []
        : [`You used a backup code. ${codes.remaining} of ${codes.total} are left.`]),
      // The form that the step-up interrupted was not processed.
      ...(purpose === 'step_up'
        ? ['Confirmed. What you were about to do is not done yet: do it now.']
        : []),
    ];
    if (notices.length > 0) await leaveNotice(req, notices.join(' '));
    res.redirect(303, returnTo ?? '/account');
  } catch (error) {
    // The session has ended in the meantime, or its ten minutes are over.
    if (!(error instanceof BackupCodeError) || error.code !== 'no_pending_login') throw error;
    res.redirect(303, '/');
  }
}

/** Mails the owner a link that confirms a new place. The code was not checked. */
async function mailConfirmationLink(
  { emails, mailer, places, publicUrl, users, now }: SecondFactorServices,
  verdict: Refusal,
  req: Request,
): Promise<Refusal> {
  const id = findUserId(req, now);
  const account = await users.findById(id);
  const token = account === null ? null : await places.newLink(id, readPlace(req));
  if (account !== null && token !== null) {
    const notice = writePlaceNotice({
      username: account.username,
      at: now(),
      context: readPlace(req),
      link: `${publicUrl}/login/place/${token}`,
    });
    try {
      await sendToEach(mailer, await emails.list(id), notice);
    } catch (error) {
      // Otherwise no other link could be sent for 15 minutes.
      await places.forget(token);
      throw error;
    }
  }
  return {
    ...verdict,
    message:
      'You have not logged in from here before. We mailed you a link: follow it, and enter the ' +
      'same code again. It was not used up.',
  };
}

/**
 * Sends the notice to every address.
 *
 * @throws the error of the last address, if no address accepted the mail
 */
async function sendToEach(
  mailer: Mailer,
  addresses: readonly string[],
  notice: Omit<Mail, 'to'>,
): Promise<void> {
  let isSent = false;
  let refusal: unknown = new Error('this account has no address');
  for (const to of addresses) {
    try {
      await mailer.send({ to, ...notice });
      isSent = true;
    } catch (error) {
      refusal = error;
      if (error instanceof MailServerDown) break;
    }
  }
  if (!isSent) throw refusal;
}

async function showPage(
  { secondFactors, securityKeys, now }: SecondFactorServices,
  pages: SecondFactorPages,
  { req, res, view }: Exchange & { view: View },
  outcome: { status?: number; errors?: Record<string, string> } = {},
): Promise<void> {
  const userId = findUserId(req, now);
  const factors = await secondFactors.list(userId);
  const options =
    view === 'second-factor' && factors.keys.length > 0
      ? await securityKeys.createLoginOptions(userId)
      : null;
  if (options !== null)
    keepChallenge(req, { value: options.challenge, userId, purpose: 'show a key', now });
  sendPage(
    view,
    { req, res },
    { title: pages.titles[view], ...outcome, data: { ...pages, ...factors, options } },
  );
}
