// What a session stores of a login, pending or completed: which user, by which factors, when.
import type { Request } from 'express';
import { isTime } from '../internal/time';
import { isUserId, type UserId } from '../stores/subject';
import { areMethodNames, computeAssurance, type Assurance, type Factor } from './factors';
import { readState } from './login-state';
import { readLoginStart } from './login-mark';
import { readPath } from './session';

/** A login, bound to its user. */
export interface LoginRecord extends Assurance {
  readonly userId: UserId;
  readonly factors: readonly Factor[];
}

/** A login that a session holds, pending or completed. */
export interface StoredLogin extends LoginRecord {
  /** When the first factor was verified, in milliseconds since 1970. A step-up is no new login. */
  readonly startedAt: number;
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
  const { userId, methods, amr, acr, factors } = record;
  const storedId = typeof userId === 'bigint' ? { bigint: String(userId) } : userId;
  return { userId: storedId, methods, amr, acr, factors };
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
 * Returns the completed login of this session, or `null` if Passport has no login in it, or another
 * one than `completeLogin` made: a logout may leave our record behind. The caller compares the
 * record's user with the user of the request.
 */
export function readLogin(req: Request): StoredLogin | null {
  const startedAt = readLoginStart(req);
  const record = startedAt === null ? null : decodeRecord(readState(req).login);
  return startedAt === null || record === null ? null : { ...record, startedAt };
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
    isTime(readPath(value, 'at'))
  );
}
