// Pages to add, name and remove the security keys of an account. They need a fresh second factor if
// the account has one.
import { type Request, type Response, Router } from 'express';
import { getAccount } from '../login/guards';
import { sendPage } from '../web/responses';
import type { Services } from '../web/services';
import { readTextField } from '../web/read-text-field';
import {
  answerFactorOff,
  answerFactorOn,
  type FactorServices,
  prepareOwnerNotice,
} from './factor-changes';
import { keepChallenge, takeChallenge } from './security-key-challenge';
import { type AddedKey, MAX_KEYS } from './security-keys';

export function securityKeyRoutes(
  services: FactorServices & Pick<Services, 'securityKeys' | 'guards'>,
): Router {
  const { secondFactors, securityKeys, guards, now } = services;
  const router = Router();

  router.get('/account/security-keys', ...guards.fresh, (req, res) => showKeys({ req, res }));

  router.post('/account/security-keys', ...guards.fresh, async (req, res) => {
    const { id } = getAccount(req);
    const challenge = takeChallenge(req, { userId: id, purpose: 'add a key', now });
    const queueNotice = prepareOwnerNotice(services, req, {
      change: 'added',
      factor: 'security key',
    });
    const [response, name] = [readTextField(req, 'response'), readTextField(req, 'name')];
    const added: AddedKey =
      challenge === null
        ? { ok: false, reason: 'invalid' }
        : await securityKeys.add(id, { response, challenge, name, queueNotice });
    if (added.ok)
      await answerFactorOn(
        services,
        { req, res },
        { method: 'webauthn', amr: [added.amr], notice: 'Your security key is on.' },
      );
    else
      await showKeys(
        { req, res },
        {
          status: added.reason === 'full' ? 409 : 400,
          errors: { response: REFUSALS[added.reason] },
          values: { name },
        },
      );
  });

  router.post('/account/security-keys/rename', ...guards.fresh, async (req, res) => {
    await securityKeys.rename(getAccount(req).id, {
      id: readTextField(req, 'id'),
      name: readTextField(req, 'name'),
    });
    res.redirect(303, '/account/security-keys');
  });

  router.post('/account/security-keys/remove', ...guards.fresh, async (req, res) => {
    const queueNotice = prepareOwnerNotice(services, req, {
      change: 'removed',
      factor: 'security key',
    });
    const context = { ip: req.ip, userAgent: req.get('user-agent') };
    const isAnyLeft = await secondFactors.removeKey(getAccount(req).id, {
      id: readTextField(req, 'id'),
      queueNotice,
      context,
    });
    await answerFactorOff(
      services,
      { req, res },
      { isAnyLeft, notice: 'That security key opens nothing here any more.' },
    );
  });

  async function showKeys(
    exchange: { req: Request; res: Response },
    outcome: {
      status?: number;
      errors?: Record<string, string>;
      values?: Record<string, string>;
    } = {},
  ): Promise<void> {
    const account = getAccount(exchange.req);
    const [factors, options] = await Promise.all([
      secondFactors.list(account.id),
      securityKeys.createRegistrationOptions(account),
    ]);
    keepChallenge(exchange.req, {
      value: options.challenge,
      userId: account.id,
      purpose: 'add a key',
      now,
    });
    sendPage('security-keys', exchange, {
      title: 'Security keys',
      ...outcome,
      data: { ...factors, options },
    });
  }

  return router;
}

const REFUSALS: Readonly<Record<Extract<AddedKey, { ok: false }>['reason'], string>> = {
  malformed: 'Nothing came from your security key. It needs JavaScript.',
  invalid: 'That did not work, or took too long. Try again.',
  duplicate: 'This security key is in use already.',
  full: `You have ${MAX_KEYS} security keys, which is the maximum.`,
};
