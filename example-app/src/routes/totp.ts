// Turning an authenticator app on, which ends with the ten backup codes on the screen, and off again.
import { type Request, type Response, Router } from 'express';
import { completeLogin } from 'passport-backup-code/express';
import { toString as drawQrCode } from 'qrcode';
import { leaveNotice, sendPage } from '../answers';
import { textField } from '../body';
import { newTotpSecret, totpUri } from '../authenticators';
import { SERVICE_NAME } from '../config';
import { accountOf } from '../guards';
import type { Services } from '../services';
import { sendCodes } from './codes';

declare module 'express-session' {
  interface SessionData {
    /** A secret on its way into an authenticator app; the server is the only one who keeps it until it is confirmed. */
    newTotpSecret?: string;
  }
}

export function totpRoutes({ authenticators, backupCodes, guards, now }: Pick<Services, 'authenticators' | 'backupCodes' | 'guards' | 'now'>): Router {
  const router = Router();

  router.get('/account/totp', ...guards.fresh, async (req, res) => {
    const secret = (req.session.newTotpSecret ??= newTotpSecret());
    await showSecret(secret, { req, res }, {});
  });

  router.post('/account/totp', ...guards.fresh, async (req, res) => {
    const account = accountOf(req);
    const secret = req.session.newTotpSecret;
    if (secret === undefined) {
      res.redirect(303, '/account/totp');
      return;
    }
    if (!(await authenticators.enroll(account.id, { secret, code: textField(req, 'code') }))) {
      await showSecret(secret, { req, res }, { code: 'That code is not right. Enter the 6 digits that the app shows now.' });
      return;
    }
    delete req.session.newTotpSecret;
    await completeLogin(req, { user: account, method: 'totp', amr: ['otp'], now });
    await sendCodes(backupCodes, { req, res });
  });

  router.post('/account/totp/disable', ...guards.fresh, async (req, res) => {
    const { id } = accountOf(req);
    // Codes first: a fault in between leaves somebody with an app and no codes, never with codes and no app.
    await backupCodes.revoke(id, { ip: req.ip, userAgent: req.get('user-agent') });
    await authenticators.remove(id);
    await leaveNotice(req, 'Your authenticator app is off, and your backup codes no longer work.');
    res.redirect(303, '/account');
  });

  async function showSecret(secret: string, { req, res }: { req: Request; res: Response }, errors: Record<string, string>): Promise<void> {
    const { id, username } = accountOf(req);
    const svg = await drawQrCode(totpUri(secret, { issuer: SERVICE_NAME, username }), { type: 'svg', margin: 4 });
    const qrCode = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
    const hasTotp = await authenticators.has(id);
    const inGroups = secret.match(/.{1,4}/g)?.join(' ');
    sendPage('totp', { req, res }, { title: 'Set up an authenticator app', status: 'code' in errors ? 400 : 200, errors, data: { secret: inGroups, qrCode, hasTotp } });
  }

  return router;
}
