// What a session remembers of a login, pending or completed: who, by which factors, when. Read back with distrust.
import type { Request } from 'express';
import type { UserId } from '../stores/subject';
import { assuranceOf, isNames, type Assurance, type Factor } from './factors';
import { isUserId } from './login-options';
import { dig, hasSessionLogin, readState } from './session';

/** A login, bound to its user. */
export interface LoginRecord extends Assurance {
  readonly userId: UserId;
  readonly factors: readonly Factor[];
}

export function recordOf(
  userId: UserId,
  factors: readonly Factor[],
  amr: readonly string[],
): LoginRecord {
  return { userId, ...assuranceOf(factors, amr), factors };
}

/** As JSON can keep it: a bigint has no JSON of its own. */
export function toStored(record: LoginRecord): object {
  const { userId } = record;
  return { ...record, userId: typeof userId === 'bigint' ? { bigint: String(userId) } : userId };
}

/** `null` for what never was a record. What factors amount to is told anew. */
export function fromStored(stored: unknown): LoginRecord | null {
  const [id, digits, factors, amr] = [
    dig(stored, 'userId'),
    dig(stored, 'userId', 'bigint'),
    dig(stored, 'factors'),
    dig(stored, 'amr'),
  ];
  const userId = typeof digits === 'string' && /^-?\d+$/.test(digits) ? BigInt(digits) : id;
  if (
    !isUserId(userId) ||
    !Array.isArray(factors) ||
    factors.length === 0 ||
    !factors.every(isFactor) ||
    !isReferences(amr)
  )
    return null;
  return recordOf(userId, factors, amr);
}

/** As many as there are: those of every factor add up. */
function isReferences(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((name) => isNames([name]));
}

function isFactor(value: unknown): value is Factor {
  return (
    isNames([dig(value, 'method')]) &&
    isNames(dig(value, 'amr')) &&
    typeof dig(value, 'at') === 'number'
  );
}

/**
 * The completed login, where Passport holds a login in this session; `null` where it does not, as after a logout that
 * left the session standing (Passport 0.5 and older). Whether it is that of the request's user, the caller compares:
 * a record never speaks for the next user of the browser.
 */
export function readLogin(req: Request): LoginRecord | null {
  return hasSessionLogin(req) ? fromStored(readState(req).login) : null;
}
