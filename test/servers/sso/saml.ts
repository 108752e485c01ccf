// docs/single-sign-on.md behind SAML: @node-saml/passport-saml, with responses signed here.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { start, type Host } from '../frameworks/host';
import type { Answer, Visitor } from '../frameworks/visitor';
import { appBefore, enrol, giveCode, itStandsBehind, nothingIsPending } from './contract';
import { anotherKey, idpCert, samlResponse, type Assertion } from './saml-response';

const entryPoint = 'https://provider.invalid/sso';
const issuer = 'https://provider.invalid';
const audience = 'https://app.invalid';
const callbackUrl = 'https://app.invalid/login/callback';
const contexts: Readonly<Record<string, string>> = {
  pwd: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
  otp: 'urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken',
  mfa: 'https://refeds.org/profile/mfa',
  constructor: 'constructor',
};
let app: Host;

/** @returns the id of the request that the provider is sent */
async function asked(visitor: Visitor): Promise<string> {
  const { headers } = await visitor.get('/login');
  const location = new URL(headers.get('location')!);
  expect(location.href).toContain(`${entryPoint}?SAMLRequest=`);
  const [, id = ''] =
    /ID="([^"]+)"/.exec(
      inflateRawSync(Buffer.from(location.searchParams.get('SAMLRequest')!, 'base64')).toString(),
    ) ?? [];
  return id;
}

const post = (visitor: Visitor, xml: string, path = '/login/callback'): Promise<Answer> =>
  visitor.postForm(path, { SAMLResponse: Buffer.from(xml).toString('base64') });

async function answer(
  visitor: Visitor,
  subject: string,
  more: Partial<Assertion> = {},
): Promise<string> {
  return samlResponse({
    subject,
    context: contexts['pwd']!,
    inResponseTo: await asked(visitor),
    issuer,
    audience,
    recipient: callbackUrl,
    ...more,
  });
}

async function signOn(
  visitor: Visitor,
  name: string,
  [method = '']: readonly string[],
): Promise<Answer> {
  return post(
    visitor,
    await answer(visitor, name, {
      context: contexts[method] ?? 'urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified',
    }),
  );
}

/** Declares the tests; the host's packages are installed. */
export function behindSaml(): void {
  beforeAll(async () => {
    app = await start('sso', {
      files: appBefore(
        { entryPoint, idpCert, issuer: audience, audience, callbackUrl, trusted: issuer },
        'saml',
      ),
      main: 'app.js',
    });
  }, 300_000);
  afterAll(() => app.stop());

  itStandsBehind(() => ({ app, signOn }), { password: ['pwd'], mfa: ['mfa'], nothing: [] });

  it.each([
    ['otp', ['otp'], 'aal1'],
    ['constructor', ['fed', 'otp'], 'aal1'],
  ])('the context %s is kept as %j', async (method, amr, acr) => {
    const { visitor, name, codes } = await enrol(app);
    await signOn(visitor, name, [method]);
    expect((await giveCode(visitor, codes[0]!)).body).toMatchObject({ amr, acr });
  });

  describe('a response that is not to be believed opens no pending login', () => {
    it('the same one again, in any browser', async () => {
      const person = await enrol(app);
      const xml = await answer(person.visitor, person.name);
      const thief = person.visitor.copy();
      expect((await post(person.visitor, xml)).status).toBe(303);
      for (const browser of [thief, app.visitor()]) {
        expect((await post(browser, xml)).status).toBe(500);
        await nothingIsPending(app, browser, person);
      }
      expect((await giveCode(person.visitor, person.codes[0]!)).status).toBe(200);
    });

    it.each<[string, Partial<Assertion>]>([
      ['signed with another key', { key: anotherKey }],
      ['meant for another app', { audience: 'https://other.invalid' }],
      ['too old', { expiresInSeconds: -1 }],
      ['that answers no request', { inResponseTo: '_0' }],
    ])('one %s', async (_what, more) => {
      const person = await enrol(app);
      expect(
        (await post(person.visitor, await answer(person.visitor, person.name, more))).status,
      ).toBe(500);
      await nothingIsPending(app, person.visitor, person);
    });

    it.each<[string, (xml: string, name: string, other: string) => string]>([
      ['of another subject', (xml, name, other) => xml.replace(name, other)],
      ['of another context', (xml) => xml.replace(contexts['pwd']!, contexts['mfa']!)],
      ['whose signatures are gone', (xml) => xml.replace(/<ds:Signature .*?<\/ds:Signature>/g, '')],
      [
        'with a second assertion in front',
        (xml, name, other) =>
          xml.replace(
            /<saml:Assertion.*<\/saml:Assertion>/,
            (assertion) => assertion.replace(name, other).replace(/ID="_/, 'ID="_x') + assertion,
          ),
      ],
    ])('one that was changed on its way: %s', async (_what, change) => {
      const [person, other] = [await enrol(app, 'trusted'), await enrol(app, 'trusted')];
      const xml = await answer(person.visitor, person.name);
      const forged = change(xml, person.name, other.name);
      expect(forged).not.toBe(xml);
      expect((await post(person.visitor, forged)).status).toBe(500);
      await nothingIsPending(app, person.visitor, person);
      await nothingIsPending(app, person.visitor, other);
    });

    it('one of a logout, which nobody need sign', async () => {
      const person = await enrol(app);
      const saml = 'urn:oasis:names:tc:SAML:2.0';
      const xml = [
        `<samlp:LogoutResponse xmlns:samlp="${saml}:protocol" ID="_1" InResponseTo="${await asked(person.visitor)}" Version="2.0">`,
        `<saml:Issuer xmlns:saml="${saml}:assertion">${issuer}</saml:Issuer>`,
        `<samlp:Status><samlp:StatusCode Value="${saml}:status:Success"/></samlp:Status></samlp:LogoutResponse>`,
      ].join('');
      const query = new URLSearchParams({ SAMLResponse: deflateRawSync(xml).toString('base64') });
      expect((await person.visitor.postForm(`/login/callback?${query}`, {})).status).toBe(500);
      await nothingIsPending(app, person.visitor, person);
    });
  });
}
