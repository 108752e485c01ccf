// A SAML response, signed with a key made here, for tests only. It is written in exclusive
// canonical form, so the hashed bytes are the sent ones.
import { createHash, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';

const C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const DS = 'http://www.w3.org/2000/09/xmldsig#';
const SAML = 'urn:oasis:names:tc:SAML:2.0';

export const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const idpCert = publicKey.export({ type: 'spki', format: 'pem' }).toString();
export const anotherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

export interface Assertion {
  readonly subject: string;
  /** The authentication context. */
  readonly context: string;
  /** The id of the request that it answers. */
  readonly inResponseTo: string;
  readonly issuer: string;
  readonly audience: string;
  readonly recipient: string;
  readonly expiresInSeconds?: number;
  readonly key?: typeof privateKey;
}

/** Returns the response as the XML that a provider posts. */
export function samlResponse({
  subject,
  context,
  inResponseTo,
  issuer,
  audience,
  recipient,
  expiresInSeconds = 60,
  key = privateKey,
}: Assertion): string {
  const [now, end] = [0, expiresInSeconds].map((seconds) =>
    new Date(Date.now() + 1000 * seconds).toISOString(),
  );
  const ids = [`_${randomUUID()}`, `_${randomUUID()}`] as const;
  const from = `<saml:Issuer xmlns:saml="${SAML}:assertion">${issuer}</saml:Issuer>`;
  const assertion = [
    `<saml:Assertion xmlns:saml="${SAML}:assertion" ID="${ids[0]}" IssueInstant="${now}" `,
    `Version="2.0"><saml:Issuer>${issuer}</saml:Issuer>`,
    `<saml:Subject><saml:NameID>${subject}</saml:NameID>`,
    `<saml:SubjectConfirmation Method="${SAML}:cm:bearer">`,
    `<saml:SubjectConfirmationData InResponseTo="${inResponseTo}" NotOnOrAfter="${end}" `,
    `Recipient="${recipient}"></saml:SubjectConfirmationData>`,
    '</saml:SubjectConfirmation></saml:Subject>',
    `<saml:Conditions NotOnOrAfter="${end}"><saml:AudienceRestriction>`,
    `<saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`,
    `<saml:AuthnStatement AuthnInstant="${now}"><saml:AuthnContext>`,
    `<saml:AuthnContextClassRef>${context}</saml:AuthnContextClassRef>`,
    '</saml:AuthnContext></saml:AuthnStatement></saml:Assertion>',
  ].join('');
  const status =
    `<samlp:Status><samlp:StatusCode Value="${SAML}:status:Success">` +
    '</samlp:StatusCode></samlp:Status>';
  const head =
    `<samlp:Response xmlns:samlp="${SAML}:protocol" Destination="${recipient}" ID="${ids[1]}" ` +
    `InResponseTo="${inResponseTo}" IssueInstant="${now}" Version="2.0">`;
  return signed(
    `${head}${from}${status}${signed(assertion, ids[0], key)}</samlp:Response>`,
    ids[1],
    key,
  );
}

/** Adds an enveloped signature after the first issuer. */
function signed(xml: string, id: string, key: typeof privateKey): string {
  const digest = createHash('sha256').update(xml).digest('base64');
  const empty = (name: string, algorithm: string): string =>
    `<ds:${name} Algorithm="${algorithm}"></ds:${name}>`;
  const info = [
    empty('CanonicalizationMethod', C14N),
    empty('SignatureMethod', 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'),
    `<ds:Reference URI="#${id}"><ds:Transforms>`,
    empty('Transform', `${DS}enveloped-signature`),
    empty('Transform', C14N),
    '</ds:Transforms>',
    empty('DigestMethod', 'http://www.w3.org/2001/04/xmlenc#sha256'),
    `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference>`,
  ].join('');
  const value = createSign('sha256')
    .update(`<ds:SignedInfo xmlns:ds="${DS}">${info}</ds:SignedInfo>`)
    .sign(key, 'base64');
  const signature =
    `<ds:Signature xmlns:ds="${DS}"><ds:SignedInfo>${info}</ds:SignedInfo>` +
    `<ds:SignatureValue>${value}</ds:SignatureValue></ds:Signature>`;
  return xml.replace('</saml:Issuer>', `</saml:Issuer>${signature}`);
}
