// Runs docs/single-sign-on.md with SAML: @node-saml/passport-saml, with responses signed here.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { start, type Host } from '../frameworks/host';
import type { Answer, Visitor } from '../frameworks/visitor';
import { appWith, enrol, giveCode, providerTests, expectNothingPending } from './contract';
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

/** @returns the id of the request that is sent to the provider */
async function requestId(visitor: Visitor): Promise<string> {
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
    inResponseTo: await requestId(visitor),
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

/** Declares the tests. The packages of the host must be installed. */
export function samlTests(): void {
  beforeAll(async () => {
    app = await start('sso', {
      files: appWith(
        { entryPoint, idpCert, issuer: audience, audience, callbackUrl, trusted: issuer },
        'saml',
      ),
      main: 'app.js',
    });
  }, 300_000);
  afterAll(() => app.stop());

  providerTests(() => ({ app, signOn }), { password: ['pwd'], mfa: ['mfa'], nothing: [] });

  it.each([
    ['otp', ['otp'], 'aal1'],
    ['constructor', ['fed', 'otp'], 'aal1'],
  ])('The authentication context %s is recorded as %j', async (method, amr, acr) => {
    const { visitor, name, codes } = await enrol(app);
    await signOn(visitor, name, [method]);
    expect((await giveCode(visitor, codes[0]!)).body).toMatchObject({ amr, acr });
  });

  describe('invalid responses', () => {
    it('A response that was used before begins no login, in any browser', async () => {
      const person = await enrol(app);
      const xml = await answer(person.visitor, person.name);
      const thief = person.visitor.copy();
      expect((await post(person.visitor, xml)).status).toBe(303);
      for (const browser of [thief, app.visitor()]) {
        expect((await post(browser, xml)).status).toBe(500);
        await expectNothingPending(app, browser, person);
      }
      expect((await giveCode(person.visitor, person.codes[0]!)).status).toBe(200);
    });

    it.each<[string, Partial<Assertion>]>([
      ['signed with another key', { key: anotherKey }],
      ['for another app', { audience: 'https://other.invalid' }],
      ['that has expired', { expiresInSeconds: -1 }],
      ['to no request', { inResponseTo: '_0' }],
    ])('A response %s begins no login', async (_what, more) => {
      const person = await enrol(app);
      expect(
        (await post(person.visitor, await answer(person.visitor, person.name, more))).status,
      ).toBe(500);
      await expectNothingPending(app, person.visitor, person);
    });

    it.each<[string, (xml: string, name: string, other: string) => string]>([
      ['to another subject', (xml, name, other) => xml.replace(name, other)],
      ['to another context', (xml) => xml.replace(contexts['pwd']!, contexts['mfa']!)],
      ['to have no signatures', (xml) => xml.replace(/<ds:Signature .*?<\/ds:Signature>/g, '')],
      [
        'to begin with a second assertion',
        (xml, name, other) =>
          xml.replace(
            /<saml:Assertion.*<\/saml:Assertion>/,
            (assertion) => assertion.replace(name, other).replace(/ID="_/, 'ID="_x') + assertion,
          ),
      ],
    ])('A response that was changed %s begins no login', async (_what, change) => {
      const [person, other] = [await enrol(app, 'trusted'), await enrol(app, 'trusted')];
      const xml = await answer(person.visitor, person.name);
      const forged = change(xml, person.name, other.name);
      expect(forged).not.toBe(xml);
      expect((await post(person.visitor, forged)).status).toBe(500);
      await expectNothingPending(app, person.visitor, person);
      await expectNothingPending(app, person.visitor, other);
    });

    it('An unsigned logout response begins no login', async () => {
      const person = await enrol(app);
      const saml = 'urn:oasis:names:tc:SAML:2.0';
      const xml = [
        `<samlp:LogoutResponse xmlns:samlp="${saml}:protocol" ID="_1" `,
        `InResponseTo="${await requestId(person.visitor)}" Version="2.0">`,
        `<saml:Issuer xmlns:saml="${saml}:assertion">${issuer}</saml:Issuer>`,
        `<samlp:Status><samlp:StatusCode Value="${saml}:status:Success"/></samlp:Status>`,
        '</samlp:LogoutResponse>',
      ].join('');
      const query = new URLSearchParams({ SAMLResponse: deflateRawSync(xml).toString('base64') });
      expect((await person.visitor.postForm(`/login/callback?${query}`, {})).status).toBe(500);
      await expectNothingPending(app, person.visitor, person);
    });
  });
}
