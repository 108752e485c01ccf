// A software security key (WebAuthn, sections 6 and 7). A test can make it misbehave: be copied,
// answer another challenge, or answer for another site.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { type Answer, tokenIn, type Visitor } from './visitor';

const USER_PRESENT = 0x01;
const MAY_BE_COPIED = 0x08;
const HAS_NEW_KEY = 0x40;

export class SoftKey {
  readonly id: string;
  /** The origin that the browser reports to the key. */
  readonly origin: string;
  /** Increases with each answer. 0: the key does not count. */
  counter: number;
  /** A synced key is stored in software, on several devices. */
  readonly isSynced: boolean;
  private readonly publicKey: KeyObject;
  private readonly privateKey: KeyObject;

  constructor(
    origin: string,
    { counts = true, isSynced = false }: { counts?: boolean; isSynced?: boolean } = {},
  ) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.publicKey = publicKey;
    this.privateKey = privateKey;
    this.id = randomBytes(32).toString('base64url');
    this.origin = origin;
    this.counter = counts ? 1 : 0;
    this.isSynced = isSynced;
  }

  /** The JSON that a browser sends to register the key. */
  register({ challenge }: Pick<PublicKeyCredentialCreationOptionsJSON, 'challenge'>): string {
    const id = Buffer.from(this.id, 'base64url');
    const data = Buffer.concat([
      this.authenticatorData(HAS_NEW_KEY),
      Buffer.alloc(16),
      Buffer.from([0, id.length]),
      id,
      this.cose(),
    ]);
    // CBOR, RFC 8949: { fmt: 'none', attStmt: {}, authData: data }.
    const attestation = Buffer.concat([
      Buffer.from([0xa3]),
      cborText('fmt'),
      cborText('none'),
      cborText('attStmt'),
      Buffer.from([0xa0]),
      cborText('authData'),
      Buffer.from([0x58, data.length]),
      data,
    ]);
    return this.toJson({
      clientDataJSON: this.clientData('webauthn.create', challenge).toString('base64url'),
      attestationObject: attestation.toString('base64url'),
      transports: ['usb'],
    });
  }

  /** The JSON that a browser sends to log in. */
  answer({ challenge }: Pick<PublicKeyCredentialRequestOptionsJSON, 'challenge'>): string {
    if (this.counter > 0) this.counter += 1;
    const [data, clientData] = [
      this.authenticatorData(0),
      this.clientData('webauthn.get', challenge),
    ];
    const signature = sign(
      'sha256',
      Buffer.concat([data, createHash('sha256').update(clientData).digest()]),
      this.privateKey,
    );
    return this.toJson({
      clientDataJSON: clientData.toString('base64url'),
      authenticatorData: data.toString('base64url'),
      signature: signature.toString('base64url'),
    });
  }

  /** The public key as COSE (RFC 9052): { 1: EC2, 3: ES256, -1: P-256, -2: x, -3: y }. */
  cose(): Buffer {
    const { x, y } = this.publicKey.export({ format: 'jwk' });
    return Buffer.concat([
      Buffer.from('a5010203262001215820', 'hex'),
      Buffer.from(x!, 'base64url'),
      Buffer.from('225820', 'hex'),
      Buffer.from(y!, 'base64url'),
    ]);
  }

  private authenticatorData(flags: number): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.counter);
    return Buffer.concat([
      createHash('sha256').update(new URL(this.origin).hostname).digest(),
      Buffer.from([USER_PRESENT | (this.isSynced ? MAY_BE_COPIED : 0) | flags]),
      counter,
    ]);
  }

  private clientData(type: string, challenge: string): Buffer {
    return Buffer.from(
      JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false }),
    );
  }

  private toJson(response: Record<string, unknown>): string {
    return JSON.stringify({
      id: this.id,
      rawId: this.id,
      type: 'public-key',
      clientExtensionResults: {},
      response,
    });
  }
}

function cborText(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x60 + text.length]), Buffer.from(text)]);
}

/** Reads the WebAuthn options of a page. */
export function readOptions(html: string): { challenge: string } {
  const [, json] = /data-options="([^"]+)"/.exec(html)!;
  return JSON.parse(
    json!.replaceAll('&#34;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&'),
  ) as { challenge: string };
}

/** Adds the key to the account of the logged-in user. */
export async function addKey(visitor: Visitor, key: SoftKey, name = 'Blue key'): Promise<Answer> {
  const { text } = await visitor.get('/account/security-keys');
  return visitor.post('/account/security-keys', {
    _csrf: tokenIn(text),
    name,
    response: key.register(readOptions(text)),
  });
}

/** Uses the key as a second factor. */
export async function showKey(
  visitor: Visitor,
  key: SoftKey,
  page = '/login/second-factor',
): Promise<Answer> {
  const { text } = await visitor.get(page);
  return visitor.post(
    page === '/login/step-up' ? '/login/step-up/security-key' : '/login/security-key',
    { _csrf: tokenIn(text), response: key.answer(readOptions(text)) },
  );
}
