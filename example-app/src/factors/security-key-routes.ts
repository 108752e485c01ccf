// Security keys of an account: added, named and removed, all with a fresh second factor where there
// is one.
import { type Request, type Response, Router } from 'express';
import { accountOf } from '../login/guards';
import { sendPage } from '../web/responses';
import type { Services } from '../web/services';
import { textField } from '../web/text-field';
import { answerFactorOff, answerFactorOn, type FactorParts, tellOwner } from './factor-changes';
import { keepChallenge, takeChallenge } from './security-key-challenge';
import { type AddedKey, MAX_KEYS } from './security-keys';

export function securityKeyRoutes(
  services: FactorParts & Pick<Services, 'securityKeys' | 'guards'>,
): Router {
  const { secondFactors, securityKeys, guards, now } = services;
  const router = Router();

  router.get('/account/security-keys', ...guards.fresh, (req, res) => showKeys({ req, res }));

  router.post('/account/security-keys', ...guards.fresh, async (req, res) => {
    const { id } = accountOf(req);
    const challenge = takeChallenge(req, { userId: id, purpose: 'add a key', now });
    const tell = tellOwner(services, req, { change: 'added', factor: 'security key' });
    const [response, name] = [textField(req, 'response'), textField(req, 'name')];
    const added: AddedKey =
      challenge === null
        ? { ok: false, reason: 'wrong' }
        : await securityKeys.add(id, { response, challenge, name, tell });
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
    await securityKeys.rename(accountOf(req).id, {
      id: textField(req, 'id'),
      name: textField(req, 'name'),
    });
    res.redirect(303, '/account/security-keys');
  });

  router.post('/account/security-keys/remove', ...guards.fresh, async (req, res) => {
    const tell = tellOwner(services, req, { change: 'removed', factor: 'security key' });
    const context = { ip: req.ip, userAgent: req.get('user-agent') };
    const isAnyLeft = await secondFactors.removeKey(accountOf(req).id, {
      id: textField(req, 'id'),
      tell,
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
    const account = accountOf(exchange.req);
    const [factors, options] = await Promise.all([
      secondFactors.of(account.id),
      securityKeys.registrationOptions(account),
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
  wrong: 'That did not work, or took too long. Try again.',
  known: 'This security key is in use already.',
  full: `You have ${MAX_KEYS} security keys, which is as many as there can be.`,
};
