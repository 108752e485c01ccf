// What moves from the old session into the one of a completed login.
import type { Request } from 'express';
import { readAppData, readKeptData, readKeptKeys, readState, type LoginState } from './login-state';

/** What moves from the old session into the one of the login. */
export interface CarriedData {
  readonly appData: Readonly<Record<string, unknown>>;
  readonly state: Pick<LoginState, 'isRotationOffered'>;
}

/** A step-up is the same login: for the app nothing changes. */
export function carryStepUp(req: Request): CarriedData {
  const { isRotationOffered } = readState(req);
  return { appData: readAppData(req), state: { isRotationOffered } };
}

/** The session of a visitor does not become part of a login, except for the keys to keep. */
export function carryKeptData(req: Request): CarriedData {
  return { appData: readKeptData(req, readKeptKeys(req)), state: {} };
}
