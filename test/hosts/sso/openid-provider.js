// A real OpenID provider that logs each visitor in at once, as the user and with the methods that
// the test named last.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

let provider;
let login = {};

async function handle(req, res) {
  if (!req.url.startsWith('/interaction/')) return provider.callback()(req, res);
  await provider.interactionFinished(req, res, { login });
}

/** Grants consent without a question. */
async function loadExistingGrant({ oidc }) {
  const grant = new oidc.provider.Grant({
    clientId: oidc.client.clientId,
    accountId: oidc.session.accountId,
  });
  grant.addOIDCScope('openid');
  await grant.save();
  return grant;
}

const server = createServer((req, res) => {
  handle(req, res).catch((error) => res.writeHead(500).end(String(error)));
});
server.listen();

export const commands = {
  /** @param client `{ client_id, client_secret, redirect_uris }` */
  open: (issuer, client) => {
    provider = new Provider(issuer, {
      clients: [client],
      claims: { openid: ['sub'], amr: null },
      features: { claimsParameter: { enabled: true }, devInteractions: { enabled: false } },
      findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
      interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
      loadExistingGrant,
    });
  },
  /** @param amr the methods in the next assertion. If empty, it names none */
  next: (accountId, amr) => void (login = { accountId, ...(amr.length > 0 && { amr }) }),
};
