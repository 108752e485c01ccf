// The page with the addresses of an account. To see it, log in. To change an address, show a fresh
// second factor. Every address receives a notice of each change.
import { type Request, type Response, Router } from 'express';
import { getAccount } from '../login/guards';
import { leaveNotice, sendPage } from '../web/responses';
import type { Services } from '../web/services';
import { readTextField } from '../web/read-text-field';
import { MAX_EMAILS } from './account-emails';
import { NOT_AN_EMAIL, readEmailAddress } from './email-address';
import { writeEmailNotice } from './email-notice';

export function emailRoutes({
  emails,
  guards,
  noticeLoop,
  publicUrl,
  now,
}: Pick<Services, 'emails' | 'guards' | 'noticeLoop' | 'publicUrl' | 'now'>): Router {
  const router = Router();

  router.get('/account/emails', guards.signedIn, (req, res) => showEmails({ req, res }));

  router.post('/account/emails', ...guards.fresh, async (req, res) => {
    const typed = readTextField(req, 'email');
    const email = readEmailAddress(typed);
    if (email === null) {
      await showEmails(
        { req, res },
        { status: 400, errors: { email: NOT_AN_EMAIL }, values: { email: typed } },
      );
      return;
    }
    const outcome = await emails.add(getAccount(req).id, {
      email,
      notice: writeNotice('added', { req, email }),
    });
    if (outcome === 'full')
      await showEmails(
        { req, res },
        {
          status: 409,
          errors: { email: `You have ${MAX_EMAILS} addresses, which is the maximum.` },
          values: { email },
        },
      );
    else await goBack({ req, res }, `${email} is one of your addresses.`);
  });

  router.post('/account/emails/remove', ...guards.fresh, async (req, res) => {
    const email = readTextField(req, 'email');
    const outcome = await emails.remove(getAccount(req).id, {
      email,
      notice: writeNotice('removed', { req, email }),
    });
    if (outcome === 'last')
      await showEmails(
        { req, res },
        {
          status: 409,
          errors: {
            form: 'This is your last address. Add another one before you remove it.',
          },
        },
      );
    else await goBack({ req, res }, `${email} is not one of your addresses.`);
  });

  function writeNotice(
    change: 'added' | 'removed',
    { req, email }: { req: Request; email: string },
  ): ReturnType<typeof writeEmailNotice> {
    const context = { ip: req.ip ?? null, userAgent: req.get('user-agent') ?? null };
    return writeEmailNotice({
      change,
      email,
      username: getAccount(req).username,
      at: now(),
      context,
      publicUrl,
    });
  }

  async function goBack(
    { req, res }: { req: Request; res: Response },
    notice: string,
  ): Promise<void> {
    noticeLoop.wake();
    await leaveNotice(req, notice);
    res.redirect(303, '/account/emails');
  }

  async function showEmails(
    { req, res }: { req: Request; res: Response },
    outcome: {
      status?: number;
      errors?: Record<string, string>;
      values?: Record<string, string>;
    } = {},
  ): Promise<void> {
    sendPage(
      'emails',
      { req, res },
      {
        title: 'Email addresses',
        ...outcome,
        data: { emails: await emails.list(getAccount(req).id) },
      },
    );
  }

  return router;
}
