// Whether a stored set can be compared with. A row may be damaged, or changed by an attacker, and
// the store may be the app's own: what cannot be the set of a user must not look like an invalid
// code.
import { isCodeRecord } from '../codes/digests';
import { BackupCodeError } from '../errors';
import { isCount, malformed } from './checked-store';
import type { SetWithCodes, StoredCode } from './requests';

type Fields = Readonly<Record<string, unknown>>;

/**
 * @throws {BackupCodeError} `invalid_result` if the store returned no set, `unreadable_set` if a
 * value in it is impossible
 */
export function assertReadableSet(set: SetWithCodes): void {
  if (!isSet(set)) throw malformed('takeAttempt');
  if (isPossible(set)) return;
  throw new BackupCodeError(
    'unreadable_set',
    'A stored set is damaged: it has a number that cannot be, or a salt or digest of another form.',
  );
}

function isSet(value: unknown): boolean {
  const set = (value ?? {}) as Fields;
  for (const field of ['setId', 'format', 'salt', 'check']) {
    if (typeof set[field] !== 'string') return false;
  }
  const { pepperId, total, remaining, expiresAt, codes } = set;
  if (pepperId !== null && typeof pepperId !== 'string') return false;
  if (typeof total !== 'number' || typeof remaining !== 'number') return false;
  return isNumberOrNull(expiresAt) && Array.isArray(codes) && codes.every(isCode);
}

function isCode(value: unknown): boolean {
  const { codeId, salt, digest, consumedAt, consumptionId } = (value ?? {}) as Fields;
  if ([codeId, salt, digest].some((field) => typeof field !== 'string')) return false;
  if (consumptionId !== null && typeof consumptionId !== 'string') return false;
  return isNumberOrNull(consumedAt);
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || typeof value === 'number';
}

function isPossible({ total, remaining, expiresAt, codes }: SetWithCodes): boolean {
  if (!isCount(total) || !isCount(remaining) || remaining > total) return false;
  return isTimeOrNull(expiresAt) && codes.every(isPossibleCode);
}

function isPossibleCode(code: StoredCode): boolean {
  return isCodeRecord(code) && isTimeOrNull(code.consumedAt);
}

function isTimeOrNull(value: number | null): boolean {
  return value === null || isCount(value);
}
