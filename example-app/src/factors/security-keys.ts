// Security keys (WebAuthn): stores them and verifies their answers. An answer is accepted once, and
// not if the key's counter went back. Requires no attestation: any key is accepted.
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

/** What the owner sees of a key. Times are milliseconds since 1970. */
export interface SecurityKey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

/**
 * Where the key says it is stored (RFC 8176, section 2): in hardware, or in software that copies it
 * between devices.
 */
export type KeyAmr = 'hwk' | 'swk';

export type KeyVerdict =
  | { readonly ok: true; readonly amr: KeyAmr }
  /** `copied`: the counter went back, so there may be a copy of the key. */
  | { readonly ok: false; readonly reason: 'malformed' | 'invalid' | 'copied' };

export type AddedKey =
  | { readonly ok: true; readonly amr: KeyAmr }
  | { readonly ok: false; readonly reason: 'malformed' | 'invalid' | 'duplicate' | 'full' };

export const MAX_KEYS = 10;
const MAX_NAME_LENGTH = 64;
const MAX_TRANSPORTS = 8;
/**
 * WebAuthn, section 5.8.6: the key is a second factor after a password, so a PIN or fingerprint is
 * preferred but not required.
 */
const USER_VERIFICATION = 'preferred';

export class SecurityKeys {
  private readonly db: Database;
  /** Keys are bound to this origin. They do not answer on another one. */
  private readonly origin: string;
  private readonly rpID: string;
  private readonly now: () => number;

  constructor({ db, publicUrl, now }: { db: Database; publicUrl: string; now: () => number }) {
    this.db = db;
    this.origin = publicUrl;
    this.rpID = new URL(publicUrl).hostname;
    this.now = now;
  }

  /** Oldest first. */
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

  /** What the browser needs to register a key that this account does not have yet. */
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

  /** What the browser needs to get an answer from one of this account's keys. */
  async createLoginOptions(userId: string): Promise<PublicKeyCredentialRequestOptionsJSON> {
    return generateAuthenticationOptions({
      rpID: this.rpID,
      userVerification: USER_VERIFICATION,
      allowCredentials: await this.listCredentials(userId),
    });
  }

  /** @param given.response the JSON that the browser sent */
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
    // It throws on any invalid answer.
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

  /** @param given.response the JSON that the browser sent */
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
      // `markUsed` checks the counter, because two processes may do this at once.
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
   * Marks a challenge and a counter value as used. Only one caller succeeds (WebAuthn, section 7.2,
   * step 22).
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

/** This is the key's own claim; it is not attested. */
function readAmr(deviceType: 'singleDevice' | 'multiDevice'): KeyAmr {
  return deviceType === 'singleDevice' ? 'hwk' : 'swk';
}

/** A label for the owner only. */
function readKeyName(given: string): string {
  const name = given.normalize('NFKC').replace(/\p{C}/gu, '').trim().slice(0, MAX_NAME_LENGTH);
  return name === '' ? 'Security key' : name;
}

/** Checks only that the answer is an object with an id. The library verifies the rest. */
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

/** The transports that the browser reports. The value is not trusted. */
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
