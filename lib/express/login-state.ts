// What this package stores in a session, under one key, and what the app stores beside it.
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';
import { passportKey, setUser } from './passport-login';
import { getSession, readPath, regenerateSession } from './session';

/** The state of this package. It comes back out of JSON, so nothing in it has a certain shape. */
export interface LoginState {
  /** The pending login. */
  readonly pending?: unknown;
  /** Names the pending login, for the code that completes it. */
  readonly loginId?: unknown;
  /** The completed login. */
  readonly login?: unknown;
  /** The page to go to after the login. */
  readonly returnTo?: unknown;
  /** The keys of the app that `completeLogin` keeps: `keep` of `beginLogin`. */
  readonly keptKeys?: unknown;
  /** Whether this login was already sent to replace old codes. */
  readonly isRotationOffered?: unknown;
  /** Which page last sent the browser to make codes. */
  readonly turnedAway?: unknown;
}

export const STATE_KEY = 'passport-backup-code';

/** @throws {BackupCodeError} `session_unavailable` */
export function readState(req: Request): LoginState {
  const state = readPath(getSession(req), STATE_KEY);
  return typeof state === 'object' && state !== null ? state : {};
}

/** Replaces the whole state. */
export function writeState(req: Request, state: LoginState): void {
  Reflect.set(getSession(req), STATE_KEY, state);
}

/** Returns what the app stores in the session, with its cookie settings, and without any login. */
export function readAppData(req: Request): Record<string, unknown> {
  const entries = Object.entries(getSession(req));
  return Object.fromEntries(
    entries.filter(([key]) => key !== STATE_KEY && key !== passportKey(req)),
  );
}

/** Returns the values of these keys. A key that the session does not have is left out. */
export function readKeptData(req: Request, keys: readonly string[]): Record<string, unknown> {
  const entries = Object.entries(getSession(req));
  return Object.fromEntries(
    entries.filter(([key]) => keys.includes(key) && !isReservedKey(req, key)),
  );
}

/** Returns the keys that `beginLogin` was asked to keep, for the pending login of this session. */
export function readKeptKeys(req: Request): readonly string[] {
  const { keptKeys } = readState(req);
  return isNameList(keptKeys) ? keptKeys : [];
}

/** Puts data of the app into the session. */
export function writeAppData(req: Request, data: Readonly<Record<string, unknown>>): void {
  Object.assign(getSession(req), data);
}

/** @throws {BackupCodeError} `invalid_option`: not an array of names, or it has a reserved key */
export function assertKeptKeys(req: Request, keys: unknown): asserts keys is readonly string[] {
  if (!isNameList(keys)) {
    throw new BackupCodeError(
      'invalid_option',
      `keep must be an array of session keys such as ['cart'], but was ${describe(keys)}.`,
    );
  }
  const reserved = keys.find((key) => isReservedKey(req, key));
  if (reserved === undefined) return;
  throw new BackupCodeError(
    'invalid_option',
    `keep must not name "${reserved}": a login and its cookie never move into another ` +
      'session. Name only keys that your app stores, such as "cart".',
  );
}

/**
 * Leaves no user logged in, on this request and in its session, even if the session store is down.
 * Never rejects.
 */
export async function abandonLogin(req: Request): Promise<void> {
  setUser(req, null);
  try {
    await regenerateSession(req);
  } catch {
    // express-session makes the new, empty session even if its store fails to remove the old one.
    // Another session may still hold the old data.
    const session: unknown = Reflect.get(req, 'session');
    if (typeof session !== 'object' || session === null) return;
    removeLogin(req, session);
  }
}

/** Whether the session has any login, pending or completed, or a state of this package. */
export function hasLogin(req: Request): boolean {
  return Object.keys(getSession(req)).some((key) => key === STATE_KEY || key === passportKey(req));
}

/** Removes every login from the session, pending or completed. It is not saved. */
export function removeLogin(req: Request, session: object): void {
  Reflect.deleteProperty(session, STATE_KEY);
  Reflect.deleteProperty(session, passportKey(req));
}

function isNameList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '');
}

function isReservedKey(req: Request, key: string): boolean {
  return ['cookie', 'passport', passportKey(req), STATE_KEY].includes(key);
}
