// Security keys (WebAuthn): who has which, and whether an answer is right. No answer is accepted
// twice, nor one of a key whose count went back. Asks for no attestation: any key will do.
import { createHash } from 'node:crypto';
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { SERVICE_NAME } from '../config';
import { type Database, isDuplicate, type QueueNotice } from '../data/database';
import type { Account } from '../login/users';
import type { Challenge } from './security-key-challenge';

/** What its owner sees of a key. Times are milliseconds since 1970. */
export interface SecurityKey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

/**
 * How the key says it is held, RFC 8176, section 2: in hardware, or in software that copies it from
 * device to device.
 */
export type KeyAmr = 'hwk' | 'swk';

export type KeyVerdict =
  | { readonly ok: true; readonly amr: KeyAmr }
  /** `copied`: its count went back, so there may be two of it. */
  | { readonly ok: false; readonly reason: 'malformed' | 'invalid' | 'copied' };

export type AddedKey =
  | { readonly ok: true; readonly amr: KeyAmr }
  | { readonly ok: false; readonly reason: 'malformed' | 'invalid' | 'duplicate' | 'full' };

export const MAX_KEYS = 10;
const MAX_NAME_LENGTH = 64;
const MAX_TRANSPORTS = 8;
/**
 * WebAuthn, section 5.8.6: a second factor after a password, so a PIN or a finger is welcome, and
 * not demanded.
 */
const USER_VERIFICATION = 'preferred';

export class SecurityKeys {
  private readonly db: Database;
  /** Keys belong to one origin, for ever: those of another one do not answer. */
  private readonly origin: string;
  private readonly rpID: string;
  private readonly now: () => number;

  constructor({ db, publicUrl, now }: { db: Database; publicUrl: string; now: () => number }) {
    this.db = db;
    this.origin = publicUrl;
    this.rpID = new URL(publicUrl).hostname;
    this.now = now;
  }

  /** The oldest first. */
  async list(userId: string): Promise<SecurityKey[]> {
    const rows = await this.db
      .selectFrom('security_keys')
      .select(['id', 'name', 'created_at', 'last_used_at'])
      .where('user_id', '=', userId)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map(({ id, name, created_at, last_used_at }) => ({
      id,
      name,
      createdAt: Number(created_at),
      lastUsedAt: last_used_at === null ? null : Number(last_used_at),
    }));
  }

  /** What the browser needs to make a key answer that is not one of this account's yet. */
  async createRegistrationOptions({
    id,
    username,
  }: Account): Promise<PublicKeyCredentialCreationOptionsJSON> {
    return generateRegistrationOptions({
      rpName: SERVICE_NAME,
      rpID: this.rpID,
      userName: username,
      userID: Buffer.from(id),
      excludeCredentials: await this.listCredentials(id),
      authenticatorSelection: { residentKey: 'discouraged', userVerification: USER_VERIFICATION },
    });
  }

  /** What the browser needs to make one of this account's keys answer. */
  async createLoginOptions(userId: string): Promise<PublicKeyCredentialRequestOptionsJSON> {
    return generateAuthenticationOptions({
      rpID: this.rpID,
      userVerification: USER_VERIFICATION,
      allowCredentials: await this.listCredentials(userId),
    });
  }

  /** @param given.response what the browser sent, as JSON */
  async add(
    userId: string,
    {
      response,
      challenge,
      name,
      queueNotice,
    }: { response: string; challenge: Challenge; name: string; queueNotice: QueueNotice },
  ): Promise<AddedKey> {
    const answer = readAnswer(response);
    if (answer === null) return { ok: false, reason: 'malformed' };
    if ((await this.list(userId)).length >= MAX_KEYS) return { ok: false, reason: 'full' };
    // It throws for whatever is wrong with an answer.
    const { registrationInfo } = await verifyRegistrationResponse({
      response: answer as RegistrationResponseJSON,
      expectedChallenge: challenge.value,
      expectedOrigin: this.origin,
      expectedRPID: this.rpID,
      requireUserVerification: false,
    }).catch(() => ({ registrationInfo: undefined }));
    if (registrationInfo === undefined) return { ok: false, reason: 'invalid' };
    const { credential, credentialDeviceType } = registrationInfo;
    const row = {
      id: digest(credential.id),
      user_id: userId,
      credential_id: credential.id,
      public_key: Buffer.from(credential.publicKey).toString('base64url'),
      counter: credential.counter,
      transports: readTransports(credential.transports),
      name: readKeyName(name),
      created_at: this.now(),
      last_used_at: null,
    };
    try {
      await this.db.transaction().execute(async (db) => {
        await db.insertInto('security_keys').values(row).execute();
        await queueNotice(db);
      });
    } catch (error) {
      if (isDuplicate(error)) return { ok: false, reason: 'duplicate' };
      throw error;
    }
    return { ok: true, amr: readAmr(credentialDeviceType) };
  }

  async rename(userId: string, { id, name }: { id: string; name: string }): Promise<void> {
    await this.db
      .updateTable('security_keys')
      .set({ name: readKeyName(name) })
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .execute();
  }

  async remove(
    userId: string,
    { id, queueNotice }: { id: string; queueNotice: QueueNotice },
  ): Promise<void> {
    await this.db.transaction().execute(async (db) => {
      const { numDeletedRows } = await db
        .deleteFrom('security_keys')
        .where('id', '=', id)
        .where('user_id', '=', userId)
        .executeTakeFirstOrThrow();
      if (numDeletedRows === 1n) await queueNotice(db);
    });
  }

  /** @param given.response what the browser sent, as JSON */
  async check(
    userId: string,
    { response, challenge }: { response: string; challenge: Challenge },
  ): Promise<KeyVerdict> {
    const answer = readAnswer(response);
    if (answer === null) return { ok: false, reason: 'malformed' };
    const key = await this.db
      .selectFrom('security_keys')
      .selectAll()
      .where('id', '=', digest(answer.id))
      .where('user_id', '=', userId)
      .executeTakeFirst();
    if (key === undefined) return { ok: false, reason: 'invalid' };
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: answer as AuthenticationResponseJSON,
      expectedChallenge: challenge.value,
      expectedOrigin: this.origin,
      expectedRPID: this.rpID,
      requireUserVerification: false,
      // The count is for `spend` to look at: two processes may be at it.
      credential: {
        id: key.credential_id,
        publicKey: Buffer.from(key.public_key, 'base64url'),
        counter: 0,
      },
    }).catch(() => ({ verified: false, authenticationInfo: undefined }));
    if (!verified || authenticationInfo === undefined) return { ok: false, reason: 'invalid' };
    const { newCounter, credentialDeviceType } = authenticationInfo;
    if (await this.markUsed({ id: key.id, counter: newCounter, at: challenge.at }))
      return { ok: true, amr: readAmr(credentialDeviceType) };
    return {
      ok: false,
      reason: hasGoneBack(newCounter, Number(key.counter)) ? 'copied' : 'invalid',
    };
  }

  /**
   * Marks a challenge, and a count, as used, for one caller only (WebAuthn, section 7.2, step 22).
   */
  private async markUsed({
    id,
    counter,
    at,
  }: {
    id: string;
    counter: number;
    at: number;
  }): Promise<boolean> {
    const { numUpdatedRows } = await this.db
      .updateTable('security_keys')
      .set({ counter, last_used_at: at })
      .where('id', '=', id)
      .where('counter', counter === 0 ? '=' : '<', counter)
      .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<', at)]))
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  }

  private async listCredentials(userId: string): Promise<{ id: string; transports: string[] }[]> {
    const rows = await this.db
      .selectFrom('security_keys')
      .select(['credential_id', 'transports'])
      .where('user_id', '=', userId)
      .execute();
    return rows.map(({ credential_id, transports }) => ({
      id: credential_id,
      transports: transports.split(',').filter((transport) => transport !== ''),
    }));
  }
}

function hasGoneBack(counter: number, before: number): boolean {
  return before > 0 && counter <= before;
}

/** What the key says of itself, which nobody has attested. */
function readAmr(deviceType: 'singleDevice' | 'multiDevice'): KeyAmr {
  return deviceType === 'singleDevice' ? 'hwk' : 'swk';
}

/** A name is only for its owner to know the key by. */
function readKeyName(given: string): string {
  const name = given.normalize('NFKC').replace(/\p{C}/gu, '').trim().slice(0, MAX_NAME_LENGTH);
  return name === '' ? 'Security key' : name;
}

/** An object with an id. All else of it is looked at by whoever verifies it. */
function readAnswer(json: string): { id: string } | null {
  try {
    const answer: unknown = JSON.parse(json);
    return typeof answer === 'object' &&
      answer !== null &&
      typeof Reflect.get(answer, 'id') === 'string'
      ? (answer as { id: string })
      : null;
  } catch {
    return null;
  }
}

/** What the browser says of the way to the key. It may say anything. */
function readTransports(given: unknown): string {
  return Array.isArray(given)
    ? given
        .filter((transport) => typeof transport === 'string' && /^[a-z-]{1,32}$/.test(transport))
        .slice(0, MAX_TRANSPORTS)
        .join(',')
    : '';
}

function digest(credentialId: string): string {
  return createHash('sha256').update(credentialId).digest('base64url');
}
