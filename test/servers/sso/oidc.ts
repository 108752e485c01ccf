// Runs docs/single-sign-on.md with OpenID Connect: passport-openidconnect and a real oidc-provider,
// each in a process of its own.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { start, type Host } from '../frameworks/host';
import type { Answer, Visitor } from '../frameworks/visitor';
import { appWith, enrol, giveCode, providerTests, expectNothingPending } from './contract';

const client = { client_id: 'app', client_secret: 'a secret between the app and the provider' };
let hosts: Host[] = [];
let app: Host;
let provider: Host;
let issuer: string;
let origin: string;

/**
 * Signs on at the provider. @returns the path of the callback, with its code and state, which is
 * not yet requested
 */
async function atProvider(visitor: Visitor, name: string, amr: readonly string[]): Promise<string> {
  await provider.ask('next', name, amr);
  const there = provider.visitor();
  let next = (await visitor.get('/login')).headers.get('location')!;
  while (!next.startsWith(origin))
    next = (await there.get(next.replace(issuer, ''))).headers.get('location')!;
  return next.replace(origin, '');
}

const signOn = async (visitor: Visitor, name: string, amr: readonly string[]): Promise<Answer> =>
  visitor.get(await atProvider(visitor, name, amr));

/** Declares the tests. The packages of the host must be installed. */
export function openIdConnectTests(): void {
  beforeAll(async () => {
    const source = readFileSync(join(__dirname, '../../hosts/sso/openid-provider.js'), 'utf8');
    provider = await start('sso', { files: { 'yours.js': source }, main: 'yours.js' });
    hosts = [provider];
    issuer = provider.visitor().origin;
    const endpoints = {
      issuer,
      trusted: issuer,
      authorizationURL: `${issuer}/auth`,
      tokenURL: `${issuer}/token`,
      clientID: client.client_id,
      clientSecret: client.client_secret,
    };
    app = await start('sso', { files: appWith(endpoints, 'oidc'), main: 'app.js' });
    hosts.push(app);
    ({ origin } = app.visitor());
    await provider.ask('open', issuer, { ...client, redirect_uris: [`${origin}/login/callback`] });
  }, 300_000);
  afterAll(() => Promise.all(hosts.map((host) => host.stop())));

  providerTests(() => ({ app, signOn }), { password: ['pwd'], mfa: ['pwd', 'mfa'], nothing: [] });

  it('An unknown method of a provider is recorded too', async () => {
    const { visitor, name, codes } = await enrol(app);
    await signOn(visitor, name, ['pwd', 'hwk', 'urn:example:badge']);
    expect((await giveCode(visitor, codes[0]!)).body).toMatchObject({
      amr: ['pwd', 'hwk', 'urn:example:badge', 'otp', 'mfa'],
      acr: 'aal2',
    });
  });

  describe('invalid assertions', () => {
    it('An assertion that was used before begins no login, in any browser', async () => {
      const person = await enrol(app);
      const callback = await atProvider(person.visitor, person.name, ['pwd', 'mfa']);
      const thief = person.visitor.copy();
      expect((await person.visitor.get(callback)).status).toBe(303);
      for (const browser of [thief, app.visitor()]) {
        expect((await browser.get(callback)).status).toBe(403);
        await expectNothingPending(app, browser, person);
      }
      expect((await person.visitor.get(callback)).status).toBe(403);
      expect((await giveCode(person.visitor, person.codes[0]!)).status).toBe(200);
    });

    it('An assertion for another browser begins no login', async () => {
      const [attacker, victim] = [await enrol(app), await enrol(app)];
      const callback = await atProvider(attacker.visitor, attacker.name, ['pwd']);
      await victim.visitor.get('/login');
      expect((await victim.visitor.get(callback)).status).toBe(403);
      await expectNothingPending(app, victim.visitor, attacker);
    });

    it('An authorization code that the provider did not issue begins no login', async () => {
      const person = await enrol(app);
      const callback = await atProvider(person.visitor, person.name, ['pwd', 'mfa']);
      expect((await person.visitor.get(callback.replace(/code=[^&]+/, 'code=forged'))).status).toBe(
        500,
      );
      await expectNothingPending(app, person.visitor, person);
    });

    it('A refusal of the provider begins no login', async () => {
      const person = await enrol(app);
      await person.visitor.get('/login');
      expect((await person.visitor.get('/login/callback?error=access_denied')).status).toBe(401);
      await expectNothingPending(app, person.visitor, person);
    });
  });
}
