// Turns an authenticator app on and off.
import { type Request, type Response, Router } from 'express';
import { toString as drawQrCode } from 'qrcode';
import { SERVICE_NAME } from '../config';
import { getAccount } from '../login/guards';
import { sendPage } from '../web/responses';
import type { Services } from '../web/services';
import { readTextField } from '../web/read-text-field';
import { createTotpSecret, createTotpUri } from './authenticators';
import {
  answerFactorOff,
  answerFactorOn,
  type FactorServices,
  prepareOwnerNotice,
} from './factor-changes';

declare module 'express-session' {
  interface SessionData {
    /** A new secret that is not confirmed yet. It is kept on the server until then. */
    newTotpSecret?: string;
  }
}

export function totpRoutes(
  services: FactorServices & Pick<Services, 'authenticators' | 'guards'>,
): Router {
  const { authenticators, secondFactors, guards } = services;
  const router = Router();

  router.get('/account/totp', ...guards.fresh, async (req, res) => {
    const secret = (req.session.newTotpSecret ??= createTotpSecret());
    await showSecret(secret, { req, res }, {});
  });

  router.post('/account/totp', ...guards.fresh, async (req, res) => {
    const account = getAccount(req);
    const secret = req.session.newTotpSecret;
    if (secret === undefined) {
      res.redirect(303, '/account/totp');
      return;
    }
    const queueNotice = prepareOwnerNotice(services, req, {
      change: 'added',
      factor: 'authenticator app',
    });
    if (
      !(await authenticators.enroll(account.id, {
        secret,
        code: readTextField(req, 'code'),
        queueNotice,
      }))
    ) {
      await showSecret(
        secret,
        { req, res },
        { code: 'That code is not right. Enter the 6 digits that the app shows now.' },
      );
      return;
    }
    delete req.session.newTotpSecret;
    await answerFactorOn(
      services,
      { req, res },
      { method: 'totp', amr: ['otp'], notice: 'Your authenticator app is on.' },
    );
  });

  router.post('/account/totp/disable', ...guards.fresh, async (req, res) => {
    const queueNotice = prepareOwnerNotice(services, req, {
      change: 'removed',
      factor: 'authenticator app',
    });
    const context = { ip: req.ip, userAgent: req.get('user-agent') };
    const isAnyLeft = await secondFactors.turnOffTotp(getAccount(req).id, { queueNotice, context });
    await answerFactorOff(
      services,
      { req, res },
      { isAnyLeft, notice: 'Your authenticator app is off.' },
    );
  });

  async function showSecret(
    secret: string,
    { req, res }: { req: Request; res: Response },
    errors: Record<string, string>,
  ): Promise<void> {
    const { id, username } = getAccount(req);
    const svg = await drawQrCode(createTotpUri(secret, { issuer: SERVICE_NAME, username }), {
      type: 'svg',
      margin: 4,
    });
    const qrCode = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
    const [hasTotp, hasCodes] = await Promise.all([
      authenticators.has(id),
      secondFactors.hasWorkingCodes(id),
    ]);
    const inGroups = secret.match(/.{1,4}/g)?.join(' ');
    sendPage(
      'totp',
      { req, res },
      {
        title: 'Set up an authenticator app',
        status: 'code' in errors ? 400 : 200,
        errors,
        data: { secret: inGroups, qrCode, hasTotp, hasCodes },
      },
    );
  }

  return router;
}
