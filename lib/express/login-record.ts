// What a session stores of a login, pending or completed: which user, by which factors, when.
import type { Request } from 'express';
import { isUserId, type UserId } from '../stores/subject';
import { areMethodNames, computeAssurance, type Assurance, type Factor } from './factors';
import { readState } from './login-state';
import { hasSessionLogin } from './passport-login';
import { readPath } from './session';

/** A login, bound to its user. */
export interface LoginRecord extends Assurance {
  readonly userId: UserId;
  readonly factors: readonly Factor[];
}

/** Makes the record of a login by these factors. */
export function makeRecord({
  userId,
  factors,
  amr,
}: Pick<LoginRecord, 'userId' | 'factors' | 'amr'>): LoginRecord {
  return { userId, ...computeAssurance(factors, amr), factors };
}

/** Returns the record as a session stores it. JSON has no bigint. */
export function encodeRecord(record: LoginRecord): object {
  const { userId } = record;
  return { ...record, userId: typeof userId === 'bigint' ? { bigint: String(userId) } : userId };
}

/**
 * Reads what `encodeRecord` made; `null` for anything else. The assurance is computed again from
 * the factors: a stored claim is not believed.
 */
export function decodeRecord(stored: unknown): LoginRecord | null {
  const userId = decodeUserId(readPath(stored, 'userId'));
  const factors = readPath(stored, 'factors');
  const amr = readPath(stored, 'amr');
  if (!isUserId(userId)) return null;
  if (!Array.isArray(factors) || factors.length === 0 || !factors.every(isFactor)) return null;
  if (!areReferences(amr)) return null;
  return makeRecord({ userId, factors, amr });
}

/**
 * Returns the completed login of this session, or `null` if Passport has no login in it. A logout
 * of Passport 0.5 and older leaves our record behind. The caller compares the record's user with
 * the user of the request: a record never speaks for the next user of the browser.
 */
export function readLogin(req: Request): LoginRecord | null {
  return hasSessionLogin(req) ? decodeRecord(readState(req).login) : null;
}

function decodeUserId(stored: unknown): unknown {
  const digits = readPath(stored, 'bigint');
  return typeof digits === 'string' && /^-?\d+$/.test(digits) ? BigInt(digits) : stored;
}

/** Without an upper limit: the references of all factors add up. */
function areReferences(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((name) => areMethodNames([name]));
}

function isFactor(value: unknown): value is Factor {
  return (
    areMethodNames([readPath(value, 'method')]) &&
    areMethodNames(readPath(value, 'amr')) &&
    typeof readPath(value, 'at') === 'number'
  );
}
